"""Rules of single sign-on: who is made, connected, disconnected, and what groups do to roles."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

from inventory_app import group_roles
from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.errors import Conflict, FreshProofRequired, Invalid, NotAllowed, NotFound, NotSignedIn
from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity
from inventory_app.models.approvals import Approval
from inventory_app.models.users import AuthSession, LocalUser, Role, UserInfo
from inventory_app.operations import approvals, devices, proving, single_sign_on
from inventory_app.operations.proving import Proof
from inventory_app.passwords import NO_PASSWORD
from inventory_app.permissions import ADMIN
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import read, transact
from tests.factories import add, anonymous, arrange, person, signed_in_again
from tests.fixtures.authenticator import change_sessions, give_app, give_passkey
from tests.fixtures.seeing import Trail

ISSUER = "https://id.example"
MACHINE = system_actor("single_sign_on")


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Settings of single sign-on for one test."""

    def put(**variables: str) -> None:
        given = {"ISSUER": ISSUER, "CLIENT_ID": "inventory"} | variables
        for name, value in given.items():
            monkeypatch.setenv(f"INVENTORY_OIDC_{name}", value)
        get_settings.cache_clear()

    yield put
    monkeypatch.undo()
    get_settings.cache_clear()


def do(actor: Actor, operation, **arguments):
    with acting_as(actor):
        return transact(operation, **arguments)


def see(actor: Actor, query, **arguments):
    with acting_as(actor):
        return read(query, **arguments)


def connected(actor: Actor, subject: str = "s") -> int:
    return add(ExternalIdentity(user_id=actor.id or 0, issuer=ISSUER, subject=subject)).id or 0


def no_password(actor: Actor) -> None:
    arrange(lambda s: setattr(s.get_one(LocalUser, actor.id), "password_hash", NO_PASSWORD))


def roles_of(actor: Actor) -> list[str]:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).one().get_roles())


def make(**changed: object) -> single_sign_on.Known:
    values = {
        "issuer": ISSUER,
        "subject": "new",
        "username": "dora",
        "full_name": "Dora",
        "email": "dora@example.com",
        "roles_follow": False,
    }
    return do(MACHINE, single_sign_on.make_account, **(values | changed))


# Accounts for whom nobody here knows


def test_an_account_is_made_only_where_that_was_set(database, set_up):
    set_up()
    with pytest.raises(NotAllowed, match="Nobody here is connected"):
        make()


@pytest.mark.parametrize(("mode", "enabled"), [("approval", False), ("yes", True)])
def test_an_account_that_was_made_has_no_password_and_waits_or_not(database, set_up, mode, enabled):
    set_up(CREATE=mode)
    made = make(username="", roles_follow=enabled)
    assert (made.username, made.enabled, made.password_hash) == ("dora", enabled, NO_PASSWORD)
    found = see(anonymous(), single_sign_on.person_of, issuer=ISSUER, subject="new")
    assert found == made
    assert roles_of(Actor("user", "dora", made.user_id)) == ([] if enabled else ["employee"])


@pytest.mark.parametrize("taken", [{"username": "ANN"}, {"email": "Ann@example.com"}], ids=["the name", "the address"])
def test_nobody_becomes_somebody_who_is_here_already(ann, set_up, taken):
    set_up(CREATE="yes")
    with pytest.raises(Conflict, match="sign in with your password and connect"):
        make(**taken)
    assert see(anonymous(), single_sign_on.person_of, issuer=ISSUER, subject="new") is None


@pytest.mark.parametrize("lack", [{"email": ""}, {"full_name": ""}, {"username": "a b"}, {"username": "", "email": ""}])
def test_an_account_needs_a_name_and_an_address(database, set_up, lack):
    set_up(CREATE="yes")
    with pytest.raises(Invalid, match="lacks a name"):
        make(**lack)


# Signing in


def sign_in(actor: Actor, **changed: object) -> None:
    values = {"user_id": actor.id, "issuer": ISSUER, "subject": "s", "strong": False, "token_hash": "t" * 64}
    do(anonymous(), single_sign_on.sign_in, **(values | changed))


def test_a_connection_that_was_just_taken_away_opens_nothing(ann, bob):
    connected(ann)
    with pytest.raises(Conflict, match="taken away a moment ago"):
        sign_in(ann, subject="another")
    with pytest.raises(Conflict, match="taken away a moment ago"):
        sign_in(bob)


def test_a_second_factor_that_was_just_set_up_is_not_gone_around(ann):
    connected(ann)
    give_app(ann.id)
    with pytest.raises(Conflict, match="second factor was set up"):
        sign_in(ann)
    sign_in(ann, strong=True)


# Connecting and disconnecting


def test_each_person_has_one_connection_at_a_provider(ann, bob):
    do(ann, single_sign_on.connect, issuer=ISSUER, subject="anns")
    with pytest.raises(Conflict, match="connected with that account already"):
        do(ann, single_sign_on.connect, issuer=ISSUER, subject="anns")
    with pytest.raises(Conflict, match="another account there"):
        do(ann, single_sign_on.connect, issuer=ISSUER, subject="also anns")
    with pytest.raises(Conflict, match="Somebody else"):
        do(bob, single_sign_on.connect, issuer=ISSUER, subject="anns")
    do(bob, single_sign_on.connect, issuer="https://other.example", subject="anns")


def test_connecting_and_disconnecting_ask_for_a_proof_lately_and_by_the_second_factor(ann):
    row = connected(ann)
    change_sessions(ann.id or 0, reauthenticated_at=now() - timedelta(hours=1))
    for refused in (
        lambda: see(ann, single_sign_on.connecting),
        lambda: do(ann, single_sign_on.connect, issuer=ISSUER, subject="x"),
        lambda: do(ann, single_sign_on.disconnect, connection_id=row),
    ):
        with pytest.raises(FreshProofRequired):
            refused()
    change_sessions(ann.id or 0, reauthenticated_at=now())
    give_app(ann.id)
    for refused in (
        lambda: see(ann, single_sign_on.connecting),
        lambda: do(ann, single_sign_on.connect, issuer=ISSUER, subject="x"),
        lambda: do(ann, single_sign_on.disconnect, connection_id=row),
    ):
        with pytest.raises(FreshProofRequired, match="second factor"):
            refused()
    change_sessions(ann.id or 0, strong=True)
    see(ann, single_sign_on.connecting)
    do(ann, single_sign_on.disconnect, connection_id=row)


def test_disconnecting_ends_what_was_signed_in_by_it_and_nothing_else(ann, trail: Trail):
    row = connected(ann)
    by_it, by_password = signed_in_again(ann), signed_in_again(ann)
    arrange(lambda s: setattr(s.get_one(AuthSession, by_it.session_id), "method", "single_sign_on+totp"))
    do(ann, single_sign_on.disconnect, connection_id=row)
    changes = {(change.table, change.kind) for change in trail.changes()}
    assert changes == {("external_identity", "update"), ("auth_session", "update")}
    assert see(anonymous(), single_sign_on.person_of, issuer=ISSUER, subject="s") is None
    assert see(ann, single_sign_on.my_connections) == []
    with pytest.raises(NotSignedIn):
        see(by_it, single_sign_on.my_connections)
    assert see(by_password, single_sign_on.my_connections) == []
    # And back again.
    do(ann, single_sign_on.connect, issuer=ISSUER, subject="s")


def test_a_connection_that_was_taken_away_keeps_what_it_was_and_opens_nothing(ann, bob, observer):
    row = connected(ann)
    do(ann, single_sign_on.disconnect, connection_id=row)
    kept = "SELECT issuer, subject, removed_at IS NOT NULL FROM external_identity WHERE id = %s"
    assert observer.execute(kept, [row]).fetchone() == (ISSUER, "s", True)
    with pytest.raises(Conflict, match="taken away"):
        do(anonymous(), single_sign_on.ask_factor, user_id=ann.id, issuer=ISSUER, subject="s", waits_as="x")
    # Somebody else may be known by it now, and the one before not any more: the rule is one of the living.
    do(bob, single_sign_on.connect, issuer=ISSUER, subject="s")
    with pytest.raises(Conflict, match="Somebody else"):
        do(ann, single_sign_on.connect, issuer=ISSUER, subject="s")
    found = see(anonymous(), single_sign_on.person_of, issuer=ISSUER, subject="s")
    assert found
    assert found.user_id == bob.id


def test_the_database_lets_nobody_live_under_somebodys_identity(ann, bob):
    connected(ann)
    with pytest.raises(Conflict, match="Somebody is connected with that account already"):
        connected(bob)


def test_a_second_factor_ends_no_sign_in_whose_connection_was_taken_away_meanwhile(ann):
    row = connected(ann)
    app = give_app(ann.id)
    change_sessions(ann.id or 0, strong=True)
    do(ann, single_sign_on.disconnect, connection_id=row)
    with pytest.raises(Conflict, match="taken away"):
        do(
            anonymous(),
            proving.sign_in_with_factor,
            user_id=ann.id,
            verified_hash=None,
            first=single_sign_on.METHOD,
            proof=Proof("totp", app.factor_id, 1),
            token_hash="x",
            remember=False,
            identity_id=row,
        )


def test_the_only_way_in_stays(ann):
    row = connected(ann)
    no_password(ann)
    (mine,) = see(ann, single_sign_on.my_connections)
    assert "only way in" in mine.why_not
    with pytest.raises(NotAllowed, match="only way in"):
        do(ann, single_sign_on.disconnect, connection_id=row)
    give_passkey(ann.id or 0, "http://localhost")
    change_sessions(ann.id or 0, strong=True)
    assert see(ann, single_sign_on.my_connections)[0].why_not == ""
    do(ann, single_sign_on.disconnect, connection_id=row)


def test_somebody_elses_connection_does_not_exist(ann, bob):
    row = connected(ann)
    for gone in (row, 10**9):
        with pytest.raises(NotFound):
            do(bob, single_sign_on.disconnect, connection_id=gone)
    do(ann, single_sign_on.disconnect, connection_id=row)
    with pytest.raises(NotFound):
        do(ann, single_sign_on.disconnect, connection_id=row)


def test_an_administrator_takes_a_connection_away_with_a_reason_and_ends_the_sessions(ada, ann, trail: Trail):
    connected(ann)
    with pytest.raises(Invalid):
        do(ada, single_sign_on.disconnect_person, user_id=ann.id, reason=" ")
    assert see(ada, devices.sessions_of, user_id=ann.id).connections == 1
    assert do(ada, single_sign_on.disconnect_person, user_id=ann.id, reason="Left the group") == "ann"
    assert see(ada, devices.sessions_of, user_id=ann.id).connections == 0
    assert trail.last().reason == "Left the group"
    assert see(anonymous(), single_sign_on.person_of, issuer=ISSUER, subject="s") is None
    with pytest.raises(NotSignedIn):
        see(ann, single_sign_on.my_connections)
    with pytest.raises(Conflict, match="not connected"):
        do(ada, single_sign_on.disconnect_person, user_id=ann.id, reason="Again")
    with pytest.raises(NotAllowed, match="your own"):
        do(ada, single_sign_on.disconnect_person, user_id=ada.id, reason="Mine")


def test_nobody_disconnects_who_may_do_more_than_they(ada, database):
    from tests.factories import role

    role("desk", "users:view", "users:manage")
    clerk = person("clerk", "desk")
    connected(ada)
    with pytest.raises(NotAllowed, match="may do what you may not"):
        do(clerk, single_sign_on.disconnect_person, user_id=ada.id, reason="Why not")


# Roles from groups


def follow(actor: Actor, *groups: str) -> list[str]:
    return do(MACHINE, single_sign_on.match_roles, user_id=actor.id, groups=list(groups), reason="Groups")


def test_groups_give_and_take_the_roles_they_name_and_no_others(ada, set_up):
    set_up(ROLES="crew=employee;buyers=manager,accountant")
    bob = person("bob", "auditor", "employee")
    assert follow(bob, "buyers") == ["accountant", "auditor", "manager"]
    assert follow(bob, "buyers", "crew") == ["accountant", "auditor", "employee", "manager"]
    assert follow(bob) == ["auditor"]
    assert follow(bob) == ["auditor"]


def test_a_role_that_is_switched_off_is_neither_given_nor_taken(database, set_up):
    set_up(ROLES="crew=sleeping")
    add(Role(name="sleeping", active=False))
    bob, eve = person("bob"), person("eve", "sleeping")
    assert follow(bob, "crew") == []
    assert follow(eve, "crew") == ["sleeping"]
    found = see(MACHINE, single_sign_on.difference, user_id=bob.id, groups=["crew"])
    assert (found.unknown, found.changes) == (["sleeping"], False)


def test_the_last_administrator_stays_one(ada, set_up):
    set_up(ROLES="chiefs=admin!")
    with pytest.raises(NotAllowed, match="last administrator"):
        follow(ada)
    assert roles_of(ada) == [ADMIN]
    person("eve", "admin")
    assert follow(ada) == []


def test_a_role_that_needs_agreement_waits_and_is_not_asked_for_again_when_refused(ada, set_up):
    set_up(ROLES="vault=keeper;safe=guard;crew=employee")
    add(Role(name="keeper", grant_needs_approval=True))
    add(Role(name="guard", grant_needs_approval=True))
    bob = person("bob")
    assert follow(bob, "vault", "crew") == ["employee"]
    # One request a person: the second such role is asked for when the first is decided.
    assert follow(bob, "vault", "safe", "crew") == ["employee"]

    def requests() -> list[Approval]:
        found = arrange(lambda s: [row.model_copy() for row in s.exec(select(Approval).order_by(Approval.id)).all()])
        return [row for row in found if row.kind == "role_grant"]

    (first,) = requests()
    assert first.requested_by is None
    do(ada, approvals.reject, approval_id=first.id, reason="Not yet", version=first.version)
    assert follow(bob, "vault", "crew") == ["employee"]
    assert len(requests()) == 1
    assert follow(bob, "vault", "safe", "crew") == ["employee"]
    assert len(requests()) == 2


# What groups are worth


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("crew=employee", {"crew": {"employee"}}),
        (" crew = employee , manager ;; it=admin!; ", {"crew": {"employee", "manager"}, "it": {"admin"}}),
        ('{"a; b=c": ["manager"], "it": "admin!"}', {"a; b=c": {"manager"}, "it": {"admin"}}),
    ],
)
def test_a_mapping_is_read_in_both_forms(text, found):
    assert group_roles.parse(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("crew", "“crew” names no role"),
        ("=employee", "a group has no name"),
        ("crew=", "“crew” names no role"),
        ("crew=employee,", "“crew” names no role"),
        ("crew=employee;crew=manager", "“crew” stands there twice"),
        ("it=admin", "write admin!"),
        (";", "names no group"),
        ("{}", "names no group"),
        ('{"crew": [', "begins like JSON and is none"),
        ('{"crew": 7}', "must have a list of roles"),
        ('{"crew": [7]}', "must have a list of roles"),
        ('{"crew": []}', "“crew” names no role"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_in_a_sentence(text, said):
    with pytest.raises(ValueError, match=r"\S") as refused:
        group_roles.parse(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_role_that_must_be_marked_is_the_administrators():
    assert group_roles.ADMIN == ADMIN


def test_confirming_at_the_provider_follows_its_new_session(ann):
    """Sessions that came from there end with the provider's own, whichever it is by now."""
    identity = connected(ann)
    came, other = signed_in_again(ann), signed_in_again(ann)
    arrange(lambda s: setattr(s.get_one(AuthSession, came.session_id), "identity_id", identity))
    for number, session in enumerate((came, other)):
        proof = {"issuer": ISSUER, "subject": "s", "strong": False, "token_hash": str(number) * 64}
        do(session, single_sign_on.confirm, **proof, provider_session="sid")
    kept = [
        arrange(lambda s, id_=one.session_id: s.get_one(AuthSession, id_).provider_session) for one in (came, other)
    ]
    assert kept == [single_sign_on.hash_of("sid"), None]
