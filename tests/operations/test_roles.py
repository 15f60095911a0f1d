"""Roles: every rule about changing them, by every path, and two people at the same moment."""

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import Conflict, FreshProofRequired, Invalid, KeyReused, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.users import AuthSession, Role, UserInfo
from inventory_app.operations import _people_rules as rules
from inventory_app.operations import _role_views as views
from inventory_app.operations import roles, users
from inventory_app.operations.roles import Change
from inventory_app.permissions import DEFAULT_ROLES, Permission
from inventory_app.unit_of_work import open_session, read, transact
from tests.factories import arrange, person
from tests.fixtures.seeing import Side, before_commit, locks_waited_for, wait_until_blocked

MANAGES = {"users:view", "roles:view", "roles:manage"}


def role(name: str) -> Role:
    def find(session):
        found = session.exec(select(Role).where(Role.name == name)).one()
        session.expunge(found)
        return found

    return arrange(find)


def contents(name: str) -> set[str]:
    id_ = role(name).id
    return set(arrange(lambda s: views.contents_of(s, id_)))


def make_role(name: str, *permissions: str, **properties) -> Role:
    def build(session):
        made = Role(name=name, **properties)
        session.add(made)
        session.flush()
        made.set_permissions(permissions, session)

    arrange(build)
    return role(name)


@pytest.fixture
def clerk(ada):
    """Return somebody who may change roles and holds little else."""
    make_role("clerk", *MANAGES, "inventory:view", "inventory:adjust")
    return person("clare", "clerk")


# Making, copying, editing


def test_a_role_is_made_with_what_its_maker_holds(clerk, trail):
    with acting_as(clerk):
        made = transact(
            roles.create_role, name="  Night  shift ", permissions=["inventory:view"], reason="Asked by Ann"
        )
    assert (made.name, made.version, contents("Night shift")) == ("Night shift", 1, {"inventory:view"})
    done = trail.last(actor_name="clare")
    assert (done.name, done.reason) == ("roles.create_role", "Asked by Ann")
    assert [c.table for c in trail.changes(done.id)] == ["role", "role_permission"]


def test_a_role_with_more_than_its_maker_holds_is_refused(clerk):
    with acting_as(clerk), pytest.raises(NotAllowed, match=r"do not hold yourself: audit:view, prices:view"):
        transact(roles.create_role, name="Spy", permissions=["prices:view", "audit:view", "inventory:view"])


@pytest.mark.parametrize("name", ["", "a, b", "x" * 41, "roles:manage", "a/b", "a+b", "nul\0", "a\u202eb"])
def test_a_name_that_cannot_be_used_is_refused_beside_its_field(ada, name):
    with acting_as(ada), pytest.raises(Invalid) as refused:
        transact(roles.create_role, name=name)
    assert set(refused.value.fields) == {"name"}


def test_two_roles_never_have_one_name(ada):
    with acting_as(ada), pytest.raises(Conflict, match="A role of this name exists") as refused:
        transact(roles.create_role, name="MANAGER")
    assert "name" in refused.value.fields


def test_a_copy_contains_the_same_and_nobody_holds_it(ada):
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "manager").values(needs_factor=True)))
    with acting_as(ada):
        made = transact(roles.clone_role, role_id=role("manager").id, name="Deputy")
        assert read(roles.role_holders, role_id=made.role_id).rows == []
    assert contents("Deputy") == contents("manager")
    assert role("Deputy").needs_factor
    assert not role("Deputy").built_in


def test_nobody_copies_a_role_that_holds_more_than_they(clerk):
    with acting_as(clerk), pytest.raises(NotAllowed, match="do not hold yourself"):
        transact(roles.clone_role, role_id=role("manager").id, name="Deputy")


def test_a_role_is_edited_in_the_version_it_was_read(ada):
    made = make_role("Night", "inventory:view")
    wanted = {"role_id": made.id, "name": "Late", "description": "After six", "grant_needs_approval": True}
    with acting_as(ada):
        assert transact(roles.edit_role, version=1, **wanted).version == 2
        with pytest.raises(Stale, match="Somebody else changed the role Late"):
            transact(roles.edit_role, version=1, **wanted)
    late = role("Late")
    assert (late.description, late.needs_factor, late.grant_needs_approval) == ("After six", False, True)


def test_a_built_in_role_keeps_its_name(ada):
    with acting_as(ada):
        with pytest.raises(Invalid) as refused:
            transact(roles.edit_role, role_id=role("manager").id, version=1, name="boss")
        assert refused.value.fields == {"name": "manager is a built-in role and keeps its name."}
        transact(roles.edit_role, role_id=role("manager").id, version=1, name="manager", description="Runs it")
    assert role("manager").description == "Runs it"


# What nobody may


CHANGES = {
    "edits": lambda r: transact(roles.edit_role, role_id=r.id, version=r.version, name=r.name, description="x"),
    "replaces": lambda r: transact(
        roles.set_permissions, role_id=r.id, version=r.version, permissions=["inventory:view"]
    ),
    "takes": lambda r: transact(roles.change_permissions, changes=[Change(r.id, r.version, [], ["inventory:adjust"])]),
    "deactivates": lambda r: transact(roles.deactivate_role, role_id=r.id, version=r.version),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@each_change
def test_nobody_touches_admin_not_even_the_system(ada, change):
    admin = role("admin")
    for actor in (ada, system_actor("night")):
        with acting_as(actor), pytest.raises(NotAllowed, match="admin always holds everything"):
            change(admin)
    assert contents("admin") == set(Permission)


def test_nobody_activates_admin_either(ada):
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "admin").values(active=False)))
    with acting_as(system_actor("night")), pytest.raises(NotAllowed, match="cannot be changed"):
        transact(roles.activate_role, role_id=role("admin").id, version=1)


@each_change
def test_nobody_changes_a_role_that_may_do_what_they_may_not(clerk, change, trail):
    with acting_as(clerk), pytest.raises(NotAllowed, match="This role may do what you may not"):
        change(role("manager"))
    assert contents("manager") == set(DEFAULT_ROLES["manager"][1])
    assert trail.last(actor_name="clare").outcome == "denied"


@pytest.mark.parametrize("path", ["set_permissions", "change_permissions"])
def test_nobody_adds_to_a_role_what_they_do_not_hold(clerk, path):
    plain = make_role("plain", "inventory:view")
    arguments = {
        "set_permissions": {"role_id": plain.id, "version": 1, "permissions": ["inventory:view", "audit:view"]},
        "change_permissions": {"changes": [Change(plain.id, 1, ["audit:view"], [])]},
    }[path]
    with acting_as(clerk), pytest.raises(NotAllowed, match="do not hold yourself: audit:view"):
        transact(getattr(roles, path), **arguments)
    assert contents("plain") == {"inventory:view"}


def test_a_delegated_permission_cannot_be_put_into_a_role(clerk, ann):
    from datetime import timedelta

    from inventory_app.models.approvals import Delegation
    from inventory_app.models.users import Permission as PermissionRow

    def build(session):
        id_ = session.exec(select(PermissionRow.id).where(PermissionRow.name == "suppliers:approve")).one()
        session.add(
            Delegation(from_user_id=ann.id, to_user_id=clerk.id, permission_id=id_, ends_at=now() + timedelta(days=1))
        )

    arrange(build)
    with acting_as(clerk):
        info = open_session()
        with info:
            assert (
                info.exec(select(UserInfo).where(UserInfo.user_id == clerk.id))
                .one()
                .has_permission("suppliers:approve", info)
            )
        with pytest.raises(NotAllowed, match="do not hold yourself: suppliers:approve"):
            transact(roles.create_role, name="Approver", permissions=["suppliers:approve"])


def test_nobody_extends_a_role_they_hold_themselves(ada):
    helper = make_role("helper", "inventory:view", grant_needs_approval=True)
    axel = person("axel", "admin", "helper")
    with acting_as(axel):
        with pytest.raises(NotAllowed, match="You hold the role helper yourself"):
            transact(roles.set_permissions, role_id=helper.id, version=1, permissions=["inventory:view", "audit:view"])
        with pytest.raises(NotAllowed, match="You hold the role helper yourself"):
            transact(roles.change_permissions, changes=[Change(helper.id, 1, ["audit:view"], [])])
        with pytest.raises(NotAllowed, match="You hold the role helper yourself"):
            transact(roles.edit_role, role_id=helper.id, version=1, name="helper")
        transact(roles.deactivate_role, role_id=helper.id, version=1)
        with pytest.raises(NotAllowed, match="You hold the role helper yourself"):
            transact(roles.activate_role, role_id=helper.id, version=2)
    with acting_as(ada):
        transact(roles.activate_role, role_id=helper.id, version=2)
    with acting_as(axel):
        transact(roles.set_permissions, role_id=helper.id, version=3, permissions=[])
    assert contents("helper") == set()


def test_sensitive_changes_ask_for_a_proof_in_the_last_minutes(ada, trail):
    from datetime import timedelta

    plain = make_role("plain", "inventory:view")
    stale = {"reauthenticated_at": now() - timedelta(hours=1)}
    arrange(lambda s: s.execute(sa.update(AuthSession).where(col(AuthSession.user_id) == ada.id).values(**stale)))
    attempts = [
        (roles.create_role, {"name": "x"}),
        (roles.clone_role, {"role_id": plain.id, "name": "x"}),
        (roles.edit_role, {"role_id": plain.id, "version": 1, "name": "x"}),
        (roles.set_permissions, {"role_id": plain.id, "version": 1, "permissions": []}),
        (roles.change_permissions, {"changes": [Change(plain.id, 1, [], ["inventory:view"])]}),
        (roles.deactivate_role, {"role_id": plain.id, "version": 1}),
        (roles.activate_role, {"role_id": plain.id, "version": 1}),
    ]
    with acting_as(ada):
        for operation, arguments in attempts:
            with pytest.raises(FreshProofRequired):
                transact(operation, **arguments)
    assert contents("plain") == {"inventory:view"}


# What a role contains


def test_replacing_permissions_counts_at_once_and_records_only_the_difference(ada, ann, trail):
    manager = role("manager")
    wanted = sorted(contents("manager") - {"prices:view"} | {"users:view"})
    with acting_as(ada):
        saved = transact(roles.set_permissions, role_id=manager.id, permissions=wanted, version=1, reason="Audit 11")
    assert saved.version == 2
    assert sorted((c.table, c.kind) for c in trail.changes()) == [
        ("role", "update"), ("role_permission", "delete"), ("role_permission", "insert")
    ]  # fmt: skip
    with acting_as(ann):
        assert read(users.list_users).page.rows
        with pytest.raises(NotAllowed):
            read(roles.role_matrix)


def test_unknown_permissions_are_named_and_nothing_is_changed(ada):
    manager = role("manager")
    with acting_as(ada):
        with pytest.raises(Invalid, match="There is no permission king:be, queen:be"):
            transact(roles.set_permissions, role_id=manager.id, permissions=["queen:be", "king:be"], version=1)
        with pytest.raises(Invalid, match="There is no permission king:be"):
            transact(roles.change_permissions, changes=[Change(manager.id, 1, ["king:be"], [])])
    assert contents("manager") == set(DEFAULT_ROLES["manager"][1])


def test_several_roles_change_together_or_not_at_all(ada):
    employee, auditor = role("employee"), role("auditor")
    give = Change(employee.id, 1, ["suppliers:create"], [])
    with acting_as(ada):
        with pytest.raises(Stale, match="the role auditor"):
            transact(roles.change_permissions, changes=[give, Change(auditor.id, 7, [], ["prices:view"])])
        assert "suppliers:create" not in contents("employee")
        saved = transact(roles.change_permissions, changes=[give, Change(auditor.id, 1, [], ["prices:view"])])
    assert [(one.name, one.version) for one in saved] == [("employee", 2), ("auditor", 2)]
    assert "suppliers:create" in contents("employee")
    assert "prices:view" not in contents("auditor")


def test_a_batch_that_means_nothing_is_refused(ada):
    employee = role("employee")
    same = Change(employee.id, 1, ["inventory:view"], [])
    with acting_as(ada):
        for changes in ([], [same, same], [Change(n + 1, 1, [], []) for n in range(201)]):
            with pytest.raises(Invalid, match="Change each of 1 to 200 roles once"):
                transact(roles.change_permissions, changes=changes)
        with pytest.raises(Conflict, match="employee already contains exactly that"):
            transact(roles.change_permissions, changes=[same])
        with pytest.raises(NotFound, match="no such role"):
            transact(roles.change_permissions, changes=[Change(4_711, 1, ["inventory:view"], [])])


def test_the_same_form_twice_is_one_change(ada, trail):
    wanted = {"role_id": role("employee").id, "permissions": ["inventory:view"], "version": 1}
    with acting_as(ada):
        first = transact(roles.set_permissions, **wanted, idempotency_key="k1")
        assert transact(roles.set_permissions, **wanted, idempotency_key="k1") == first
        with pytest.raises(KeyReused):
            transact(roles.set_permissions, **wanted | {"permissions": []}, idempotency_key="k1")
    assert len(trail.operations(name="roles.set_permissions", outcome="succeeded")) == 1


def test_a_role_that_is_not_there_is_said(ada):
    with acting_as(ada):
        for operation, arguments in (
            (roles.set_permissions, {"permissions": []}),
            (roles.deactivate_role, {}),
            (roles.edit_role, {"name": "x"}),
        ):
            with pytest.raises(NotFound, match="no such role"):
                transact(operation, role_id=4_711, version=1, **arguments)
        assert read(roles.role_detail, role_id=4_711) is None


# Whether a role counts


def test_a_deactivated_role_counts_for_nothing_until_it_is_activated(ada, ann):
    manager = role("manager")
    with acting_as(ada):
        transact(roles.deactivate_role, role_id=manager.id, version=1, reason="Suspected")
        with pytest.raises(Stale, match="already deactivated"):
            transact(roles.deactivate_role, role_id=manager.id, version=2)
    with acting_as(ann), pytest.raises(NotAllowed):
        read(roles.role_matrix)
    assert (
        arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == ann.id)).one().get_permissions(s)) == set()
    )
    with acting_as(ada):
        assert transact(roles.activate_role, role_id=manager.id, version=2).version == 3
    assert role("manager").active


# Deleting


def test_a_role_nobody_ever_held_is_deleted_and_stays_on_record(ada, trail):
    made = make_role("mistake", "inventory:view")
    with acting_as(ada):
        assert read(roles.role_detail, role_id=made.id).why_not_delete == ""
        assert transact(roles.delete_role, role_id=made.id, version=1, reason="Typing error") == "mistake"
    assert sorted((c.table, c.kind) for c in trail.changes()) == [("role", "delete"), ("role_permission", "delete")]
    with acting_as(ada):
        transact(roles.create_role, name="mistake")


def test_a_role_somebody_has_held_is_not_deleted_even_when_nobody_holds_it_now(ada, bob):
    made = make_role("once", "inventory:view")
    with acting_as(ada):
        transact(users.change_user_role, user_id=bob.id, role_name="once")
        transact(users.set_user_roles, user_id=bob.id, roles=[], version=2)
        with pytest.raises(NotAllowed, match="holds or has held once"):
            transact(roles.delete_role, role_id=made.id, version=1)
        for name in ("manager", "auditor"):
            with pytest.raises(NotAllowed, match="built-in"):
                transact(roles.delete_role, role_id=role(name).id, version=1)
        with pytest.raises(NotAllowed, match="cannot be changed"):
            transact(roles.delete_role, role_id=role("admin").id, version=1)
        with pytest.raises(Stale):
            transact(roles.delete_role, role_id=made.id, version=9)


def test_a_role_that_is_being_given_is_not_deleted(ada, bob, observer):
    made, axel = make_role("wanted", "inventory:view"), person("axel", "admin")
    give = acting(ada, users.change_user_role, user_id=bob.id, role_name="wanted")
    with Side(give, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(acting(axel, roles.delete_role, role_id=made.id, version=1)) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert "holds or has held" in str(other.error())


# What must be left


def weaken_admin(*permissions: str) -> None:
    """Take permissions from `admin` behind the application's back: what other roles hold counts then."""

    def take(session):
        admin = session.exec(select(Role).where(Role.name == "admin")).one()
        admin.set_permissions(set(Permission) - set(permissions), session)

    arrange(take)


@pytest.fixture
def keepers(ada):
    """Let only the roles `keeper` and `spare` hold `audit:view`, each with one holder who can pass it on."""
    weaken_admin("audit:view")
    arrange(
        lambda s: [
            s.exec(select(Role).where(Role.name == name)).one().set_permissions(["inventory:view"], s)
            for name in ("manager", "auditor")
        ]
    )
    make_role("keeper", *MANAGES, "audit:view", "users:assign_roles", "inventory:view")
    make_role("spare", *MANAGES, "audit:view", "users:assign_roles")
    return person("kim", "keeper"), person("sam", "spare")


LAST = r"Nobody would be left who can pass on “See the audit trail and check the books” \(audit:view\)"


def test_no_change_of_a_role_leaves_a_permission_without_somebody_who_can_pass_it_on(keepers, ada):
    kim, _ = keepers
    spare, keeper = role("spare"), role("keeper")
    with acting_as(kim):
        transact(roles.change_permissions, changes=[Change(spare.id, 1, [], ["audit:view"])])
        for leave in (
            lambda: transact(roles.change_permissions, changes=[Change(keeper.id, 1, [], ["audit:view"])]),
            lambda: transact(
                roles.set_permissions, role_id=keeper.id, version=1, permissions=sorted({*MANAGES, "inventory:view"})
            ),
            lambda: transact(
                roles.set_permissions, role_id=keeper.id, version=1, permissions=["audit:view", "inventory:view"]
            ),
            lambda: transact(roles.deactivate_role, role_id=keeper.id, version=1),
        ):
            with pytest.raises(NotAllowed, match=LAST):
                leave()
    with acting_as(system_actor("night")):
        with pytest.raises(NotAllowed, match=LAST):
            transact(users.deactivate_user, user_id=kim.id)
        with pytest.raises(NotAllowed, match=LAST):
            transact(users.change_user_role, user_id=kim.id, role_name="employee")
    assert "audit:view" in contents("keeper")


def test_a_holder_who_cannot_pass_it_on_does_not_count(keepers):
    kim, _ = keepers
    make_role("reader", "audit:view")
    person("rita", "reader")
    with acting_as(kim):
        transact(roles.change_permissions, changes=[Change(role("spare").id, 1, [], ["audit:view"])])
        with pytest.raises(NotAllowed, match=LAST):
            transact(roles.deactivate_role, role_id=role("keeper").id, version=1)


def test_either_way_of_passing_on_counts(keepers):
    kim, _ = keepers
    with acting_as(kim):
        transact(roles.change_permissions, changes=[Change(role("spare").id, 1, [], ["users:assign_roles"])])
        transact(roles.deactivate_role, role_id=role("keeper").id, version=1)
    assert role("keeper").active is False


def test_the_last_administrator_is_kept_by_the_same_rule(ada):
    assert arrange(lambda s: rules.standing(s).fault()) == ""
    arrange(lambda s: s.execute(sa.update(Role).where(col(Role.name) == "admin").values(active=False)))
    assert "last administrator" in arrange(lambda s: rules.standing(s).fault())


def test_the_rule_counts_what_the_database_counts(database):
    """By sets of roles the rule finds what `audit_holdings` finds person by person."""
    from inventory_app.models.users import HOLDINGS

    make_role("off", "audit:view", active=False)
    people = [("a", "manager", "off"), ("b", "employee", "accountant"), ("c",), ("d", "off"), ("e", "admin")]
    ids = {person(*names).id: names[1:] for names in people}

    def both(session):
        found = rules.standing(session)
        names = dict(session.exec(select(Role.name, Role.id)).all())
        mine = {
            id_: frozenset().union(*(found.contents.get(names[r], frozenset()) for r in roles_))
            for id_, roles_ in ids.items()
        }
        theirs: dict[int, set[str]] = {id_: set() for id_ in ids}
        for user_id, permission in session.execute(sa.select(HOLDINGS.c.user_id, HOLDINGS.c.permission)):
            theirs[user_id].add(permission)
        return mine, theirs

    mine, theirs = arrange(both)
    assert mine == theirs


# Two at the same moment


def acting(actor, operation, **arguments):
    def run():
        with acting_as(actor):
            return transact(operation, **arguments)

    return run


def test_of_a_removal_and_the_demotion_of_the_last_other_holder_exactly_one_succeeds(keepers, ada, observer):
    """Kim takes audit:view from the role of Sam while Sam demotes Kim: each alone leaves the other."""
    kim, _ = keepers
    remove = acting(kim, roles.change_permissions, changes=[Change(role("spare").id, 1, [], ["audit:view"])])
    demote = acting(system_actor("night"), users.change_user_role, user_id=kim.id, role_name="employee")
    with Side(remove, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(demote) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), NotAllowed)
            assert "Nobody would be left" in str(other.error())
    assert "audit:view" not in contents("spare")
    assert "audit:view" in contents("keeper")


def test_the_same_race_the_other_way_round(keepers, observer):
    kim, _ = keepers
    remove = acting(kim, roles.change_permissions, changes=[Change(role("spare").id, 1, [], ["audit:view"])])
    demote = acting(system_actor("night"), users.change_user_role, user_id=kim.id, role_name="employee")
    with Side(demote, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(remove) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert isinstance(other.error(), NotAllowed)
    assert "audit:view" in contents("spare")


def test_of_two_who_edit_one_role_at_once_the_second_is_told(ada, observer):
    axel, employee = person("axel", "admin"), role("employee")
    give = acting(ada, roles.change_permissions, changes=[Change(employee.id, 1, ["prices:view"], [])])
    take = acting(axel, roles.set_permissions, role_id=employee.id, version=1, permissions=["inventory:view"])
    with Side(give, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(take) as other:
            waiting = wait_until_blocked(observer, by=holder)
            assert locks_waited_for(observer, waiting) == [("advisory", "ExclusiveLock")]
            one.go_on()
            assert one.result()[0].version == 2
            assert isinstance(other.error(), Stale)
    assert contents("employee") == set(DEFAULT_ROLES["employee"][1]) | {"prices:view"}


def test_somebody_who_loses_the_permission_meanwhile_gives_nothing_any_more(ada, observer):
    """Ada takes audit:view from axel's role while he puts it into another one."""
    make_role("chief", *MANAGES, "audit:view")
    plain, axel = make_role("plain", "roles:view"), person("axel", "chief")
    take = acting(ada, roles.change_permissions, changes=[Change(role("chief").id, 1, [], ["audit:view"])])
    give = acting(axel, roles.change_permissions, changes=[Change(plain.id, 1, ["audit:view"], [])])
    with Side(take, until=before_commit()) as one:
        holder = one.reaches_its_point()
        with Side(give) as other:
            wait_until_blocked(observer, by=holder)
            one.go_on()
            assert one.error() is None
            assert "do not hold yourself: audit:view" in str(other.error())
    assert contents("plain") == {"roles:view"}


# The preview


def test_the_preview_counts_other_roles_and_names_people_in_order(ada, ann):
    person("bert", "employee")
    person("cleo", "employee", "manager")
    person("dora", "employee", enabled=False)
    employee, accountant = role("employee"), role("accountant")
    person("eve", "accountant")
    person("fay", "accountant", "manager")
    with acting_as(ada):
        seen = read(
            roles.preview_changes,
            changes=[
                Change(employee.id, 1, ["suppliers:create"], []),
                Change(accountant.id, 1, [], ["prices:view"]),
            ],
        )
    gains, loses = seen.effects
    assert (gains.permission, gains.gains, gains.roles, gains.people, gains.anyway) == (
        "suppliers:create", True, ["employee"], 1, 1
    )  # fmt: skip
    assert [(one.name, one.note) for one in gains.first] == [("Bert", ""), ("Cleo", "has it as manager")]
    assert (loses.label, loses.gains, loses.people, loses.anyway) == ("See costs and prices", False, 1, 1)
    assert [(one.name, one.note) for one in loses.first] == [("Eve", ""), ("Fay", "keeps it as manager")]
    assert seen.refused == []


def test_moving_a_permission_from_one_role_to_the_other_changes_nothing_for_who_holds_both(ada):
    person("both", "employee", "accountant")
    employee, accountant = role("employee"), role("accountant")
    with acting_as(ada):
        changes = [Change(employee.id, 1, ["prices:view"], []), Change(accountant.id, 1, [], ["prices:view"])]
        gains, loses = read(roles.preview_changes, changes=changes).effects
    assert (gains.people, gains.first[0].note) == (0, "has it as accountant")
    assert (loses.people, loses.first[0].note) == (0, "keeps it as employee")


def test_the_preview_of_one_role_says_what_changing_it_does(ada, ann):
    manager = role("manager")
    with acting_as(ada):
        seen = read(roles.preview_permissions, role_id=manager.id, permissions=["inventory:view", "users:view"])
        transact(roles.set_permissions, role_id=manager.id, permissions=["inventory:view", "users:view"], version=1)
    held = arrange(lambda s: s.exec(select(UserInfo).where(UserInfo.user_id == ann.id)).one().get_permissions(s))
    before = set(DEFAULT_ROLES["manager"][1])
    assert {one.permission for one in seen.effects if one.gains} == held - before
    assert {one.permission for one in seen.effects if not one.gains} == before - held


def test_a_role_that_is_switched_off_changes_nothing_for_anybody(ada, ann):
    manager = role("manager")
    with acting_as(ada):
        transact(roles.deactivate_role, role_id=manager.id, version=1)
        (effect,) = read(roles.preview_changes, changes=[Change(manager.id, 2, [], ["prices:view"])]).effects
    assert (effect.people, effect.anyway, effect.first) == (0, 0, [])


def test_the_preview_says_what_saving_would_be_refused_with(clerk, keepers):
    kim, _ = keepers
    with acting_as(clerk):
        seen = read(roles.preview_changes, changes=[Change(role("clerk").id, 1, ["audit:view"], [])])
    assert [sentence[:24] for sentence in seen.refused] == ["You cannot give what you", "You hold the role clerk "]
    with acting_as(kim):
        changes = [Change(role(name).id, 1, [], ["audit:view"]) for name in ("keeper", "spare")]
        (refused,) = read(roles.preview_changes, changes=changes).refused
        with pytest.raises(NotAllowed) as really:
            transact(roles.change_permissions, changes=changes)
    assert str(really.value) == refused


def lend_approving(absent, deputy) -> None:
    from datetime import timedelta

    from inventory_app.models.approvals import Delegation
    from inventory_app.models.users import Permission as PermissionRow

    def build(session):
        id_ = session.exec(select(PermissionRow.id).where(PermissionRow.name == "suppliers:approve")).one()
        day = now() + timedelta(days=1)
        session.add(Delegation(from_user_id=absent.id, to_user_id=deputy.id, permission_id=id_, ends_at=day))

    arrange(build)


def test_a_role_that_was_deleted_meanwhile_is_left_out_of_the_preview(ada):
    with acting_as(ada):
        seen = read(roles.preview_changes, changes=[Change(4711, 1, ["prices:view"], [])])
    assert (seen.effects, seen.refused) == ([], [])


def test_who_stands_in_for_somebody_who_keeps_it_through_another_role_loses_nothing(ada, ann, bob):
    both = person("both", "manager", "admin")
    lend_approving(ann, person("deputy"))
    lend_approving(both, bob)
    with acting_as(ada):
        changes = [Change(role("manager").id, 1, [], ["suppliers:approve"])]
        (effect,) = read(roles.preview_changes, changes=changes).effects
    assert (effect.people, effect.anyway, effect.deputies) == (1, 1, 1)


def test_who_stands_in_for_somebody_who_loses_it_loses_it_too(ada, ann, bob):
    lend_approving(ann, bob)
    with acting_as(ada):
        (effect,) = read(
            roles.preview_changes, changes=[Change(role("manager").id, 1, [], ["suppliers:approve"])]
        ).effects
    assert (effect.people, effect.deputies) == (1, 1)


# What is shown


def test_the_matrix_says_what_each_role_holds_how_many_hold_it_and_what_cannot_be_changed(clerk, ann):
    person("off", "manager", enabled=False)
    with acting_as(clerk):
        seen = read(roles.role_matrix)
    by_name = {one.name: one for one in seen.roles}
    assert [one.name for one in seen.roles][: len(DEFAULT_ROLES)] == list(DEFAULT_ROLES)
    assert (by_name["manager"].people, by_name["manager"].holds) == (1, DEFAULT_ROLES["manager"][1])
    assert "may do what you may not" in by_name["manager"].why_not
    assert (by_name["clerk"].why_not, by_name["clerk"].own) == ("", True)
    assert [line.name for line in seen.permissions] == [p.value for p in Permission]
    assert {line.name for line in seen.permissions if not line.why_not} == {
        *MANAGES, "inventory:view", "inventory:adjust"
    }  # fmt: skip
    assert seen.people == 3


def test_who_holds_a_role_is_read_page_by_page(ada):
    for number in range(70):
        person(f"p{number:02}", "employee", *(["auditor"] if number == 3 else []))
    employee = role("employee").id
    with acting_as(ada):
        first = read(roles.role_holders, role_id=employee)
        second = read(roles.role_holders, role_id=employee, cursor=first.after)
    assert [row.username for row in [*first.rows, *second.rows]] == [f"p{number:02}" for number in range(70)]
    assert first.rows[3].others == ["auditor"]
    assert (second.after, first.before) == ("", "")


def test_a_role_says_who_changed_it_last(ada):
    employee = role("employee")
    with acting_as(ada):
        transact(roles.set_permissions, role_id=employee.id, version=1, permissions=["inventory:view"])
        seen = read(roles.role_detail, role_id=employee.id)
    assert (seen.changed_by, seen.holders) == ("Ada", 0)
    assert seen.changed_at
