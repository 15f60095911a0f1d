"""The approval dashboard's and the people page's handlers: what they show, answer, and where they lead."""

import pytest
import reflex as rx
from reflex.istate.data import RouterData
from reflex_base.event import Event

from inventory_app.context import acting_as
from inventory_app.operations import suppliers, users
from inventory_app.states import _guard
from inventory_app.states.suppliers import PATH, SupplierState
from inventory_app.states.users import UserMgmtState
from inventory_app.unit_of_work import read
from tests.factories import person, supplier


async def tab(kind, actor, address=""):
    """Open a State of a fresh tab at an address, every event of it sent by `actor`."""
    _guard._event_actor.set(actor)
    state = await rx.State().get_state(kind)
    at(state, address)
    await state.load()
    return state


def at(state, address):
    path = PATH if isinstance(state, SupplierState) else "/admin/users"
    headers = {"origin": "http://testserver"}
    state.router = RouterData.from_router_data({"pathname": path, "asPath": path + address, "headers": headers})


def said(events):
    """Return the toasts and addresses in what a handler returned, as text."""
    listed = events if isinstance(events, list) else [events]
    texts = {rx.event.EventSpec: lambda spec: str(spec.args), Event: lambda event: str(event.payload)}
    return " ".join(texts.get(type(event), lambda handler: handler.fn.__qualname__)(event) for event in listed)


def decision(state, **changes):
    sent = {
        "supplier_id": state.detail.id,
        "version": state.detail.version,
        "decision": "approved",
        "reason": "",
        "idempotency_key": state.idempotency_key,
    }
    return state.decide(sent | changes)


def queue_of(number):
    return [supplier(f"Company {letter}").id for letter in "ABCDEFG"[:number]]


def status_of(actor, supplier_id):
    with acting_as(actor):
        return read(suppliers.supplier_detail, supplier_id=supplier_id).status


# The approval dashboard


async def test_the_address_chooses_the_supplier_its_neighbours_and_the_view(ann):
    first, second, third = queue_of(3)
    state = await tab(SupplierState, ann, f"?id={second}&q=company&order=newest")
    assert (state.detail.id, state.position, state.chosen) == (second, "2 of 3", True)
    assert state.previous_href == f"{PATH}?q=company&order=newest&id={third}"
    assert state.next_href == f"{PATH}?q=company&order=newest&id={first}"
    assert state.order_href == f"{PATH}?q=company"
    assert state.rest == "&q=company&order=newest"


async def test_without_a_choice_the_first_is_shown_but_not_chosen(ann):
    first, second = queue_of(2)
    state = await tab(SupplierState, ann)
    assert (state.detail.id, state.chosen, state.previous_href) == (first, False, "")
    assert state.next_href == f"{PATH}?id={second}"


@pytest.mark.parametrize(
    "address", ["?id=x&order=sideways&q=%00", "?id=-1", "?id=99999999999999999999", f"?q={'x' * 9_999}"]
)
async def test_an_address_that_is_none_of_ours_is_no_error(address, ann):
    queue_of(1)
    state = await tab(SupplierState, ann, address)
    assert (state.loading, state.order, state.chosen) == (False, "oldest", False)


async def test_a_supplier_that_is_not_there_is_said(ann):
    state = await tab(SupplierState, ann, "?id=4711")
    assert (state.chosen, state.detail) == (True, None)


async def test_a_decided_supplier_has_no_neighbours(ann):
    queue_of(2)
    done = supplier("Done", status="approved").id
    state = await tab(SupplierState, ann, f"?id={done}")
    assert (state.detail.status, state.position, state.previous_href, state.next_href) == ("approved", "", "", "")


async def test_deciding_leads_to_the_next_then_the_one_before_then_nobody(ann):
    first, second, third = queue_of(3)
    state = await tab(SupplierState, ann, f"?id={second}")
    key = state.idempotency_key
    answer = said(await decision(state))
    assert "Approved Company B" in answer
    assert f"{PATH}?id={third}" in answer
    assert state.idempotency_key != key
    at(state, f"?id={third}")
    await state.load()
    answer = said(await decision(state, decision="rejected", reason="Too far"))
    assert "Rejected Company C" in answer
    assert f"{PATH}?id={first}" in answer
    at(state, "")
    await state.load()
    # The address stays the same, so nothing would load by itself.
    assert "SupplierState.load" in said(await decision(state))
    assert [status_of(ann, id_) for id_ in (first, second, third)] == ["approved", "approved", "rejected"]


async def test_a_refused_decision_keeps_the_form_and_frees_the_buttons(ann):
    (only,) = queue_of(1)
    state = await tab(SupplierState, ann)
    turn, key = state.turn, state.idempotency_key
    await decision(state, decision="rejected")
    assert state.errors["reason"].startswith("Say why it is rejected")
    assert (state.turn, state.idempotency_key) == (turn + 1, key)
    assert status_of(ann, only) == "pending"


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "suspended"},
        {"supplier_id": "x"},
        {"supplier_id": None},
        {"version": 1.5},
        {"reason": ["a"]},
        {"reason": "x" * 2_001},
        {"reason": "NUL \0"},
        {"status": "approved"},
    ],
)
async def test_a_payload_that_is_none_of_ours_is_refused_beside_its_field(changes, ann):
    (only,) = queue_of(1)
    state = await tab(SupplierState, ann)
    await decision(state, **changes)
    assert set(state.errors) == set(changes)
    assert status_of(ann, only) == "pending"


async def test_the_dialogs_open_with_a_key_of_their_own_and_close(ann):
    queue_of(1)
    state = await tab(SupplierState, ann)
    keys = {state.idempotency_key}
    await state.open_enter()
    keys.add(state.idempotency_key)
    assert state.dialog == "enter"
    await state.close(is_open=True)
    assert state.dialog == "enter"
    await state.close(is_open=False)
    await state.open_decision("rejected")
    keys.add(state.idempotency_key)
    assert (state.dialog, len(keys)) == ("rejected", 3)


async def test_entering_a_supplier_shows_it_and_that_somebody_else_decides(ann):
    state = await tab(SupplierState, ann)
    assert (state.rows, state.detail) == ([], None)
    await state.open_enter()
    await state.create_supplier({"name": "Pavlova, Ltd.", "phone": "call me"})
    assert (set(state.errors), state.dialog) == ({"phone"}, "enter")
    answer = said(await state.create_supplier({"name": "Pavlova, Ltd.", "idempotency_key": state.idempotency_key}))
    assert "Entered Pavlova, Ltd." in answer
    at(state, "")
    await state.load()
    assert (state.dialog, state.rows[0].own, state.detail.why_not[:16]) == ("", True, "You entered this")


async def test_searching_changes_the_address(ann):
    state = await tab(SupplierState, ann, "?order=newest")
    assert f"{PATH}?q=a+%26+b&order=newest" in said(await state.search("a & b"))


# People


def row_of(state, username):
    return next(row for row in state.rows if row.username == username)


async def test_the_list_says_who_waits_and_who_is_disabled(ada):
    person("waits", "employee", enabled=False)
    state = await tab(UserMgmtState, ada)
    assert (state.everybody, state.waiting, state.disabled) == (2, 1, 0)
    assert (row_of(state, "waits").status, row_of(state, "ada").status) == ("waiting", "active")
    assert row_of(state, "ada").why_not_roles == "You cannot change your own roles. Ask another administrator."
    at(state, "?tab=waiting&role=employee&q=WAI")
    await state.load()
    assert [row.username for row in state.rows] == ["waits"]
    assert [(chip.label, chip.operator, chip.value, chip.off) for chip in state.chips] == [
        ("Role", "is", "employee", "/admin/users?q=WAI&tab=waiting")
    ]


async def test_letting_in_and_shutting_out(ada):
    carl = person("carl", "employee", enabled=False)
    state = await tab(UserMgmtState, ada)
    assert "Let Carl in" in said(await state.enable_user(carl.id, f"{state.idempotency_key}-{carl.id}"))
    await state.load()
    assert row_of(state, "carl").status == "active"
    await state.open_disable(carl.id)
    assert (state.dialog, state.person.name) == ("disable", "Carl")
    assert "Disabled Carl" in said(await state.deactivate_user(carl.id, state.idempotency_key))
    await state.load()
    assert (row_of(state, "carl").status, state.dialog) == ("disabled", "")


async def test_the_ticked_boxes_become_the_roles(ada):
    carl = person("carl", "employee")
    state = await tab(UserMgmtState, ada)
    await state.open_roles(carl.id)
    assert [(box.name, box.held) for box in state.boxes if box.held] == [("employee", True)]
    sent = {"user_id": str(carl.id), "version": "1", "role:manager": "on", "role:auditor": "on"}
    assert "Carl is now" in said(await state.set_roles(sent | {"idempotency_key": state.idempotency_key}))
    await state.load()
    assert row_of(state, "carl").roles == ["auditor", "manager"]
    assert "meantime" in said(await state.set_roles(sent))
    assert "has no role now" in said(await state.set_roles({"user_id": carl.id, "version": 2}))


@pytest.mark.parametrize("sent", [{"role:nothing": "on"}, {"roles": "admin"}, {"is_admin": True}, {"version": None}])
async def test_roles_that_are_none_of_ours_are_refused(sent, ada):
    carl = person("carl", "employee")
    state = await tab(UserMgmtState, ada)
    await state.set_roles({"user_id": carl.id, "version": 1} | sent)
    assert state.errors
    with acting_as(ada):
        assert row_of(state, "carl").roles == ["employee"]
        assert {row.username: row.roles for row in read(users.list_users).page.rows}["carl"] == ["employee"]


async def test_dialogs_about_people_who_are_not_listed_stay_shut(ada):
    state = await tab(UserMgmtState, ada)
    await state.open_roles(4_711)
    await state.open_disable(4_711)
    assert state.dialog == ""
    await state.open_roles(ada.id)
    await state.close(is_open=False)
    assert state.dialog == ""
    assert "/admin/users?q=ada" in said(await state.search("ada"))


async def test_the_names_of_the_specification_work(ada):
    carl = person("carl", "employee")
    waiting = supplier("Pavlova, Ltd.").id
    state = await tab(UserMgmtState, ada)
    assert "Carl is now manager" in said(await state.change_user_role(carl.id, "manager"))
    assert "Approved Pavlova, Ltd." in said(await state.approve_supplier(waiting))
    assert "Ada approved this supplier on" in said(await state.approve_supplier(waiting))
    assert "There is no such person" in said(await state.deactivate_user(4_711))
