"""What is owed, since when, and what it comes of: by supplier, by currency, and in the base currency."""

from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.operations import statements
from inventory_app.unit_of_work import read
from tests.factories import person, role, supplier
from tests.operations.payables import account, day, invoice, pay, payables, void

D = Decimal


@pytest.fixture
def acme(database):
    return payables()


def seen(by, query, **arguments):
    with acting_as(by):
        return read(query, **arguments)


def test_what_is_owed_is_told_by_how_long_it_is_overdue(acme):
    for number, late in enumerate((1, 30, 31, 60, 61, 90, 91)):
        invoice(acme.supplier_id, number + 1, f"L-{late}", due_on=day(-late))
    found = seen(acme.paula, statements.ageing)
    assert found.heads == ["Not due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "Over 90 days"]
    (row,) = found.rows
    assert row.steps == ["100.00", "3.00", "7.00", "11.00", "7.00"]
    assert (row.supplier, row.total, row.in_base) == ("Acme", "128.00 USD", "128.00 USD")
    assert found.totals == ["100.00 USD", "3.00 USD", "7.00 USD", "11.00 USD", "7.00 USD"]
    assert (found.total, found.suppliers, found.base) == ("128.00 USD", 1, "USD")


def test_currencies_stand_by_themselves_and_are_added_in_the_base_currency(acme):
    beta = supplier("Beta").id
    invoice(beta, 200, "B-1", currency="EUR", rate=D("1.25"))
    invoice(beta, -40, "B-2", currency="EUR", rate=D("1.25"))
    invoice(beta, 7, "B-3")
    invoice(beta, 1_000, "B-4", status="void")
    invoice(acme.supplier_id, 1_000, "R-2", status="blocked")
    found = seen(acme.paula, statements.ageing)
    assert [(row.supplier, row.total, row.in_base) for row in found.rows] == [
        ("Acme", "1,100.00 USD", "1,100.00 USD"),
        ("Beta", "160.00 EUR", "200.00 USD"),
        ("Beta", "7.00 USD", "7.00 USD"),
    ]
    assert (found.total, found.suppliers) == ("1,307.00 USD", 2)


def test_a_statement_says_what_is_owed_after_each_step(acme):
    invoice(acme.supplier_id, -30, "C-1", invoice_date=day(-10))
    account(acme.supplier_id, "NO9386011117947", currency="EUR")
    euros = invoice(acme.supplier_id, 50, "E-1", currency="EUR", rate=D("1.1"), invoice_date=day(-20))
    pay(acme.paula, acme.invoice_id, 60)
    pay(acme.paula, euros.id, rate=D("1.1"), paid_on=day(-20))
    taken = pay(acme.paula, acme.invoice_id, 5)
    void(acme.quinn, taken.payment_id)
    found = seen(acme.paula, statements.statement, supplier_id=acme.supplier_id)
    assert [(line.kind, line.number, line.amount, line.balance) for line in found.lines] == [
        ("Payment", "PAY-2026-0001", "-60.00 USD", "10.00 USD"),
        ("Credit note", "C-1", "-30.00 USD", "70.00 USD"),
        ("Payment", "PAY-2026-0002", "-50.00 EUR", "0.00 EUR"),
        ("Invoice", "E-1", "50.00 EUR", "50.00 EUR"),
        ("Invoice", "R-1", "100.00 USD", "100.00 USD"),
    ]
    assert found.lines[0].href == "/payments/1"
    assert found.lines[1].href.startswith("/invoices/")
    assert [(one.currency, one.total) for one in found.owing] == [("USD", "10.00 USD")]
    assert not found.more


def test_a_long_statement_says_that_there_is_more(acme, monkeypatch):
    monkeypatch.setattr(statements, "_MOST_LINES", 1)
    invoice(acme.supplier_id, 5, "R-2")
    found = seen(acme.paula, statements.statement, supplier_id=acme.supplier_id)
    assert (len(found.lines), found.more) == (1, True)


def test_amounts_are_for_who_may_see_them(acme):
    role("blind", "invoices:view", "suppliers:view")
    boris = person("boris", "blind")
    assert seen(boris, statements.ageing).hidden
    assert seen(boris, statements.statement, supplier_id=acme.supplier_id) is None
