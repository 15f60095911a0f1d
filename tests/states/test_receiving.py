"""What the page of receiving answers to each of the three ways in which booking can fail."""

import re
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as
from inventory_app.states._unexpected import unexpected
from inventory_app.states.receiving import ReceiveState
from tests.operations.ordered import bolts
from tests.operations.shelf import Ledger
from tests.operations.test_receiving_faults import Unforeseen, full, unforeseen, unreadable
from tests.states.test_payments import tab
from tests.states.test_suppliers import said


@contextmanager
def at_statement(fragment, do):
    """Let something happen once a statement was run, on whichever thread the handler's operation runs."""

    def seen(_, __, statement, *___):
        if fragment in statement:
            do()

    sa.event.listen(sa.Engine, "after_cursor_execute", seen)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", seen)


@pytest.fixture
def order(ann):
    with acting_as(ann):
        return bolts(10)


@pytest.fixture
async def state(ann, order):
    return await tab(ReceiveState, ann, f"/orders/{order.id}/receive")


def form(state, order, quantity="4"):
    return {
        "order_id": str(order.id),
        f"quantity:{state.parts[0].key}": quantity,
        "idempotency_key": state.idempotency_key,
    }


def failures(log_lines):
    return [line for line in log_lines if line["event"] == "operation_failed"]


def test_the_form_begins_with_what_is_waited_for(state):
    assert [part.line.open for part in state.parts] == ["10"]


async def test_what_was_entered_is_said_beside_its_field_and_a_warning_in_the_log(state, order, log_lines):
    turn = state.turn
    assert await state.receive_goods(form(state, order, "11")) is None
    (name, sentence), *more = state.errors.items()
    assert (name, more, state.turn) == (f"quantity:{state.parts[0].key}", [], turn + 1)
    assert "10" in sentence
    (line,) = failures(log_lines)
    assert (line["log_level"], line["error_type"]) == ("warning", "InvalidRows")


async def test_a_database_that_cannot_is_said_as_that_and_an_error_in_the_log(state, order, log_lines):
    with at_statement("INSERT INTO goods_receipt_line", full):
        answer = await state.receive_goods(form(state, order))
    assert '["error"]' in said(answer)
    assert "database" in said(answer)
    assert "reference" not in said(answer)
    (line,) = failures(log_lines)
    assert (line["log_level"], line["error_type"]) == ("error", "DatabaseUnavailable")


@pytest.mark.parametrize(("fault", "kind"), [(unforeseen, Unforeseen), (unreadable, sa.exc.DBAPIError)])
async def test_what_nobody_foresaw_gives_a_reference_that_leads_to_the_operation(
    state, order, observer, log_lines, fault, kind
):
    """From the number that the person reads out to the line of the log, from that to the steps and to the trail."""
    with at_statement("INSERT INTO goods_receipt_line", fault), pytest.raises(kind) as raised:
        await state.receive_goods(form(state, order))
    told, release = unexpected(raised.value)
    (reference,) = re.findall(r"reference ([0-9a-f]{8})", said(told))
    assert "inventoryRelease" in said(release)
    (line,) = [line for line in log_lines if line.get("reference") == reference]
    assert (line["event"], line["log_level"], line["operation"]) == (
        "unexpected_error",
        "error",
        "receiving.receive_goods",
    )
    operation_id = line["operation_id"]
    assert [one["operation_id"] for one in failures(log_lines)] == [operation_id]
    steps = [one["step"] for one in log_lines if one["event"] == "receiving_step"]
    assert steps[:2] == ["order_locked", "products_locked"]
    assert {one["operation_id"] for one in log_lines if one["event"] == "receiving_step"} == {operation_id}
    (kept,) = Ledger(observer).rows("SELECT name, outcome FROM audit_operation WHERE id = %s::uuid", [operation_id])
    assert (kept.name, kept.outcome) == ("receiving.receive_goods", "failed")
    # The same form again, with the same key: it was not done, and is done now.
    assert "received for" in said(await state.receive_goods(form(state, order)))


async def test_what_failed_outside_an_operation_names_none(log_lines):
    (told, _) = unexpected(ZeroDivisionError())
    assert "reference" in said(told)
    (line,) = [line for line in log_lines if line["event"] == "unexpected_error"]
    assert "operation_id" not in line
