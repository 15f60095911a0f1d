"""Recording, releasing and voiding invoices and credit notes, and what each person sees of them."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from inventory_app.context import acting_as, system_actor
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, KeyReused, NotAllowed, NotFound, Stale
from inventory_app.models._base import now
from inventory_app.models.approvals import Delegation
from inventory_app.models.payments import Payment, PaymentAllocation
from inventory_app.models.purchasing import GoodsReceipt, PurchaseOrder, SupplierInvoiceLine
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.operations import documents, invoices
from inventory_app.operations._invoice_fields import reckoned
from inventory_app.operations._lists import View
from inventory_app.operations._matching import why_not_payable
from inventory_app.unit_of_work import read, transact
from tests import factories
from tests.factories import add, arrange, person, role, supplier
from tests.operations.papers import (
    DAY,
    Want,
    came,
    credit,
    gross_of,
    line,
    order,
    paper,
    pay,
    record,
    status,
)


@pytest.fixture
def cleo(database):
    """Return the accountant who records."""
    return person("cleo", "accountant")


@pytest.fixture
def mia(database):
    """Return another accountant, who may release."""
    return person("mia", "accountant")


@pytest.fixture
def as_cleo(cleo):
    with acting_as(cleo):
        yield cleo


@pytest.fixture
def acme(database) -> int:
    return supplier("Acme", status="approved").id or 0


@pytest.fixture
def blocked(acme, as_cleo):
    """Return an order of which too much was invoiced as SB-1."""
    placed = order(acme, Want(60, 10, received=30))
    record("SB-1", line(placed.lines[0], 40))
    return placed


def detail(number):
    return read(invoices.invoice_detail, invoice_id=paper(number).id)


def release(number, reason="agreed by phone", **changed):
    asked = {"version": paper(number).version, "differences": detail(number).read} | changed
    return transact(invoices.release_invoice, invoice_id=paper(number).id, reason=reason, **asked)


def void(number, reason="typed wrongly", **changed):
    asked = {"version": paper(number).version} | changed
    return transact(invoices.void_invoice, invoice_id=paper(number).id, reason=reason, **asked)


def refused(call, error=Invalid):
    with pytest.raises(error) as found:
        call()
    return found.value


# Recording


def test_a_paper_is_kept_as_it_was_typed(acme, as_cleo, trail):
    placed = order(acme, Want(40, "9.20", tax=19, received=40), payment_days=14)
    done = record("  SB-20117 ", line(placed.lines[0], 40, "9.20", 19), order_id=placed.id, note="by mail")
    assert (done.number, done.status) == ("SB-20117", "matched")
    kept = paper("SB-20117")
    assert (kept.supplier_id, kept.order_id, kept.kind, kept.currency, kept.rate) == (
        acme,
        placed.id,
        "invoice",
        "USD",
        1,
    )
    assert (kept.net, kept.tax, kept.gross, kept.paid) == (Decimal(368), Decimal("69.92"), Decimal("437.92"), 0)
    assert (kept.due_on, kept.recorded_by, kept.note) == (DAY + timedelta(days=14), as_cleo.id, "by mail")
    [row] = arrange(lambda session: session.execute(sa.select(SupplierInvoiceLine.__table__)).all())
    assert (row.position, row.order_line_id, row.quantity, row.net, row.tax) == (
        1,
        placed.lines[0],
        40,
        368,
        Decimal("69.92"),
    )
    assert row.description.startswith("Cnf-")
    assert trail.last(name="invoices.record_invoice").outcome == "succeeded"


def test_it_is_due_as_the_order_or_else_the_supplier_says_or_as_typed(database, as_cleo):
    slow = supplier("Slow", status="approved", payment_days=60).id
    quick = supplier("Quick", status="approved").id
    record("A", line(), supplier_id=slow)
    record("B", line(), supplier_id=quick)
    record("C", line(), supplier_id=quick, due_on=DAY)
    assert [(paper(one).due_on - DAY).days for one in "ABC"] == [60, 30, 0]


def test_currency_and_rate_are_the_order_s_unless_they_are_typed(acme, as_cleo):
    placed = order(acme, Want(1, 10, received=1), currency="EUR", rate="1.08")
    record("A", line(placed.lines[0]))
    record("B", line(placed.lines[0]), rate=Decimal("1.2"))
    assert [(paper(one).currency, paper(one).rate) for one in "AB"] == [
        ("EUR", Decimal("1.08")),
        ("EUR", Decimal("1.2")),
    ]
    euros = supplier("Euro", status="approved", currency="EUR").id
    fault = refused(lambda: record("C", line(), supplier_id=euros))
    assert fault.fields == {"rate": "Enter what 1 EUR is worth in USD."}


def test_the_same_key_records_once_and_no_other_paper(acme, as_cleo):
    first = record("A", line(), supplier_id=acme, key="k")
    assert record("A", line(), supplier_id=acme, key="k") == first
    refused(lambda: record("B", line(), supplier_id=acme, key="k"), KeyReused)


def test_a_number_is_there_once_for_a_supplier_whatever_its_case_until_it_is_void(acme, as_cleo):
    record("sb-1", line(), supplier_id=acme)
    fault = refused(lambda: record("SB-1", line(), supplier_id=acme), Conflict)
    assert fault.fields == {"number": "An invoice of this supplier with this number has been recorded already."}
    record("SB-1", line(), supplier_id=supplier("Other", status="approved").id)
    void("sb-1")
    record("SB-1", line(), supplier_id=acme)


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"gross": Decimal("20.02")}, {"gross": "With tax the lines come to 20.00; 20.02 was typed, 0.02 too much."}),
        ({"gross": Decimal("19.99")}, {"gross": "With tax the lines come to 20.00; 19.99 was typed, 0.01 too little."}),
        ({"net": Decimal(19)}, {"net": "The lines come to 20.00; 19.00 was typed, 1.00 too little."}),
        ({"tax": Decimal(1)}, {"tax": "Net and gross leave a tax of 0.00; 1.00 was typed, 1.00 too much."}),
        ({"gross": Decimal("20.001")}, {"gross": "Use at most 2 decimals."}),
        ({"gross": Decimal("NaN")}, {"gross": "This number is too large."}),
        ({"number": " "}, {"number": "Please fill this in."}),
        ({"invoice_date": date(1999, 1, 1)}, "invoice_date"),
        ({"invoice_date": now().date() + timedelta(days=3)}, "invoice_date"),
        ({"due_on": DAY - timedelta(days=1)}, "due_on"),
        ({"due_on": DAY + timedelta(days=1000)}, "due_on"),
        ({"currency": "Euros"}, "currency"),
        ({"rate": Decimal(2)}, "rate"),
        ({"supplier_id": None}, {"supplier_id": "Choose the supplier who sent it."}),
        ({"supplier_id": 999}, {"supplier_id": "Choose the supplier who sent it."}),
        ({"order_id": 999}, "order_id"),
    ],
)
def test_what_cannot_stand_on_a_paper_is_said_beside_its_field(acme, as_cleo, typed, fields):
    asked = {"number": "A", "supplier_id": acme} | typed
    fault = refused(lambda: record(asked.pop("number"), line(cost=20), **asked))
    assert fault.fields == fields if isinstance(fields, dict) else list(fault.fields) == [fields]


@pytest.mark.parametrize(
    ("changed", "field", "begins"),
    [
        ({"quantity": Decimal(0)}, "quantity", "Enter a quantity"),
        ({"quantity": Decimal("0.0001")}, "quantity", "Use at most 3"),
        ({"quantity": Decimal("Infinity")}, "quantity", "This number"),
        ({"unit_cost": Decimal(-1)}, "unit_cost", "Enter 0 or more"),
        ({"unit_cost": Decimal(10) ** 9, "quantity": Decimal(10) ** 4}, "unit_cost", "This number"),
        ({"tax_percent": Decimal(101)}, "tax_percent", "Enter a tax"),
        ({"description": ""}, "description", "Say what it is"),
        ({"description": "x" * 501}, "description", "Use at most 500"),
        ({"description": "a\u200bb"}, "description", "There is an invisible"),
    ],
)
def test_every_line_is_checked_and_its_fault_stands_beside_it(acme, as_cleo, changed, field, begins):
    wrong = replace(line(), **changed)
    fault = refused(lambda: record("A", line(), wrong, supplier_id=acme, gross=Decimal(0)))
    assert list(fault.fields) == [f"{field}:1"]
    assert fault.fields[f"{field}:1"].startswith(begins)


def test_lines_there_must_be_and_not_too_many(acme, as_cleo):
    assert str(refused(lambda: record("A", supplier_id=acme))) == "Enter at least one line."
    assert "at most 500 lines" in str(refused(lambda: record("A", *[line()] * 501, supplier_id=acme)))


def test_the_way_a_supplier_rounds_tax_is_kept_in_the_taxes_of_the_lines(acme, as_cleo):
    lines = [line(cost="0.33", tax=19)] * 3
    assert gross_of(lines) == Decimal("1.17")
    record("A", *lines, supplier_id=acme, gross=Decimal("1.18"), tax=Decimal("0.19"))
    record("B", *lines, supplier_id=acme, gross=Decimal("1.15"))
    assert (paper("A").tax, paper("B").tax) == (Decimal("0.19"), Decimal("0.16"))
    refused(lambda: record("C", *lines, supplier_id=acme, gross=Decimal("1.21")))


def test_what_is_taken_back_is_on_a_credit_note(acme, as_cleo):
    placed = order(acme, Want(1, 10, received=1))
    fault = refused(lambda: record("A", line(placed.lines[0], -1), gross=Decimal(0)))
    assert fault.fields == {"quantity:0": "Enter more than 0. What is taken back of an order is on a credit note."}
    fault = refused(lambda: record("A", line(quantity=-1, description="Rebate"), supplier_id=acme))
    assert fault.fields == {"gross": "It comes to less than nothing: record it as a credit note."}


def test_every_line_is_of_an_order_from_the_supplier_who_sent_it(acme, as_cleo):
    other = supplier("Other", status="approved").id
    mine, theirs = order(acme, Want(received=1)), order(other, Want(received=1))
    fault = refused(lambda: record("A", line(mine.lines[0]), line(theirs.lines[0]), supplier_id=acme, order_id=mine.id))
    assert fault.fields == {"order_line_id:1": "That is no line of an order from Acme."}
    fault = refused(lambda: record("A", line(999), supplier_id=acme))
    assert fault.fields == {"order_line_id:0": "That is no line of an order from Acme."}
    fault = refused(lambda: record("A", line(), supplier_id=acme, order_id=theirs.id))
    assert fault.fields == {"order_id": "That order is not from Acme."}
    assert record("A", line(), order_id=theirs.id).status == "blocked"
    assert paper("A").supplier_id == other


def test_it_takes_who_sees_prices(acme):
    role("typist", "invoices:record", "invoices:view")
    with acting_as(person("tim", "typist")):
        refused(lambda: record("A", line(), supplier_id=acme), NotAllowed)
        refused(lambda: credit("A", line(), supplier_id=acme), NotAllowed)
        assert read(invoices.paper_to_record, order_id=1) is None


# Credit notes


def test_a_credit_note_is_about_an_invoice_and_in_its_currency(acme, as_cleo):
    placed = order(acme, Want(10, 10, received=8), currency="EUR", rate="1.08")
    done = record("A", line(placed.lines[0], 10), rate=Decimal("1.1"), order_id=placed.id)
    credit("C", line(placed.lines[0], 2), invoice_id=done.invoice_id)
    kept = paper("C")
    assert (kept.kind, kept.credits, kept.order_id, kept.gross) == ("credit_note", done.invoice_id, placed.id, -20)
    assert (kept.currency, kept.rate, kept.due_on) == ("EUR", Decimal("1.1"), DAY)
    assert status("A") == "matched"
    credit("D", line(), invoice_id=done.invoice_id, rate=Decimal("1.3"))
    assert paper("D").rate == Decimal("1.3")


def test_a_credit_note_about_no_invoice_lowers_what_is_owed(acme, as_cleo):
    assert credit("C", line(description="Bonus"), supplier_id=acme).status == "matched"
    # What is charged on one is compared with nothing.
    assert (
        credit(
            "D", line(cost=20, description="Bonus"), line(quantity=-1, description="Restocking"), supplier_id=acme
        ).status
        == "blocked"
    )


def test_a_credit_note_is_about_an_invoice_of_that_supplier_that_counts(acme, as_cleo):
    done = record("A", line(), supplier_id=acme)
    other = supplier("Other", status="approved").id
    fault = refused(lambda: credit("C", line(), invoice_id=done.invoice_id, supplier_id=other))
    assert fault.fields == {"supplier_id": "A is another supplier's invoice."}
    assert (
        str(refused(lambda: credit("C", line(), invoice_id=999), NotFound))
        == "There is no such invoice. Reload the page."
    )
    void("A")
    message = str(refused(lambda: credit("C", line(), invoice_id=done.invoice_id), Conflict))
    assert message == "A is void: a credit note cannot be about it."


# Releasing


def test_somebody_else_releases_with_a_reason_and_it_stays_released(blocked, mia, trail):
    with acting_as(mia):
        done = release("SB-1")
    kept = paper("SB-1")
    assert (done.status, kept.status, kept.released_by, kept.release_reason) == (
        "released",
        "released",
        mia.id,
        "agreed by phone",
    )
    assert trail.last(name="invoices.release_invoice").reason == "agreed by phone"
    came(blocked, received=0)
    assert status("SB-1") == "released"


def test_who_recorded_it_never_releases_it(blocked, as_cleo):
    assert str(refused(lambda: release("SB-1"), NotAllowed)) == "You recorded this, so somebody else must release it."


def test_nor_does_who_stands_in_for_them(blocked, cleo):
    role("viewer", "invoices:view")
    dan = person("dan", "viewer")

    def lend(session) -> None:
        id_ = session.scalar(sa.select(PermissionRow.id).where(PermissionRow.name == "invoices:release"))
        ends = now() + timedelta(days=1)
        session.add(Delegation(from_user_id=cleo.id, to_user_id=dan.id, permission_id=id_, ends_at=ends))

    arrange(lend)
    with acting_as(dan):
        said = str(refused(lambda: release("SB-1"), NotAllowed))
    assert said == "You stand in for Cleo, who has a part in this, so somebody else must decide."


def test_a_machine_does_not_release(blocked):
    with acting_as(system_actor("night")):
        refused(lambda: release("SB-1"), NotAllowed)


def test_without_a_reason_or_in_another_version_nothing_is_released(blocked, mia):
    with acting_as(mia):
        fault = refused(lambda: release("SB-1", reason=" "))
        assert fault.fields == {"reason": "Say why it may be paid although it does not agree."}
        refused(lambda: release("SB-1", version=9), Stale)
    assert status("SB-1") == "blocked"


def test_who_has_read_other_differences_reads_again(blocked, mia):
    with acting_as(mia):
        seen = detail("SB-1").read
        came(blocked, received=10)
        message = str(refused(lambda: release("SB-1", differences=seen), Stale))
    assert message == "What does not agree about SB-1 has changed. Read it again before you release it."


def test_what_agrees_or_was_released_is_not_released_again(blocked, mia):
    with acting_as(mia):
        release("SB-1")
        assert str(refused(lambda: release("SB-1"), AlreadyDecided)) == "SB-1 is released already."


def test_the_rest_of_one_that_agrees_no_more_can_be_released(acme, as_cleo, mia):
    placed = order(acme, Want(10, 10, received=10))
    record("A", line(placed.lines[0], 10))
    pay("A", 10)
    came(placed, received=5)
    assert detail("A").held
    assert detail("A").said == "Partly paid, agrees no more"
    with acting_as(mia):
        assert release("A").status == "released"


def test_a_released_credit_note_counts_for_the_others(blocked, mia):
    credit("C", line(blocked.lines[0], 10, 9))
    assert (status("C"), status("SB-1")) == ("blocked", "blocked")
    with acting_as(mia):
        release("C")
    assert (status("C"), status("SB-1")) == ("released", "matched")


# Voiding


def test_what_is_void_counts_no_more(blocked, trail):
    record("SB-2", line(blocked.lines[0], 5))
    assert status("SB-2") == "blocked"
    done = void("SB-1")
    kept = paper("SB-1")
    assert (done.status, kept.status, kept.void_reason) == ("void", "void", "typed wrongly")
    assert (kept.matched_at, status("SB-2")) == (None, "matched")
    assert why_not_payable(kept) == "SB-1 is void."
    assert trail.last(name="invoices.void_invoice").reason == "typed wrongly"
    assert str(refused(lambda: void("SB-1"), AlreadyDecided)) == "SB-1 is void already."


def test_voiding_a_credit_note_blocks_what_it_covered_and_makes_room_for_another(blocked):
    about = paper("SB-1").id
    credit("C1", line(blocked.lines[0], 10), invoice_id=about)
    credit("C2", line(cost=390, description="Rebate"), invoice_id=about)
    assert (status("SB-1"), status("C2")) == ("matched", "blocked")
    message = str(refused(lambda: void("SB-1"), Conflict))
    assert message == "Credit note C1 is about SB-1. Void that first."
    void("C1")
    assert (status("SB-1"), status("C2")) == ("blocked", "matched")


def test_what_is_paid_or_waits_to_be_is_not_voided(acme, as_cleo):
    placed = order(acme, Want(10, 10, received=10))
    record("A", line(placed.lines[0], 5))
    pay("A", 10)
    assert str(refused(lambda: void("A"), Conflict)).startswith("A part of A is paid.")
    record("B", line(placed.lines[0], 5))

    def wait(session) -> None:
        sent = Payment(
            number="PAY-1", supplier_id=acme, amount=Decimal(50), currency="USD", paid_on=DAY, status="waiting", key="x"
        )
        session.add(sent)
        session.flush()
        session.add(PaymentAllocation(payment_id=sent.id, invoice_id=paper("B").id, amount=Decimal(50)))

    arrange(wait)
    assert str(refused(lambda: void("B"), Conflict)).startswith("Payment PAY-1 of B waits for somebody's agreement.")
    assert [one.text for one in detail("B").payments] == ["PAY-1"]


def test_voiding_takes_a_reason_and_the_version_that_was_read(blocked):
    assert refused(lambda: void("SB-1", reason="")).fields == {"reason": "Say why it does not count."}
    refused(lambda: void("SB-1", version=7), Stale)
    refused(lambda: transact(invoices.void_invoice, invoice_id=999, version=1, reason="x"), NotFound)


# Seeing


def test_the_page_shows_it_side_by_side_and_why_it_cannot_be_paid(blocked, acme):
    add(
        GoodsReceipt(
            number="GR-1",
            order_id=blocked.id,
            location_id=arrange(lambda s: s.get_one(PurchaseOrder, blocked.id).location_id),
        )
    )
    record("SB-2", line(blocked.lines[0], 2), line(description="Freight", cost=7))
    seen = detail("SB-2")
    row, freight = seen.sides.rows
    assert (row.ordered, row.ordered_cost, row.ordered_amount, row.received) == ("60", "10.00", "600.00", "30")
    assert (row.invoiced, row.invoiced_cost, row.invoiced_amount, row.others) == (
        "2",
        "10.00",
        "20.00",
        "40 on other papers",
    )
    assert (row.tone, row.word, row.bad_quantity, row.bad_price) == ("bad", "2 too many invoiced", True, False)
    assert (freight.product, freight.ordered, freight.received, freight.word) == (
        "Freight",
        "–",
        "–",
        "Not on an order",
    )
    assert seen.reasons == [
        f"{row.product}: 2 too many invoiced (not received yet, 20.00 USD not covered).",
        "Line 2: Not on an order (there is nothing to compare it with).",
    ]
    assert (seen.sides.differences, seen.sides.above, seen.sides.tolerance) == (
        2,
        "20.00 USD above goods received",
        "2",
    )
    assert [one.text for one in seen.sides.receipts] == ["GR-1"]
    assert seen.why_not_release == "You recorded this, so somebody else must release it."
    assert (seen.held, seen.said, seen.tone, seen.why_not_void) == (True, "Blocked", "bad", "")
    assert (seen.supplier, seen.recorded_by, seen.open) == ("Acme", "Cleo", "27.00")
    void("SB-2")
    gone = detail("SB-2")
    assert [one.word for one in gone.sides.rows] == ["Void", "Void"]
    assert (gone.said, gone.reasons, gone.why_not_void, gone.voided_by) == ("Void", [], "It is void already.", "Cleo")


def test_papers_that_hang_together_name_each_other(blocked, mia):
    about = paper("SB-1").id
    credit("C", line(cost=500, description="Rebate"), invoice_id=about)
    assert detail("C").credits.text == "SB-1"
    assert [(one.text, one.note) for one in detail("SB-1").credit_notes] == [("C", "Blocked, -500.00 USD")]
    assert detail("C").reasons == ["More credited than SB-1 came to (100.00 USD too much)."]
    with acting_as(mia):
        release("SB-1")
        released = detail("SB-1")
    assert (released.said, released.tone, released.held, released.sides.rows[0].tone) == (
        "Released",
        "ok",
        False,
        "wait",
    )
    assert (released.released_by, released.release_reason) == ("Mia", "agreed by phone")


def test_a_status_says_what_is_paid(acme, as_cleo):
    placed = order(acme, Want(10, 10, received=10))
    record("A", line(placed.lines[0], 10))
    assert (detail("A").said, detail("A").why_not_void) == ("Matched", "")
    pay("A", 50)
    assert (detail("A").said, detail("A").open, detail("A").held) == ("Partly paid", "50.00", False)
    assert detail("A").why_not_void.startswith("A part of it is paid.")
    pay("A", 100)
    came(placed, received=0)
    assert (detail("A").said, detail("A").held) == ("Paid", False)
    credit("C", line(description="Bonus"), supplier_id=acme)
    pay("C", -10)
    assert detail("C").said == "Set off"


def test_a_foreign_paper_says_its_rate(acme, as_cleo):
    record("A", line(), supplier_id=acme, currency="EUR", rate=Decimal("1.08"))
    assert detail("A").rate == "1 EUR = 1.08 USD"


AMOUNTS = ("9.87", "394.80", "39.48", "98.70")


def test_who_does_not_see_prices_sees_no_amount_anywhere(acme, cleo, mia):
    with acting_as(cleo):
        placed = order(acme, Want(60, "9.87", received=30))
        record("A", line(placed.lines[0], 40, "9.87"))
        credit("C", line(placed.lines[0], 4, "9.87"), invoice_id=paper("A").id)
        shown = repr(read(invoices.match_of_order, order_id=placed.id))
        assert all(amount in shown for amount in ("9.87", "394.80"))
    role("stock clerk", "orders:view", "invoices:view", "payments:view")
    with acting_as(person("sam", "stock clerk")):
        seen = [detail("A"), detail("C"), read(invoices.match_of_order, order_id=placed.id)]
        seen.append(read(invoices.list_invoices, view=View()))
        for one in seen:
            assert not [amount for amount in (*AMOUNTS, "USD") if amount in repr(one)], one
    with acting_as(person("eve", "employee")):
        seen_of = read(invoices.match_of_order, order_id=placed.id)
        assert not [amount for amount in (*AMOUNTS, "USD") if amount in repr(seen_of)]
        [row] = seen_of.sides.rows
        assert (row.ordered, row.received, row.invoiced, row.word) == ("60", "30", "–", "Waiting for 30")
        assert (seen_of.invoices, seen_of.held) == ([], "")


# An order's match


def match_of(placed):
    return read(invoices.match_of_order, order_id=placed.id)


def test_an_order_says_of_each_line_how_it_stands(acme, as_cleo, mia):
    placed = order(
        acme,
        Want(40, "9.20", received=40),
        Want(12, 81, received=12),
        Want(60, 10, received=30),
        Want(30, "12.50"),
        Want(5, 4, stock=False),
        Want(6, 1, received=6),
        expected_on=date(2026, 11, 26),
    )
    assert match_of(placed).sides.rows[0].word == "40 not invoiced yet"
    one, two, three, _, service, last = placed.lines
    record("SB-1", line(one, 40, "9.20"), line(two, 12, "82.50"), line(three, 40), order_id=placed.id)
    record("SB-2", line(service, 5, 4))
    record("SB-3", line(last, 6, 2))
    record("SB-4", line(last, 1, 1))
    with acting_as(mia):
        release("SB-3")
        release("SB-4")
    seen = match_of(placed)
    assert [(row.tone, row.word, row.note) for row in seen.sides.rows] == [
        ("ok", "Matches", ""),
        ("ok", "Matches", "price +1.9 %, 2 % allowed"),
        ("bad", "10 too many invoiced", "not received yet, 100.00 USD not covered"),
        ("wait", "Waiting for 30", "due 26 Nov 2026"),
        ("ok", "Matches", "not kept in stock"),
        ("ok", "Released", ""),
    ]
    assert seen.sides.rows[5].invoiced_cost == "1.00 – 2.00"
    assert seen.sides.rows[4].received == "–"
    assert (seen.sides.differences, seen.held, seen.held_href) == (1, "SB-1", f"/invoices/{paper('SB-1').id}")
    assert seen.held_why.endswith("10 too many invoiced (not received yet, 100.00 USD not covered).")
    assert [one.text for one in seen.invoices] == ["SB-1", "SB-2", "SB-3", "SB-4"]


def test_an_order_nothing_is_owed_of_says_so(acme, as_cleo):
    placed = order(acme, Want(4, 1, given_up=4), status="closed")
    assert [row.word for row in match_of(placed).sides.rows] == ["Nothing is owed"]
    assert match_of(placed).held == ""
    assert read(invoices.match_of_order, order_id=999) is None


# What the form begins with


def test_the_form_begins_with_what_is_left_to_be_invoiced(acme, as_cleo):
    placed = order(acme, Want(40, "9.20", tax=19, received=30), Want(5, 4, stock=False), Want(7, 1), payment_days=14)
    record("A", line(placed.lines[0], 10, "9.20", 19))
    begins = read(invoices.paper_to_record, order_id=placed.id)
    assert [(one.order_line_id, one.quantity, one.unit_cost, one.tax_percent, one.hint) for one in begins.lines] == [
        (placed.lines[0], "20", "9.2", "19", "30 of 40 came"),
        (placed.lines[1], "5", "4", "0", "not kept in stock"),
    ]
    assert (begins.supplier, begins.order_id, begins.days, begins.currency, begins.rate) == (
        "Acme",
        placed.id,
        14,
        "USD",
        "",
    )
    assert begins.href == f"/orders/{placed.id}"


def test_a_credit_note_begins_with_what_is_too_many(blocked):
    begins = read(invoices.paper_to_record, invoice_id=paper("SB-1").id)
    assert [(one.order_line_id, one.quantity, one.unit_cost) for one in begins.lines] == [
        (blocked.lines[0], "10", "10")
    ]
    assert (begins.invoice_id, begins.order_id, begins.title) == (paper("SB-1").id, 0, "SB-1")


def test_a_form_about_a_foreign_order_begins_with_its_rate_and_about_nothing_with_nothing(acme, as_cleo):
    placed = order(acme, Want(received=1), currency="EUR", rate="1.08")
    assert read(invoices.paper_to_record, order_id=placed.id).rate == "1.08"
    assert read(invoices.paper_to_record) is None
    assert read(invoices.paper_to_record, order_id=999) is None
    assert read(invoices.paper_to_record, invoice_id=999) is None
    assert read(invoices.invoice_detail, invoice_id=999) is None


def test_a_paper_without_an_order_is_from_a_supplier_that_was_approved_once(acme, as_cleo):
    supplier("Waiting")
    gone = supplier("Gone", status="suspended").id
    assert read(invoices.suppliers_to_choose) == [(str(acme), "Acme"), (str(gone), "Gone")]


def test_what_is_typed_so_far_is_reckoned_and_what_is_no_number_yet_is_left_out():
    typed = [line(quantity=2, cost="1.25", tax=19), None, line(quantity=0), line(description="", cost=3)]
    assert reckoned(typed) == (["2.98", "", "", "3.00"], ("5.50", "0.48", "5.98"))


# The list


def listed(**asked):
    found = read(invoices.list_invoices, view=View(**asked))
    return [row.number for row in found.page.rows]


@pytest.fixture
def several(acme, as_cleo, mia):
    """Record one of each: to pay, due soon, overdue, blocked, paid, agreeing no more, void, a credit note."""
    placed = order(acme, Want(100, 10, received=100))
    own = placed.lines[0]
    day = now().date()
    for number, due in (("LATER", 20), ("SOON", 3), ("OVER", -1), ("PAID", 20), ("LESS", 20)):
        record(
            number,
            line(own, 20),
            order_id=placed.id,
            invoice_date=day - timedelta(days=9),
            due_on=day + timedelta(days=due),
        )
    record("BLOCKED", line(own, 1), invoice_date=day)
    record("GONE", line(own, 1), invoice_date=day)
    void("GONE")
    credit("CREDIT", line(description="Bonus"), supplier_id=acme)
    pay("PAID", 200)
    pay("LESS", 1)
    came(placed, received=80)
    return placed


def test_the_tabs_hold_what_is_to_pay_and_what_is_blocked(several):
    assert listed() == ["CREDIT", "GONE", "BLOCKED", "LESS", "PAID", "OVER", "SOON", "LATER"]
    assert listed(filters={"tab": "pay"}) == ["CREDIT", "OVER", "SOON", "LATER"]
    assert listed(filters={"tab": "blocked"}) == ["BLOCKED", "LESS"]
    found = read(invoices.list_invoices, view=View())
    assert (found.count, found.everything, found.to_pay, found.blocked) == (8, 8, 4, 2)


def test_the_list_is_narrowed_down_by_due_kind_status_supplier_and_search(several):
    assert listed(filters={"due": "overdue"}) == ["OVER"]
    assert listed(filters={"due": "soon"}) == ["SOON"]
    assert listed(filters={"due": "later"}) == ["BLOCKED", "LESS", "LATER"]
    assert listed(filters={"kind": "credit_note"}) == ["CREDIT"]
    assert listed(filters={"status": "void"}) == ["GONE"]
    assert listed(filters={"supplier": "acm"}, sort="gross")[0] == "CREDIT"
    assert listed(filters={"supplier": "other"}) == []
    assert listed(search="soo acme") == ["SOON"]
    assert listed(search="po-2026") == ["LESS", "PAID", "OVER", "SOON", "LATER"]


def test_a_row_says_how_it_stands(several):
    rows = {row.number: row for row in read(invoices.list_invoices, view=View()).page.rows}
    assert [(rows[one].status, rows[one].due_state) for one in ("OVER", "SOON", "LATER", "CREDIT", "GONE")] == [
        ("Matched", "overdue"),
        ("Matched", "soon"),
        ("Matched", ""),
        ("Matched", ""),
        ("Void", ""),
    ]
    assert (rows["LESS"].status, rows["LESS"].tone, rows["LESS"].open) == (
        "Partly paid, agrees no more",
        "bad",
        "199.00",
    )
    assert (rows["PAID"].status, rows["PAID"].due_state) == ("Paid", "")
    assert (rows["LATER"].order_href, rows["CREDIT"].order) == (f"/orders/{several.id}", "")


def test_a_draft_is_called_so_in_the_list(acme, as_cleo):
    placed = order(acme, Want(1, 10), status="draft")
    record("A", line(placed.lines[0]), order_id=placed.id)
    assert read(invoices.list_invoices, view=View()).page.rows[0].order == "Draft"
    assert listed(search="nothing like it") == []


# Documents


def test_the_paper_itself_is_for_who_sees_invoices_and_prices(acme, as_cleo):
    done = record("A", line(), supplier_id=acme)
    factories.document("supplier_invoice", done.invoice_id, "scan.txt")
    asked = {"subject_type": "supplier_invoice", "subject_id": done.invoice_id}
    [row] = read(documents.documents_of, **asked)
    number, sha256 = row.href.split("/")[2:]
    assert read(documents.document_content, document_id=int(number), sha256=sha256).content == b"as agreed"
    role("no prices", "invoices:view")
    with acting_as(person("sam", "no prices")):
        assert read(documents.documents_of, **asked) == []
        refused(lambda: read(documents.document_content, document_id=int(number), sha256=sha256), NotFound)
