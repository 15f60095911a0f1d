"""Who may do what to whom: accounts, roles, and the last administrator."""

import base64
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, Stale
from inventory_app.models._base import now
from inventory_app.models.access import AccountLink
from inventory_app.models.users import AuthSession, LocalUser, Role, SessionActivity, UserInfo
from inventory_app.operations import _people_list, dashboard, home, sessions, users
from inventory_app.operations._lists import View
from inventory_app.operations._zones import beginning, clock
from inventory_app.states._people_rows import box_of
from inventory_app.unit_of_work import read, transact
from tests.factories import arrange, invited, person, register, signed_in_again
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked

LAST = "last administrator"


def roles_of(actor) -> list[str]:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).one().get_roles())


def enabled(actor) -> bool:
    return arrange(lambda s: s.get_one(LocalUser, actor.id).enabled)


def version_of(actor) -> int:
    return arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == actor.id)).one().version)


@pytest.fixture
def clerk(ada):
    """Return somebody who looks after people, and holds all an employee holds, but is no administrator."""

    def build(session):
        role = Role(name="clerk")
        session.add(role)
        session.flush()
        wanted = {"users:view", "users:manage", "users:assign_roles"} | users.permissions_of_roles(
            session, ["employee"]
        )
        role.set_permissions(wanted, session)

    arrange(build)
    return person("clare", "clerk")


def test_an_administrator_changes_a_role_and_it_counts_at_once(ada, bob):
    with acting_as(ada):
        assert transact(users.change_user_role, user_id=bob.id, role_name="employee") == []
        assert transact(users.change_user_role, user_id=bob.id, role_name="manager") == ["employee"]
    assert roles_of(bob) == ["manager"]
    with acting_as(bob):
        assert "inventory:bulk_update" in read(sessions.who_is_this).permissions


def test_replacing_roles_records_only_the_difference(ada, trail):
    bert = person("bert", "employee", "accountant")
    with acting_as(ada):
        transact(users.set_user_roles, user_id=bert.id, roles=["employee", "auditor"], version=1)
    kinds = [(c.table, c.kind) for c in trail.changes()]
    assert sorted(kinds) == [("user_info", "update"), ("user_role", "delete"), ("user_role", "insert")]
    assert roles_of(bert) == ["auditor", "employee"]


def test_nobody_changes_their_own_roles(ada, trail):
    person("second", "admin")
    with acting_as(ada), pytest.raises(NotAllowed, match="your own roles"):
        transact(users.change_user_role, user_id=ada.id, role_name="employee")
    assert roles_of(ada) == ["admin"]
    assert trail.operations(outcome="denied")[-1].actor_name == "ada"


def test_nobody_gives_what_they_do_not_hold(clerk, bob):
    with acting_as(clerk):
        transact(users.change_user_role, user_id=bob.id, role_name="employee")
        with pytest.raises(NotAllowed, match=r"what you do not hold yourself: .*audit:view"):
            transact(users.change_user_role, user_id=bob.id, role_name="manager")
        with pytest.raises(NotAllowed, match="what you do not hold yourself"):
            transact(users.change_user_role, user_id=bob.id, role_name="admin")
    assert roles_of(bob) == ["employee"]


def test_the_permissions_of_an_inactive_role_count_when_it_is_given(clerk, bob):
    """It may be activated later, and the giver would have given more than they hold."""
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "admin").values(active=False)))
    with acting_as(clerk), pytest.raises(NotAllowed, match="do not hold"):
        transact(users.change_user_role, user_id=bob.id, role_name="admin")


@pytest.mark.parametrize("touch", ["change_user_role", "deactivate_user", "set_user_roles"])
def test_nobody_touches_an_account_that_may_do_what_they_may_not(clerk, ann, touch):
    arguments = {"change_user_role": {"role_name": "employee"}, "set_user_roles": {"roles": [], "version": 1}}
    with acting_as(clerk), pytest.raises(NotAllowed, match="may do what you may not"):
        transact(getattr(users, touch), user_id=ann.id, **arguments.get(touch, {}))
    assert roles_of(ann) == ["manager"]
    assert enabled(ann)


def test_nobody_enables_an_account_that_may_do_what_they_may_not(clerk):
    strong = person("strong", "admin", enabled=False)
    with acting_as(clerk), pytest.raises(NotAllowed, match="may do what you may not"):
        transact(users.enable_user, user_id=strong.id)
    assert not enabled(strong)


def test_an_account_with_less_can_be_touched(clerk):
    bert = person("bert", "employee")
    with acting_as(clerk):
        transact(users.deactivate_user, user_id=bert.id)
        transact(users.enable_user, user_id=bert.id)
        transact(users.set_user_roles, user_id=bert.id, roles=[], version=version_of(bert))
    assert roles_of(bert) == []


def test_a_disabled_person_is_out_at_once_on_every_device(ada, ann, trail):
    other = signed_in_again(ann)
    with acting_as(ada):
        transact(users.deactivate_user, user_id=ann.id)
    for device in (ann, other):
        with acting_as(device), pytest.raises(NotSignedIn):
            read(sessions.who_is_this)
    assert [c.kind for c in trail.changes(table="auth_session")] == ["update", "update"]
    ended = arrange(
        lambda s: s.scalars(sa.select(AuthSession.revoked_at).where(col(AuthSession.user_id) == ann.id)).all()
    )
    assert None not in ended


def test_enabling_does_not_revive_old_sessions(ada, ann):
    with acting_as(ada):
        transact(users.deactivate_user, user_id=ann.id)
        transact(users.enable_user, user_id=ann.id)
    with acting_as(ann), pytest.raises(NotSignedIn):
        read(sessions.who_is_this)


def test_doing_it_twice_is_said(ada, ann):
    with acting_as(ada):
        with pytest.raises(Stale, match="ann is already enabled"):
            transact(users.enable_user, user_id=ann.id)
        transact(users.deactivate_user, user_id=ann.id)
        with pytest.raises(Stale, match="ann is already disabled"):
            transact(users.deactivate_user, user_id=ann.id)


def test_an_edit_of_what_somebody_else_has_changed_is_refused(ada, bob):
    with acting_as(ada):
        transact(users.set_user_roles, user_id=bob.id, roles=["employee"], version=1)
        with pytest.raises(Stale):
            transact(users.set_user_roles, user_id=bob.id, roles=["auditor"], version=1)
    assert roles_of(bob) == ["employee"]


def test_an_unknown_role_is_named_and_nothing_is_changed(ada, ann):
    with acting_as(ada), pytest.raises(Invalid, match="There is no role emperor, king") as refused:
        transact(users.set_user_roles, user_id=ann.id, roles=["employee", "king", "emperor"], version=1)
    assert "roles" in refused.value.fields
    assert roles_of(ann) == ["manager"]


def test_a_person_who_does_not_exist_is_said(ada):
    with acting_as(ada):
        for operation, arguments in (
            (users.change_user_role, {"role_name": "employee"}),
            (users.deactivate_user, {}),
            (users.enable_user, {}),
        ):
            with pytest.raises(NotFound, match="no such person"):
                transact(operation, user_id=4711, **arguments)


@pytest.mark.parametrize(
    "leave",
    [
        lambda ada: transact(users.deactivate_user, user_id=ada.id),
        lambda ada: _by_the_system(users.deactivate_user, user_id=ada.id),
        lambda ada: _by_the_system(users.change_user_role, user_id=ada.id, role_name="employee"),
        lambda ada: _by_the_system(users.set_user_roles, user_id=ada.id, roles=[], version=1),
    ],
    ids=["disables herself", "is disabled", "is demoted", "loses every role"],
)
def test_the_last_administrator_stays_whoever_tries(ada, leave):
    person("former", "admin", enabled=False)
    with acting_as(ada), pytest.raises(NotAllowed, match=LAST):
        leave(ada)
    assert (roles_of(ada), enabled(ada)) == (["admin"], True)


def _by_the_system(operation, **arguments) -> None:
    with acting_as(system_actor("night")):
        transact(operation, **arguments)


def test_of_two_administrators_disabling_themselves_at_once_exactly_one_succeeds(ada, observer):
    other_admin = person("axel", "admin")

    def leave(actor):
        def run() -> None:
            with acting_as(actor):
                transact(users.deactivate_user, user_id=actor.id)

        return run

    with Side(leave(ada), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(leave(other_admin)) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), NotAllowed)
            assert LAST in str(other.error())
    assert [enabled(ada), enabled(other_admin)] == [False, True]


def test_of_two_administrators_demoting_each_other_at_once_exactly_one_succeeds(ada, observer):
    other_admin = person("axel", "admin")

    def demote(actor, victim):
        def run() -> None:
            with acting_as(actor):
                transact(users.change_user_role, user_id=victim.id, role_name="employee")

        return run

    with Side(demote(ada, other_admin), until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(demote(other_admin, ada)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), NotAllowed)
    assert [roles_of(ada), roles_of(other_admin)] == [["admin"], ["employee"]]


def test_letting_somebody_in_is_remembered(ada, stranger):
    done = register(stranger)
    with acting_as(ada):
        assert [row.username for row in read(users.list_users, view=View(filters={"tab": "waiting"})).page.rows] == [
            "carla"
        ]
        transact(users.enable_user, user_id=done.user_id)
        transact(users.deactivate_user, user_id=done.user_id)
        assert read(users.list_users, view=View(filters={"tab": "waiting"})).page.rows == []
        assert [row.username for row in read(users.list_users, view=View(filters={"tab": "disabled"})).page.rows] == [
            "carla"
        ]
        assert read(users.count_users) == users.PeopleCounts(everybody=2, active=1, invited=0, waiting=0, disabled=1)


def withdraw(user_id: int) -> None:
    arrange(lambda s: s.execute(sa.update(AccountLink).where(AccountLink.user_id == user_id).values(revoked_at=now())))


def test_every_account_is_in_one_tab_and_the_counts_are_those_of_the_lists(ada, stranger):
    register(stranger)
    person("dora", enabled=False)
    arrange(lambda s: s.execute(sa.update(LocalUser).where(LocalUser.username == "dora").values(enabled_at=now())))
    invited("ivy")
    invited("ivan", expires=timedelta(seconds=-1))
    withdraw(invited("inga"))
    with acting_as(ada):
        found = {
            tab: {row.username for row in read(users.list_users, view=View(filters={"tab": tab})).page.rows}
            for tab in _people_list.TABS
        }
        counted = {tab: read(users.list_users, view=View(filters={"tab": tab})).count for tab in _people_list.TABS}
        counts, waiting = read(users.count_users), read(dashboard.waiting)
        rows = {row.username: row for row in read(users.list_users).page.rows}
    assert found == {
        "all": {"ada", "carla", "dora", "ivy", "ivan", "inga"},
        "active": {"ada"},
        "invited": {"ivy", "ivan", "inga"},
        "waiting": {"carla"},
        "disabled": {"dora"},
    }
    assert counted == {tab: len(names) for tab, names in found.items()}
    assert counts == users.PeopleCounts(everybody=6, active=1, invited=3, waiting=1, disabled=1)
    assert waiting.people == 1
    states = {row.username: row.invitation for row in rows.values() if row.status == "invited"}
    assert states == {"ivy": "open", "ivan": "expired", "inga": "withdrawn"}


def test_who_was_invited_is_not_let_in_without_the_link(ada):
    ivy = invited("ivy")
    with acting_as(ada):
        with pytest.raises(Conflict, match="comes in by the link"):
            transact(users.enable_user, user_id=ivy)
        assert read(home.home).people == 0


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("today", {"ada"}),
        ("week", {"ada", "week"}),
        ("month", {"ada", "week", "month"}),
        ("longer", {"long"}),
        ("never", {"never"}),
        ("nonsense", {"ada", "week", "month", "long", "never"}),
    ],
)
def test_the_list_is_filtered_by_when_somebody_was_here_last(ada, seen, expected):
    for name, days in (("ada", 0), ("week", 6), ("month", 29), ("long", 31), ("never", None)):
        who = ada if name == "ada" else person(name)
        if days is not None:
            at = now() - timedelta(days=days)
            arrange(lambda s, who=who, at=at: s.add(SessionActivity(session_id=who.session_id, seen_at=at)))
    with acting_as(ada):
        assert {row.username for row in read(users.list_users, view=View(filters={"seen": seen})).page.rows} == expected
        assert read(users.list_users, view=View(filters={"seen": seen})).count == len(expected)


def test_today_begins_where_the_reader_is(ada):
    kiritimati = clock(now(), "Pacific/Kiritimati")
    just_before = beginning(kiritimati.date(), "Pacific/Kiritimati") - timedelta(seconds=1)
    bert = person("bert")
    arrange(lambda s: s.add(SessionActivity(session_id=bert.session_id, seen_at=just_before)))
    with acting_as(ada):
        assert read(users.list_users, view=View(zone="Pacific/Kiritimati", filters={"seen": "today"})).count == 0
        assert read(users.list_users, view=View(zone="Pacific/Kiritimati", filters={"seen": "month"})).count == 1


def test_the_list_says_why_an_account_cannot_be_changed(ada, ann, clerk):
    with acting_as(clerk):
        rows = {row.username: row for row in read(users.list_users).page.rows}
    assert "may do what you may not" in rows["ann"].why_not
    assert rows["clare"].why_not == ""
    assert rows["ann"].roles == ["manager"]
    with acting_as(ada):
        assert {row.why_not for row in read(users.list_users).page.rows} == {""}


def test_the_list_is_searched_without_accents_and_by_role(ada, stranger):
    register(stranger, full_name="Zoë Ångström")
    person("bert", "employee")
    with acting_as(ada):
        assert [row.username for row in read(users.list_users, view=View(search="ANGSTROM")).page.rows] == ["carla"]
        assert [row.username for row in read(users.list_users, view=View(search="bert@ex")).page.rows] == ["bert"]
        assert [row.username for row in read(users.list_users, view=View(search="100%_")).page.rows] == []
        assert [row.username for row in read(users.list_users, view=View(filters={"role": "employee"})).page.rows] == [
            "bert",
            "carla",
        ]
        assert read(users.list_users, view=View(search="\0")).page.rows == []


def test_the_list_is_read_page_by_page_in_both_directions(ada):
    for number in range(120):
        person(f"p{number:03}")
    seen, cursor = [], ""
    with acting_as(ada):
        while True:
            page = read(users.list_users, view=View(cursor=cursor)).page
            seen += [row.username for row in page.rows]
            if not page.after:
                break
            cursor = page.after
        assert len(seen) == len(set(seen)) == 121
        before = read(users.list_users, view=View(cursor=page.before)).page
        assert [row.username for row in before.rows] == seen[50:100]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [0],
        [0, "person"],
        [0, "person", "a"],
        [0, "status", "a", 1],
        [0, "person", "a", 1, 2],
        [0, "person", "a", "1"],
        [0, "person", 1, 1],
        [0, "person", "a\0b", 1],
        {"a": 1},
        None,
        7,
    ],
)
def test_a_damaged_link_to_a_page_is_said(ada, values):
    cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    with acting_as(ada):
        with pytest.raises(Invalid, match="damaged"):
            read(users.list_users, view=View(cursor=cursor))
        with pytest.raises(Invalid, match="damaged"):
            read(users.list_users, view=View(cursor=cursor[:-3] + "é"))


def test_the_roles_to_give_say_which_need_somebody_elses_agreement(ada):
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "auditor").values(grant_needs_approval=True)))
    with acting_as(ada):
        roles = read(users.roles_to_give)
    assert [role.name for role in roles if role.needs_agreement] == ["auditor"]
    boxes = {box.name: box.size for box in (box_of(role, held=False) for role in roles)}
    assert boxes["auditor"].endswith(" · somebody else must agree")
    assert "agree" not in boxes["manager"]


def test_the_roles_to_give_say_what_they_are_and_which_the_viewer_may_not_give(ada, clerk):
    with acting_as(clerk):
        seen = {role.name: role for role in read(users.roles_to_give)}
    assert {name for name, role in seen.items() if not role.why_not} == {"employee", "clerk"}
    beyond = "Export the audit trail, See the audit trail and check the books, See invoices, 3 more"
    assert seen["auditor"].why_not == f"You do not hold what is in it: {beyond}."
    assert seen["admin"].why_not.endswith(" more.")
    assert (seen["employee"].description, seen["employee"].permissions) == ("Works in the warehouse", 8)
    with acting_as(ada):
        # That one comes with an invitation from a supplier's page alone.
        assert [role.name for role in read(users.roles_to_give) if role.why_not] == ["supplier"]


def test_what_the_dialog_greys_out_is_what_the_operation_refuses(clerk, bob):
    with acting_as(clerk):
        for role in read(users.roles_to_give):
            try:
                transact(users.change_user_role, user_id=bob.id, role_name=role.name)
            except NotAllowed:
                assert role.why_not, role.name
                continue
            assert not role.why_not, role.name


def test_roles_to_choose_from_are_the_active_ones(ada):
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "auditor").values(active=False)))
    with acting_as(ada):
        assert read(users.list_users).roles == ["admin", "manager", "employee", "accountant", "supplier"]
