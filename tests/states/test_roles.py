"""The pages of roles: the matrix, what is changed and not saved, and what others save meanwhile."""

import pytest
import reflex as rx
from reflex.istate.data import RouterData

from inventory_app.context import acting_as
from inventory_app.operations import roles
from inventory_app.operations.roles import Change
from inventory_app.permissions import DEFAULT_ROLES, Permission
from inventory_app.states import _guard
from inventory_app.states.auth import AuthState
from inventory_app.states.explain import ExplainState, PersonState
from inventory_app.states.roles import MOST_COLUMNS, PATH, RolesState
from inventory_app.unit_of_work import read, transact
from tests.factories import person, role, supplier
from tests.fixtures.server import Site
from tests.fixtures.tab import Tab
from tests.states.test_suppliers import said


async def tab(kind, actor, address="", path=PATH, held="admin"):
    """Open a State of a fresh tab at an address, every event of it sent by `actor`."""
    _guard._event_actor.set(actor)
    root = rx.State()
    state = await root.get_state(kind)
    auth = await root.get_state(AuthState)
    auth.permissions = dict.fromkeys(DEFAULT_ROLES[held][1], True)
    at(state, address, path)
    await state.load()
    return state


def at(state, address, path=PATH):
    headers = {"origin": "http://testserver"}
    state.router = RouterData.from_router_data({"pathname": path, "asPath": path + address, "headers": headers})


def id_of(actor, name):
    with acting_as(actor):
        return next(one for one in read(roles.role_matrix).roles if one.name == name)


def cell(state, name, permission):
    index = [column.name for column in state.columns].index(name)
    return next(row.codes[index] for row in state.rows if row.key == permission)


async def test_the_matrix_shows_every_role_and_what_cannot_be_changed(ada, ann):
    state = await tab(RolesState, ada)
    assert [column.name for column in state.columns] == list(DEFAULT_ROLES)
    assert [row.key for row in state.rows if not row.heading] == [p.value for p in Permission]
    assert state.sub == f"{len(DEFAULT_ROLES)} roles, {len(Permission)} permissions, 2 people who can sign in"
    assert cell(state, "admin", "audit:view") == "t"
    assert cell(state, "manager", "audit:view") == "1"
    assert cell(state, "employee", "audit:view") == "0"
    sums = {row.key: row.sums for row in state.rows if row.heading}
    assert sums["Suppliers"] == ["all", "4 of 5", "1 of 5", "1 of 5", "1 of 5", "none"]


async def test_whoever_may_only_look_cannot_press(ada):
    state = await tab(RolesState, person("axel", "auditor"), held="auditor")
    assert set("".join(row.codes for row in state.rows)) == {"t", "f"}


async def test_searching_filtering_and_folding(ada):
    state = await tab(RolesState, ada, "?q=ENTER&role=man")
    assert [row.key for row in state.rows] == ["Suppliers", "suppliers:create"]
    assert [column.name for column in state.columns] == ["manager"]
    at(state, "?category=Prices")
    await state.load()
    assert [row.key for row in state.rows] == ["Prices", "prices:view", "prices:update"]
    at(state, "?show=differ&role=a")
    await state.load()
    assert "suppliers:view" not in [row.key for row in state.rows]
    at(state, "?category=nothing&show=nothing&from=x")
    await state.load()
    assert (state.category, state.only, len(state.columns)) == ("", "all", len(DEFAULT_ROLES))
    await state.fold("Stock")
    assert "inventory:view" not in [row.key for row in state.rows]
    await state.fold("Stock")
    assert "inventory:view" in [row.key for row in state.rows]


async def test_more_roles_than_one_can_compare_come_in_parts(ada):
    for number in range(MOST_COLUMNS):
        role(f"r{number:02}")
    state = await tab(RolesState, ada)
    assert (len(state.columns), state.columns_note) == (
        MOST_COLUMNS,
        f"Roles 1 to 24 of {MOST_COLUMNS + len(DEFAULT_ROLES)}",
    )
    at(state, state.next_href.removeprefix(PATH))
    await state.load()
    assert (len(state.columns), state.next_href, state.previous_href) == (len(DEFAULT_ROLES), "", PATH)


async def test_a_pressed_cell_is_marked_previewed_and_saved(ada, ann):
    person("bert", "employee")
    employee, accountant = id_of(ada, "employee"), id_of(ada, "accountant")
    state = await tab(RolesState, ada)
    assert "preview" in said(await state.toggle(employee.id, "suppliers:create"))
    await state.toggle(accountant.id, "prices:view")
    await state.preview()
    assert (cell(state, "employee", "suppliers:create"), cell(state, "accountant", "prices:view")) == ("+", "-")
    assert [(one.gains, one.summary) for one in state.effects] == [
        (True, "1 person gains it"), (False, "Nobody loses it")
    ]  # fmt: skip
    assert next(row.sums[2] for row in state.rows if row.key == "Suppliers") == "1 → 2 of 5"
    answer = said(await state.save({"reason": "Audit", "idempotency_key": state.idempotency_key}))
    assert "Saved 2 changes to accountant and employee" in answer or "to employee and accountant" in answer
    assert (state.changed, state.effects) == (0, [])
    assert "suppliers:create" in id_of(ada, "employee").holds
    assert "prices:view" not in id_of(ada, "accountant").holds


async def test_pressing_again_takes_the_change_back_and_discard_takes_all(ada):
    employee = id_of(ada, "employee")
    state = await tab(RolesState, ada)
    await state.toggle(employee.id, "prices:view")
    await state.toggle(employee.id, "prices:view")
    await state.preview()
    assert (state.changed, state.effects, cell(state, "employee", "prices:view")) == (0, [], "0")
    await state.toggle(employee.id, "prices:view")
    await state.discard()
    assert (state.changed, cell(state, "employee", "prices:view")) == (0, "0")


@pytest.mark.parametrize(
    ("name", "permission", "sentence"),
    [
        ("admin", "audit:view", "admin always holds everything"),
        ("nobody", "audit:view", ""),
        ("employee", "king:be", ""),
    ],
)
async def test_a_cell_that_cannot_be_changed_says_why(ada, name, permission, sentence):
    state = await tab(RolesState, ada)
    found = next((column.id for column in state.columns if column.name == name), 0)
    answer = await state.toggle(found, permission)
    assert state.changed == 0
    assert (sentence in said(answer)) if sentence else answer is None


async def test_what_somebody_else_saved_meanwhile_is_said_and_the_rest_is_kept(ada):
    axel, employee = person("axel", "admin"), id_of(ada, "employee")
    state = await tab(RolesState, ada)
    await state.toggle(employee.id, "prices:view")
    await state.toggle(employee.id, "suppliers:create")
    with acting_as(axel):
        changes = [Change(employee.id, 1, ["suppliers:create"], ["inventory:adjust"])]
        transact(roles.change_permissions, changes=changes)
    answer = said(await state.save({"idempotency_key": state.idempotency_key}))
    assert "Somebody else changed the role employee" in answer
    assert "RolesState.load" in answer
    await state.load()
    assert state.conflicts == ["Axel changed employee: added suppliers:create and took away inventory:adjust."]
    assert (state.changed, cell(state, "employee", "prices:view")) == (1, "+")
    state._new_form()
    assert "Saved 1 change to employee" in said(await state.save({"idempotency_key": state.idempotency_key}))
    assert "inventory:adjust" not in id_of(ada, "employee").holds
    assert state.conflicts == []


async def test_a_refused_save_keeps_what_is_changed(ada):
    """Nothing is lost on the way to the page that asks for a fresh proof, nor by a rule."""
    from datetime import timedelta

    import sqlalchemy as sa
    from sqlmodel import col

    from inventory_app.models._base import now
    from inventory_app.models.users import AuthSession
    from tests.factories import arrange

    state = await tab(RolesState, ada)
    await state.toggle(id_of(ada, "employee").id, "prices:view")
    stale = {"reauthenticated_at": now() - timedelta(hours=1)}
    arrange(lambda s: s.execute(sa.update(AuthSession).where(col(AuthSession.user_id) == ada.id).values(**stale)))
    assert "/confirm?next=/admin/roles" in said(await state.save({"idempotency_key": "k"})).replace("%2F", "/")
    await state.load()
    assert (state.changed, cell(state, "employee", "prices:view")) == (1, "+")


async def test_the_page_of_a_role_shows_who_holds_it(ada, ann):
    manager = id_of(ada, "manager")
    state = await tab(RolesState, ada, path=f"{PATH}/{manager.id}")
    assert (state.role_name, [line.name for line in state.holders]) == ("manager", ["Ann"])
    assert state.history_href == f"/audit?q=record%3Arole%2F{manager.id}"
    assert [len(row.codes) for row in state.rows if not row.heading] == [1] * len(Permission)
    await state.open_holders("suppliers:approve")
    assert (state.dialog, [line.note for line in state.having]) == ("holders", ["admin", "manager"])
    for missing in ("4711", "x", "99999999999999999999"):
        at(state, "", f"{PATH}/{missing}")
        await state.load()
        assert state.role is None or missing != "4711"


async def test_dialogs_make_copy_edit_and_switch_off_roles(ada):
    state = await tab(RolesState, ada)
    await state.open_create()
    assert state.dialog == "create"
    await state.create_role({"name": "a, b"})
    assert (set(state.errors), state.dialog) == ({"name"}, "create")
    made = said(await state.create_role({"name": "Night", "needs_factor": "on", "idempotency_key": "k1"}))
    night = id_of(ada, "Night")
    assert f"{PATH}/{night.id}" in made
    assert night.needs_factor
    await state.load()
    await state.open_edit(night.id)
    assert (state.dialog, state.asked.name) == ("edit", "Night")
    await state.edit_role({"role_id": str(night.id), "version": "1", "name": "Late"})
    await state.load()
    await state.open_clone(night.id)
    await state.clone_role({"role_id": str(night.id), "name": "Copy of Late"})
    assert id_of(ada, "Copy of Late").holds == frozenset()
    await state.load()
    await state.open_deactivate(night.id)
    assert "Late counts for nothing now" in said(await state.deactivate_role(night.id, 2, state.idempotency_key))
    assert "Late counts again" in said(await state.activate_role(night.id, 3, "k3"))
    await state.open_edit(4_711)
    assert state.dialog == ""
    assert "meantime" in said(await state.set_permissions(night.id, [], 1))
    assert "Saved what Late may do" in said(await state.set_permissions(night.id, ["audit:view"], 4))


async def test_a_person_is_explained(ada, ann):
    state = await tab(PersonState, ada, "?why=users:manage", f"/admin/users/{ann.id}")
    assert (state.name, state.held) == ("Ann", len(DEFAULT_ROLES["manager"][1]))
    assert state.answer.why[0].startswith("Ann does not hold the permission “Invite")
    await state.ask("suppliers:approve")
    assert state.answer.can
    await state.ask("king:be")
    assert state.answer is None
    at(state, "", "/admin/users/x")
    await state.load()
    assert (state.person, state.name) == (None, "")


async def test_why_cant_they_is_answered_about_a_supplier(ada, ann):
    wanted = supplier("Pavlova, Ltd.", source="staff", entered_by=ann.id)
    address = f"?can=suppliers:approve&supplier={wanted.id}&q=ann"
    state = await tab(ExplainState, ada, address, "/admin/explain")
    assert (state.subject, [one.why for one in state.answers]) == (
        "Pavlova, Ltd.", [["Ann would read: “You entered this supplier, so somebody else must approve it.”"]]
    )  # fmt: skip
    assert "supplier" not in said(await state.choose("audit:view"))
    assert f"supplier={wanted.id}" in said(await state.search("bob"))
    at(state, "?can=x&supplier=4711", "/admin/explain")
    await state.load()
    assert (state.permission, state.subject) == ("suppliers:approve", "")


# Over the real websocket


async def test_a_change_reaches_an_open_tab_of_who_loses_it(site: Site):
    """Ada takes from a role what its holder needs for the page they have open: what they do next is refused."""
    made = role("watchers", "roles:view", "inventory:view")
    watcher, ada = site.person("wanda", "watchers"), site.signed_in(site.person("ada", "admin"))
    async with Tab(site.signed_in(watcher), PATH) as theirs, Tab(ada, PATH) as hers:
        await theirs.go(f"{PATH}?role=watchers")
        assert "watchers" in theirs.text
        await hers.go(f"{PATH}?role=watchers")
        answer = await hers.call(RolesState.toggle, role_id=made, permission="roles:view")
        effects = next(value for name, value in answer.vars().items() if name.endswith("roles_state.effects"))
        assert [one["summary"] for one in effects] == ["1 person loses it"]
        saved = await hers.call(RolesState.save, form={"reason": "test", "idempotency_key": "w1"})
        assert any("Saved 1 change to watchers" in sentence for sentence in saved.said)
        assert any("roles:view" in sentence for sentence in (await theirs.call(RolesState.search, text="x")).said)


async def test_what_one_tab_has_not_saved_another_does_not_see(site: Site):
    made = role("quiet", "inventory:view")
    ada = site.signed_in(site.person("ada", "admin"))
    async with Tab(ada, PATH) as one, Tab(ada, PATH) as other:
        for each in (one, other):
            await each.go(f"{PATH}?role=quiet")
        await one.call(RolesState.toggle, role_id=made, permission="audit:view")
        again = await other.call(RolesState.load)
        assert "+" not in "".join(row["codes"] for row in again.vars()["roles_state.rows"])


async def test_what_a_role_asks_for_is_taken_off_once_somebody_else_agrees_and_the_page_says_so(ada, ann):
    manager = id_of(ada, "manager")
    state = await tab(RolesState, ada, path=f"{PATH}/{manager.id}")

    def form(version, **asks):
        given = {"role_id": manager.id, "version": version, "name": "manager", "description": manager.description}
        return given | asks | {"idempotency_key": state.idempotency_key}

    assert "Saved manager" in said(await state.edit_role(form(1, grant_needs_approval=True)))
    assert "What it no longer shall ask for waits" in said(await state.edit_role(form(2)))
    await state.load()
    assert state.waits == (
        "Somebody asked that it shall be given without agreement. That waits until somebody else agrees."
    )
    assert state.role.grant_needs_approval


async def test_a_role_that_needs_agreement_counts_again_once_somebody_else_agrees(ada, ann):
    manager = id_of(ada, "manager")
    state = await tab(RolesState, ada, path=f"{PATH}/{manager.id}")
    with acting_as(ada):
        transact(
            roles.edit_role, role_id=manager.id, version=1, name="manager", description=manager.description,
            grant_needs_approval=True,
        )  # fmt: skip
    assert "counts for nothing now" in said(await state.deactivate_role(manager.id, 2))
    assert "counts again once somebody else has agreed" in said(await state.activate_role(manager.id, 3))
    await state.load()
    assert (state.role.active, "count again" in state.waits) == (False, True)


async def test_a_way_around_what_roles_ask_for_is_said_before_it_is_saved(ada):
    employee, manager = id_of(ada, "employee"), id_of(ada, "manager")
    with acting_as(ada):
        transact(
            roles.edit_role, role_id=manager.id, version=1, name="manager", description=manager.description,
            needs_factor=True,
        )  # fmt: skip
    state = await tab(RolesState, ada)
    await state.toggle(employee.id, "suppliers:create")
    await state.preview()
    (refused,) = state.refused
    assert refused.startswith("Only roles that need a second factor give “Enter a supplier” (suppliers:create)")
    assert refused.endswith("employee must ask for the same.")


async def test_admin_is_edited_only_for_its_second_factor(ada):
    admin = id_of(ada, "admin")
    state = await tab(RolesState, ada, path=f"{PATH}/{admin.id}")
    assert (state.role.fixed, state.role.why_not_edit, bool(state.role.why_not)) == (True, "", True)
    given = {"role_id": admin.id, "version": 1, "name": "admin", "idempotency_key": state.idempotency_key}
    assert "cannot be changed" in said(await state.edit_role(given | {"description": "x"}))
    saved = await state.edit_role(given | {"description": admin.description, "needs_factor": True})
    assert "Saved admin" in said(saved)
