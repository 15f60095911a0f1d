"""Accounts: invited, let in by a one-time link, edited, given a new password; and who may do it to whom."""

import secrets
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import Actor, acting_as
from inventory_app.errors import (
    Conflict,
    FreshProofRequired,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Stale,
)
from inventory_app.models._base import now
from inventory_app.models.access import AccountLink
from inventory_app.models.users import AuthSession, LocalUser, Role, UserInfo
from inventory_app.operations import accounts, pictures, sessions, users
from inventory_app.operations.sessions import hash_token
from inventory_app.passwords import verify_password
from inventory_app.unit_of_work import read, transact
from tests.factories import PASSWORD, anonymous, arrange, password_hash, person, register
from tests.fixtures.seeing import Side, before_commit, wait_until_blocked

WHY = "asked by phone"


def invite(token: str, username: str = "ivy", roles: tuple[str, ...] = ()) -> accounts.LinkMade:
    return transact(
        accounts.invite_user,
        username=username,
        full_name=username.title(),
        email=f"{username}@example.com",
        roles=list(roles),
        token_hash=hash_token(token),
    )


def reset(user_id: int | None, link: str = "new", reason: str = WHY) -> accounts.LinkMade:
    return transact(accounts.make_reset_link, user_id=user_id, token_hash=hash_token(link), reason=reason)


def redeem(token: str) -> str:
    with acting_as(anonymous()):
        return transact(accounts.redeem_link, token_hash=hash_token(token), new_hash=password_hash())


def account(user_id: int | None) -> LocalUser:
    def build(session) -> LocalUser:
        found = session.get_one(LocalUser, user_id)
        session.expunge(found)
        return found

    return arrange(build)


def info(user_id: int | None) -> UserInfo:
    def build(session) -> UserInfo:
        found = session.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one()
        session.expunge(found)
        return found

    return arrange(build)


def roles_of(user_id: int | None) -> list[str]:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == user_id)).one().get_roles())


def clerk_with(*permissions: str) -> Actor:
    """Return somebody whose only role holds what an employee holds, and `permissions`."""
    name = f"clerk{secrets.token_hex(2)}"

    def build(session) -> None:
        role = Role(name=name)
        session.add(role)
        session.flush()
        role.set_permissions({*permissions} | users.permissions_of_roles(session, ["employee"]), session)

    arrange(build)
    return person(name, name)


def test_an_invited_person_chooses_a_password_and_is_in(ada, trail):
    with acting_as(ada):
        made = invite("abc", roles=("employee", "auditor"))
    waiting = account(made.user_id)
    assert (waiting.enabled, waiting.enabled_at) == (False, None)
    assert verify_password("!", waiting.password_hash) == (False, None)
    with acting_as(anonymous()):
        assert read(accounts.show_link, token_hash=hash_token("abc")) == accounts.LinkShown(
            "ivy", "invite", ("ivy", "Ivy", "ivy@example.com")
        )
    assert redeem("abc") == "ivy"
    opened = account(made.user_id)
    assert opened.enabled
    assert verify_password(PASSWORD, opened.password_hash)[0]
    assert roles_of(made.user_id) == ["auditor", "employee"]
    assert [o.actor_name for o in trail.operations() if o.name.startswith("accounts.")] == ["ada", "anonymous"]


def test_the_token_of_a_link_appears_nowhere(ada, observer):
    with acting_as(ada):
        invite("the words of the link")
    changes = observer.execute("SELECT string_agg(coalesce(after, ''), '') FROM audit_change").fetchone()[0]
    assert "the words of the link" not in changes
    assert hash_token("the words of the link") not in changes


def test_who_says_no_roles_invites_an_employee(ada):
    with acting_as(ada):
        assert roles_of(invite("abc").user_id) == ["employee"]


def test_an_invitation_gives_no_more_than_the_inviter_could_give(database):
    clerk = clerk_with("users:manage", "users:assign_roles")
    with acting_as(clerk):
        with pytest.raises(NotAllowed, match="what you do not hold yourself"):
            invite("abc", roles=("manager",))
        with pytest.raises(Invalid, match="no role king"):
            invite("abc", roles=("king",))
        assert invite("abc").username == "ivy"


def test_who_may_not_assign_roles_invites_only_employees(database):
    clerk = clerk_with("users:manage")
    with acting_as(clerk):
        with pytest.raises(NotAllowed, match="only invite an employee"):
            invite("abc", roles=("accountant",))
        invite("abc", roles=("employee",))


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"username": "x"}, "username"), ({"email": "nobody"}, "email"), ({"full_name": " "}, "full_name")],
)
def test_every_wrong_detail_is_named(ada, changed, field):
    given = {"username": "ivy", "full_name": "Ivy", "email": "ivy@example.com", "roles": [], "token_hash": "x"}
    with acting_as(ada), pytest.raises(Invalid) as refused:
        transact(accounts.invite_user, **given | changed)
    assert list(refused.value.fields) == [field]


def test_a_taken_name_or_address_is_said(ada, bob):
    with acting_as(ada):
        with pytest.raises(Conflict, match="username is taken"):
            invite("abc", username="BOB")
        with pytest.raises(Conflict, match="e-mail address is in use"):
            transact(
                accounts.invite_user,
                username="bobby",
                full_name="B",
                email="BOB@example.com",
                roles=[],
                token_hash="x",
            )


@pytest.mark.parametrize("end", ["used", "too old", "replaced", "withdrawn", "made up", "inviter disabled"])
def test_a_link_that_does_not_work_says_no_more_than_that(ada, end):
    other = person("axel", "admin")
    with acting_as(other):
        made = invite("abc")
    if end == "used":
        redeem("abc")
    elif end == "too old":
        arrange(lambda s: s.execute(sa.update(AccountLink).values(expires_at=now() - timedelta(seconds=1))))
    elif end == "replaced":
        with acting_as(ada):
            reset(made.user_id)
    elif end == "withdrawn":
        with acting_as(ada):
            transact(accounts.withdraw_invitation, user_id=made.user_id)
    elif end == "inviter disabled":
        with acting_as(ada):
            transact(users.deactivate_user, user_id=other.id)
    token = "made up" if end == "made up" else "abc"
    with pytest.raises(NotFound, match="does not work"):
        redeem(token)
    with acting_as(anonymous()), pytest.raises(NotFound, match="does not work"):
        read(accounts.show_link, token_hash=hash_token(token))


def test_a_new_invitation_replaces_the_one_that_was_lost(ada):
    with acting_as(ada):
        made = invite("lost")
        reset(made.user_id, "found")
    assert redeem("found") == "ivy"
    assert account(made.user_id).enabled


def test_of_two_who_redeem_a_link_at_once_exactly_one_succeeds(ada, observer):
    with acting_as(ada):
        invite("abc")
    with Side(lambda: redeem("abc"), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(lambda: redeem("abc")) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), NotFound)


def test_a_reset_ends_every_session_and_the_old_password(ada, ann):
    with acting_as(ada):
        made = reset(ann.id)
    assert made.email == "ann@example.com"
    with acting_as(ann), pytest.raises(NotSignedIn):
        read(sessions.who_is_this)
    assert not verify_password(PASSWORD, account(ann.id).password_hash)[0]
    assert redeem("new") == "ann"
    assert verify_password(PASSWORD, account(ann.id).password_hash)[0]


def test_nobody_comes_into_an_erased_account_by_an_old_invitation(ada):
    with acting_as(ada):
        made = invite("abc")
        transact(users.erase_personal_data, user_id=made.user_id, reason="asked for")
        with pytest.raises(Conflict, match="has been erased"):
            reset(made.user_id)
    with pytest.raises(NotFound, match="does not work"):
        redeem("abc")
    assert not account(made.user_id).enabled


def test_a_reset_needs_a_reason_and_a_fresh_proof(ada, ann):
    with acting_as(ada), pytest.raises(Invalid) as refused:
        reset(ann.id, reason=" ")
    assert "reason" in refused.value.fields
    stale = now() - timedelta(minutes=11)
    arrange(lambda s: s.execute(sa.update(AuthSession).values(reauthenticated_at=stale)))
    with acting_as(ada), pytest.raises(FreshProofRequired):
        reset(ann.id)


@pytest.mark.parametrize(
    "touch",
    [
        reset,
        lambda id_: transact(accounts.edit_user, user_id=id_, full_name="X", email="x@example.com", version=1),
        lambda id_: transact(accounts.update_user_email, user_id=id_, new_email="x@example.com"),
        lambda id_: transact(accounts.withdraw_invitation, user_id=id_),
    ],
    ids=["reset", "edit", "address", "invitation"],
)
def test_nobody_touches_an_account_that_may_do_what_they_may_not(ann, touch):
    clerk = clerk_with("users:manage")
    with acting_as(clerk), pytest.raises(NotAllowed, match="may do what you may not"):
        touch(ann.id)


def test_who_registered_or_is_disabled_gets_no_link(ada):
    waiting = register(anonymous(), username="wanda")
    disabled = person("dora", "employee", enabled=False)
    arrange(lambda s: setattr(s.get_one(LocalUser, disabled.id), "enabled_at", now()))
    with acting_as(ada):
        with pytest.raises(Conflict, match="waits to be let in"):
            reset(waiting.user_id)
        with pytest.raises(Conflict, match="is disabled"):
            reset(disabled.id)
        with pytest.raises(Conflict, match="not waiting with an invitation"):
            transact(accounts.withdraw_invitation, user_id=waiting.user_id)


def test_a_link_of_a_person_who_was_disabled_meanwhile_does_not_work(ada, bob):
    with acting_as(ada):
        reset(bob.id)
        transact(users.deactivate_user, user_id=bob.id)
    with pytest.raises(NotFound, match="does not work"):
        redeem("new")


def demote(who: Actor, role: str) -> None:
    transact(users.change_user_role, user_id=who.id, role_name=role)


def test_a_link_does_not_outlive_being_disabled(ada, bob):
    with acting_as(ada):
        reset(bob.id, "abc")
        transact(users.deactivate_user, user_id=bob.id)
        transact(users.enable_user, user_id=bob.id)
    with pytest.raises(NotFound, match="does not work"):
        redeem("abc")


def test_a_link_that_went_to_another_address_opens_nothing(ada):
    """Mistyped and corrected: whoever reads the mail of the first address must not come in."""
    with acting_as(ada):
        ivy = invite("abc").user_id
        transact(accounts.edit_user, user_id=ivy, full_name="Ivy Hill", email="ivy@example.com", version=1)
        transact(accounts.update_user_email, user_id=ivy, new_email="ivy.hill@example.com")
    with pytest.raises(NotFound, match="does not work"):
        redeem("abc")
    with acting_as(ada):
        reset(ivy, "def")
    assert redeem("def") == "ivy"


def test_whoever_kept_a_reset_link_does_not_enter_the_account_once_it_may_more(ada, bob):
    """The link was made for somebody who held little; then they became an administrator."""
    clerk = clerk_with("users:manage")
    with acting_as(clerk):
        reset(bob.id, "kept")
    with acting_as(ada):
        demote(bob, "admin")
    with pytest.raises(NotFound, match="does not work"):
        redeem("kept")
    with acting_as(ada):
        demote(bob, "employee")
    assert redeem("kept") == "bob"


def test_whoever_invites_somebody_does_not_become_what_others_make_of_them(ada):
    clerk = clerk_with("users:manage")
    with acting_as(clerk):
        made = invite("kept")
    with acting_as(ada):
        transact(users.change_user_role, user_id=made.user_id, role_name="manager")
    with pytest.raises(NotFound, match="does not work"):
        redeem("kept")
    with acting_as(ada):
        reset(made.user_id, "anew")
    assert redeem("anew") == "ivy"


@pytest.mark.parametrize("purpose", ["invite", "reset"])
def test_whoever_lost_the_permission_to_make_links_has_none_left(ada, bob, purpose):
    clerk = clerk_with("users:manage")
    with acting_as(clerk):
        invite("kept") if purpose == "invite" else reset(bob.id, "kept")
    with acting_as(ada):
        demote(clerk, "employee")
    with pytest.raises(NotFound, match="does not work"):
        redeem("kept")


def test_an_invitation_does_not_bring_back_who_was_disabled_or_erased(ada):
    with acting_as(ada):
        disabled, erased = invite("disabled"), invite("erased", username="ernest")
        transact(users.erase_personal_data, user_id=erased.user_id, reason="Asked for")
    # Was in once, by whatever way, and is shut out: an invitation is for those who never were.
    arrange(lambda s: setattr(s.get_one(LocalUser, disabled.user_id), "enabled_at", now()))
    for token in ("disabled", "erased"):
        with pytest.raises(NotFound, match="does not work"):
            redeem(token)
    assert not account(disabled.user_id).enabled
    assert not account(erased.user_id).enabled


def test_the_command_line_helps_whom_nobody_else_can(ada):
    with acting_as(Actor("cli", "cli:root")):
        made = transact(accounts.make_reset_link_on_site, username="ADA", token_hash=hash_token("abc"))
        with pytest.raises(NotFound, match="no account nobody"):
            transact(accounts.make_reset_link_on_site, username="nobody", token_hash="x")
    assert made.username == "ada"
    assert redeem("abc") == "ada"


def test_a_person_on_the_web_cannot_use_what_is_for_the_command_line(ada):
    with acting_as(ada), pytest.raises(NotAllowed):
        transact(accounts.make_reset_link_on_site, username="ada", token_hash="x")


def test_an_administrator_corrects_a_name_and_an_address(ada, bob):
    with acting_as(ada):
        transact(accounts.edit_user, user_id=bob.id, full_name="Robert", email="robert@example.com", version=1)
        with pytest.raises(Stale):
            transact(accounts.edit_user, user_id=bob.id, full_name="Rob", email="rob@example.com", version=1)
        with pytest.raises(Invalid, match="Nothing was changed"):
            transact(accounts.edit_user, user_id=bob.id, full_name="Robert", email="robert@example.com", version=2)
        assert transact(accounts.update_user_email, user_id=bob.id, new_email="bo@example.com") == "robert@example.com"
    assert (info(bob.id).full_name, info(bob.id).email, info(bob.id).sort_key) == ("Robert", "bo@example.com", "robert")


def test_ones_own_account_is_changed_on_ones_own_page(ada):
    with acting_as(ada):
        with pytest.raises(NotAllowed, match="your profile page"):
            transact(accounts.edit_user, user_id=ada.id, full_name="A", email="a@example.com", version=1)
        assert transact(accounts.update_profile, full_name=" Ada  L ", version=1).startswith("Ada")
        assert transact(accounts.update_own_email, email="ada.l@example.com", version=2) == "ada.l@example.com"
    assert info(ada.id).email == "ada.l@example.com"


def test_a_profile_is_only_ones_own(bob, ann):
    with acting_as(bob):
        transact(accounts.update_profile, full_name="Bobby", version=1)
    assert (info(bob.id).full_name, info(ann.id).full_name) == ("Bobby", "Ann")


def test_every_open_link_is_of_somebody_and_ends(ada, ann):
    """Of any number of links of a person at most one works."""
    with acting_as(ada):
        for token in ("1", "2", "3"):
            reset(ann.id, token)
    live = arrange(
        lambda s: s.scalars(
            sa.select(col(AccountLink.token_hash)).where(
                col(AccountLink.user_id) == ann.id, col(AccountLink.revoked_at).is_(None)
            )
        ).all()
    )
    assert live == [hash_token("3")]


def test_a_picture_is_everybodys_to_see_until_its_owner_removes_it(ann, bob):
    kept = {"content": b"pixels", "sha256": "a" * 64}
    with acting_as(ann):
        transact(pictures.set_picture, media_type="image/webp", **kept)
    with acting_as(bob):
        assert read(pictures.picture, user_id=ann.id, sha256="a" * 64).content == b"pixels"
    with acting_as(ann):
        transact(pictures.remove_picture)
        with pytest.raises(NotFound, match="no picture to remove"):
            transact(pictures.remove_picture)
    for sha256 in ("a" * 64, ""):
        with acting_as(bob), pytest.raises(NotFound):
            read(pictures.picture, user_id=ann.id, sha256=sha256)
