"""What nobody means, in every field of the operations of purchasing: refused in words, and nothing is written."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as
from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.operations import invoices, orders, payments, receiving
from inventory_app.operations._invoice_fields import LineIn
from inventory_app.operations._order_lines import LineInput
from inventory_app.operations._payment_rules import Allocation
from inventory_app.operations._receipt_lines import Back, Came
from inventory_app.operations.orders import Head
from inventory_app.unit_of_work import open_session, transact
from tests.factories import person
from tests.operations.ordered import bolts, came
from tests.operations.payables import account, invoice

D = Decimal
Calls = list[tuple[Any, dict[str, Any]]]
#: No amount, quantity, cost, rate or percentage.
NUMBERS = [
    D("NaN"),
    D("sNaN"),
    D("Infinity"),
    D("-1"),
    D("1e999"),
    D("1e999999"),
    D("1e-999"),
    D("9" * 40),
    D("0.00000000001"),
]
IDS = [0, -1, 2**31, 2**63, 2**70]
DAYS = [date.max, date.min]
#: Texts that cannot be kept: not storable, not visible, far too long.
TEXTS = ["a\0b", "\ud800", "a\x1bb", "a\u202eb", "x" * 1_000_000]
TABLES = ("purchase_order", "purchase_order_line", "goods_receipt", "supplier_invoice", "payment", "payment_batch")


@pytest.fixture
def there(database):
    """Return an order that is with its supplier, with goods that came for it and an invoice that can be paid."""
    mona = person("mona", "admin")
    with acting_as(mona):
        order = bolts(10)
        came(order, 4)
    supplier = supplier_of(order.id)
    account(supplier)
    due = invoice(supplier, 100, "R-1")
    return {"mona": mona, "order": order, "supplier": supplier, "invoice": due.id or 0}


def supplier_of(order_id: int) -> int:
    with open_session() as session:
        return session.execute(
            sa.text("SELECT supplier_id FROM purchase_order WHERE id = :id"), {"id": order_id}
        ).scalar_one()


def counted() -> list[int]:
    """Return how many rows there are of what purchasing writes."""
    with open_session() as session:
        return [session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES]


def each(good: Any, **fields: list[Any]) -> list[Any]:
    """Return the same with one field after the other spoiled."""
    return [replace(good, **{name: bad}) for name, values in fields.items() for bad in values]


def of_orders(there: dict[str, Any]) -> Calls:
    """Return every call about writing and moving orders that must be refused."""
    order, supplier = there["order"], there["supplier"]
    calls: Calls = []
    head = Head(supplier, order.location)
    line = LineInput(D(1), description="Repair", unit_cost=D(1))
    heads = each(
        head, supplier_id=IDS, location_id=IDS, expected_on=DAYS, payment_days=[-1, 2**70], note=TEXTS, message=TEXTS
    )
    heads += each(replace(head, currency="EUR"), rate=[*NUMBERS[:8], D(0)]) + each(head, currency=["€", "EURO", "a\0b"])
    calls += [(orders.create_order, {"head": one, "lines": [line]}) for one in heads]
    lines = each(line, quantity=[*NUMBERS, D(0)], unit_cost=NUMBERS, tax_percent=[*NUMBERS, D(101)], description=TEXTS)
    lines += each(line, product_id=[-1, 2**31, 2**63, 2**70], sku=["nothing", *TEXTS], expected_on=DAYS)
    calls += [(orders.create_order, {"head": head, "lines": [one]}) for one in lines]
    calls.append((orders.create_order, {"head": head, "lines": [line] * 10_000}))
    # No line is too large by itself.
    calls.append((orders.create_order, {"head": head, "lines": [replace(line, unit_cost=D("999999999"))] * 500}))
    calls += [(orders.copy_order, {"order_id": one}) for one in IDS]
    for step in (orders.submit_order, orders.place_order, orders.close_order, orders.approve_order):
        calls += [(step, {"order_id": one, "version": 1}) for one in IDS]
        calls += [(step, {"order_id": order.id, "version": one}) for one in (-1, 2**70)]
    calls += [(orders.cancel_order, {"order_id": order.id, "version": 2, "reason": one}) for one in TEXTS]
    calls += [(orders.give_up_rest, {"order_id": order.id, "version": 2, "reason": one}) for one in TEXTS]
    calls += [
        (orders.give_up_rest, {"order_id": order.id, "version": 2, "line_ids": [one], "reason": "x"})
        for one in (-1, 2**70)
    ]
    return calls


def of_receipts(there: dict[str, Any]) -> Calls:
    """Return every call about receiving that must be refused."""
    order = there["order"]
    calls: Calls = []
    got = Came(order.lines[0], D(1))
    comes = [
        [one]
        for one in each(got, line_id=IDS, quantity=[*NUMBERS, D(0)], location_id=[-1, 2**63, 2**70], lot_code=["a\0b"])
    ]
    calls += [
        (receiving.receive_goods, {"order_id": order.id, "lines": one})
        for one in [*comes, [], [got] * 10_000, [got, got] * 50]
    ]
    calls += [(receiving.receive_goods, {"order_id": one, "lines": [got]}) for one in IDS]
    calls += [(receiving.receive_goods, {"order_id": order.id, "lines": [got], "location_id": one}) for one in IDS[1:]]
    for field in ("delivery_note", "note"):
        calls += [(receiving.receive_goods, {"order_id": order.id, "lines": [got], field: one}) for one in TEXTS]
    instants = [datetime.max.replace(tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)]
    calls += [(receiving.receive_goods, {"order_id": order.id, "lines": [got], "occurred_at": one}) for one in instants]
    goes = Back(order.lines[0], D(1), 1)
    back = [[one] for one in each(goes, line_id=IDS, quantity=[*NUMBERS, D(0), D(5)], item_id=[-1, 2**63, 2**70, None])]
    calls += [(receiving.return_goods, {"order_id": order.id, "lines": one, "note": "x"}) for one in [*back, []]]
    calls += [(receiving.correct_receipt, {"receipt_id": one, "note": "x"}) for one in IDS]
    return calls


def of_invoices(there: dict[str, Any]) -> Calls:
    """Return every call about invoices that must be refused."""
    supplier, due = there["supplier"], there["invoice"]
    calls: Calls = []
    typed = LineIn("Freight", D(1), D(10))
    paper = {"number": "N", "invoice_date": now().date(), "supplier_id": supplier, "lines": [typed], "gross": D(10)}
    papers = [{"gross": one} for one in NUMBERS] + [{"net": one} for one in NUMBERS] + [{"tax": one} for one in NUMBERS]
    papers += [
        {"lines": [one]}
        for one in each(typed, quantity=[*NUMBERS[:3], *NUMBERS[4:], D(0)], unit_cost=NUMBERS, tax_percent=NUMBERS)
    ]
    papers += [{"lines": [one]} for one in each(typed, description=[*TEXTS, ""], order_line_id=IDS)]
    papers += [{"lines": [typed] * 10_000}, {"lines": []}, {"number": ""}] + [{"number": one} for one in TEXTS]
    papers += (
        [{"note": one} for one in TEXTS] + [{"invoice_date": one} for one in DAYS] + [{"due_on": one} for one in DAYS]
    )
    papers += [{"supplier_id": one} for one in IDS] + [{"currency": "EUR", "rate": one} for one in NUMBERS]
    calls += [(invoices.record_invoice, paper | one) for one in [*papers, *({"order_id": one} for one in IDS)]]
    notes = [*(one for one in papers if "due_on" not in one), *({"invoice_id": one} for one in IDS)]
    calls += [(invoices.record_credit_note, paper | one) for one in notes]
    for step in (invoices.void_invoice, invoices.release_invoice):
        more = {"differences": ""} if step is invoices.release_invoice else {}
        calls += [(step, {"invoice_id": one, "version": 1, "reason": "x"} | more) for one in IDS]
        calls += [(step, {"invoice_id": due, "version": one, "reason": "x"} | more) for one in (-1, 2**70)]
    return calls


def of_payments(there: dict[str, Any]) -> Calls:
    """Return every call about payments that must be refused."""
    due = there["invoice"]
    calls: Calls = []
    pays: list[dict[str, Any]] = [{"invoice_id": one} for one in IDS[1:]]
    pays += [{"invoice_id": due} | one for field in ("amount", "rate") for one in [{field: bad} for bad in NUMBERS]]
    pays += [{"invoice_id": due, "amount": D(0)}, {"invoice_id": due, "amount": D("100.01")}]
    pays += [{"invoice_id": due, field: one} for field in ("reference", "note") for one in TEXTS]
    pays += [{"invoice_id": due, "paid_on": one} for one in DAYS] + [
        {"invoice_id": due, "method": one} for one in ("", "gold", "a\0b")
    ]
    pays += [{"invoice_id": due, "bank_account_id": one} for one in (-1, 2**31, 2**63, 2**70)]
    pays += [{"allocations": [Allocation(due, one)]} for one in NUMBERS]
    pays += [{"allocations": [Allocation(due)] * 2}, {"allocations": [Allocation(due)] * 10_000}, {"allocations": []}]
    pays += [{"allocations": [Allocation(due, D(1))], "amount": one} for one in NUMBERS]
    calls += [(payments.process_payment, one) for one in pays]
    calls += [
        (payments.process_batch, {"allocations": one}) for one in ([], [Allocation(due, D("NaN"))], [Allocation(2**70)])
    ]
    calls += [(payments.process_batch, {"allocations": [Allocation(due)], "execute_on": one}) for one in DAYS]
    calls += [(payments.process_batch, {"allocations": [Allocation(due)], "rate": one}) for one in NUMBERS]
    calls += [(payments.void_payment, {"payment_id": one, "reason": "x"}) for one in IDS]
    calls += [(payments.take_payment_file, {"batch_id": one, "kind": "xml"}) for one in IDS]
    return calls
    return calls


def test_no_field_takes_what_nobody_means(there):
    before, wrong = counted(), []
    calls = [call for about in (of_orders, of_receipts, of_invoices, of_payments) for call in about(there)]
    assert len(calls) > 400
    with acting_as(there["mona"]):
        for operation, arguments in calls:
            said = f"{operation.spec.name} {str(arguments)[:300]}"
            try:
                transact(operation, **arguments)
            except AppError as error:
                if not str(error):
                    wrong.append(f"no words: {said}")
            except Exception as error:  # noqa: BLE001  # every kind is listed
                wrong.append(f"{type(error).__name__}: {said}")
            else:
                wrong.append(f"done: {said}")
    assert not wrong, "\n".join(wrong)
    assert counted() == before
