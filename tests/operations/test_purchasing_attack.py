"""Ways around the rules of purchasing that somebody inside would try: another path, another rate, somebody's key."""

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory_app.context import acting_as
from inventory_app.models._base import now
from inventory_app.operations import delegations, orders, receiving
from inventory_app.operations._receipt_lines import Came
from inventory_app.unit_of_work import transact
from tests.factories import person
from tests.operations import buying, papers
from tests.operations.payables import (
    account,
    agree,
    batch,
    books_agree,
    invoice,
    paid,
    pay,
    pay_parts,
    payables,
    refused,
    said,
    void,
)

D = Decimal


@pytest.fixture
def acme(database):
    """Return a supplier with an account and an invoice of 100, and look at the sums afterwards."""
    made = payables()
    yield made
    books_agree()


# Keys


@pytest.mark.parametrize("way", ["payment", "batch"])
def test_no_key_keeps_a_payment_from_being_taken_back(acme, way):
    other = invoice(acme.supplier_id, 50, "R-2").id or 0
    made = pay(acme.paula, acme.invoice_id)
    # As the counter-entry's key could be guessed: for a batch it ends with the supplier.
    if way == "payment":
        pay(acme.quinn, other, idempotency_key=f"void:{made.payment_id}")
    else:
        assert made.payment_id == acme.supplier_id
        batch(acme.quinn, other, idempotency_key="void")
    void(acme.quinn, made.payment_id)
    assert paid(acme.invoice_id) == 0


# Rates


def euros(acme, gross="20000", rate="1.1"):
    account(acme.supplier_id, "NO9386011117947", currency="EUR")
    return invoice(acme.supplier_id, gross, "R-EUR", currency="EUR", rate=D(rate)).id or 0


def test_whoever_pays_cannot_make_an_amount_small_by_its_rate(acme):
    due = euros(acme)
    made = pay(acme.paula, due, rate=D("0.00000001"))
    assert made.waits
    assert paid(due) == 0
    agree(acme.quinn)
    assert paid(due) == 20_000


def test_nor_does_a_batch(acme):
    assert batch(acme.paula, euros(acme), rate=D("0.00000001")).waits


def test_what_is_worth_more_today_than_on_its_invoice_counts_for_that(acme):
    assert pay(acme.paula, euros(acme, "5000"), rate=D(2)).waits


def sent_in_euros(shop, approver, rate):
    """Let somebody order in euros and send it."""
    made = buying.write(shop, buying.words(cost="10"), currency="EUR", rate=D(rate))
    buying.step(orders.submit_order, made.order_id)
    buying.step(orders.place_order, made.order_id)


def test_whoever_orders_cannot_make_an_amount_small_by_its_rate(database):
    shop, ann, nancy = buying.market(), person("ann", "manager"), person("nancy", "manager")
    with acting_as(nancy):
        sent_in_euros(shop, ann, "1.1")
    with acting_as(ann):
        # Neither by the rate nor by orders of one's own before.
        sent_in_euros(shop, nancy, "0.001")
        made = buying.write(shop, buying.words(cost="20000"), currency="EUR", rate=D("0.001"))
        assert buying.shown(made.order_id).rule == "2 people have to agree to this amount"
        assert buying.step(orders.submit_order, made.order_id).status == "submitted"
    with acting_as(nancy):
        assert "1 of 2" in buying.step(orders.approve_order, made.order_id).said


def test_a_currency_that_has_risen_counts_for_what_it_is_worth_now(database):
    shop, ann, nancy = buying.market(), person("ann", "manager"), person("nancy", "manager")
    with acting_as(nancy):
        sent_in_euros(shop, ann, "1.1")
    with acting_as(ann):
        made = buying.write(shop, buying.words(cost="500"), currency="EUR", rate=D(2))
        assert buying.step(orders.submit_order, made.order_id).status == "submitted"


# One's own part, by another path


@pytest.fixture
def chain(acme):
    """Return an order of 10 of which 8 came, and the invoice of all of it, which is blocked."""
    ben = person("ben", "manager")
    placed = papers.order(acme.supplier_id, papers.Want(10, 10, received=8), created_by=ben.id)
    with acting_as(acme.quinn):
        papers.record("R-9", papers.line(placed.lines[0], 10, 10))
    assert papers.status("R-9") == "blocked"
    return placed


@pytest.mark.parametrize("names_the_invoice", [True, False])
def test_whoever_credited_what_was_too_much_does_not_pay_the_invoice(acme, chain, names_the_invoice):
    about = papers.paper("R-9").id or 0
    with acting_as(acme.paula):
        papers.credit("C-9", papers.line(chain.lines[0], 2, 10), **({"invoice_id": about} if names_the_invoice else {}))
    assert papers.status("R-9") == "matched"
    refusal = "You recorded the credit note C-9, so somebody else must pay."
    for way in (lambda: pay(acme.paula, about), lambda: batch(acme.paula, about), lambda: pay(acme.paula, about, 1)):
        assert refusal in said(refused(way))
    assert "You recorded the invoice R-9" in str(refused(pay, acme.quinn, about))
    assert pay(person("olga", "accountant"), about).amount == "100.00"


def test_a_void_credit_note_is_nobodys_part(acme, chain):
    about = papers.paper("R-9").id or 0
    with acting_as(acme.paula):
        papers.credit("C-9", papers.line(chain.lines[0], 2, 10), invoice_id=about)
        note = papers.paper("C-9")
        transact(papers.invoices.void_invoice, invoice_id=note.id, version=note.version, reason="Not ours")
    papers.came(chain, received=10)
    assert pay(acme.paula, about).amount == "100.00"


def test_whoever_wrote_an_order_anew_does_not_pay_for_it(acme):
    rita = person("rita", "admin")
    with acting_as(person("ann", "manager")):
        shop = buying.market("Other")
        made = buying.write(shop, buying.words(cost="10"))
    with acting_as(rita):
        buying.edit(shop, made.order_id, buying.words("Gold", cost="90"))
        buying.step(orders.submit_order, made.order_id)
        buying.step(orders.place_order, made.order_id)
    account(shop.supplier)
    with acting_as(acme.quinn):
        papers.record("R-7", papers.line(buying.lines(made.order_id)[0].id, 1, 90))
    due = papers.paper("R-7")
    assert due.status == "matched"
    number = buying.known(made.order_id).number
    assert str(refused(pay, rita, due.id)) == f"You edited the order {number}, so somebody else must pay."
    assert pay(acme.paula, due.id).amount == "90.00"


@pytest.mark.parametrize("part", ["recorded", "ordered", "released"])
@pytest.mark.parametrize("way", ["payment", "parts", "batch", "credit note", "deputy"])
def test_no_path_pays_what_one_had_a_part_in(acme, part, way):
    rita = person("rita", "admin")
    columns: dict[str, object] = {"recorded_by": rita.id} if part == "recorded" else {}
    if part == "ordered":
        placed = papers.order(acme.supplier_id, papers.Want(1, 50), created_by=rita.id)
        columns["order_id"] = placed.id
    if part == "released":
        account(acme.supplier_id, "NO9386011117947", released_by=rita.id)
    mine = invoice(acme.supplier_id, 50, "R-2", **columns).id or 0
    free = acme.invoice_id
    payer = rita
    if way == "deputy":
        payer = person("dora", "accountant")
        with acting_as(rita):
            away = {"starts_at": now(), "ends_at": now() + timedelta(days=1)}
            transact(delegations.delegate, deputy="dora", permissions=["payments:approve"], **away)
    ways = {
        "payment": lambda: pay(payer, mine),
        "deputy": lambda: pay(payer, mine),
        "parts": lambda: pay_parts(payer, (free, 1), (mine, 1)),
        "batch": lambda: batch(payer, free, mine),
        "credit note": lambda: pay_parts(payer, (mine, None), (invoice(acme.supplier_id, -10, "C-2").id or 0, None)),
    }
    words = said(refused(ways[way]))
    assert "so somebody else must pay" in words
    assert paid(mine) == paid(free) == 0
    assert pay(acme.paula, mine).amount == "50.00"


# What hangs together


def test_a_line_that_an_invoice_is_about_is_not_taken_out(database):
    ann, cleo = person("ann", "manager"), person("cleo", "accountant")
    with acting_as(ann):
        shop = buying.market()
        made = buying.write(shop, buying.words(cost="10"), buying.words("Other", cost="5"))
    with acting_as(cleo):
        papers.record("R-1", papers.line(buying.lines(made.order_id)[0].id, 1, 10))
    with acting_as(ann):
        error = refused(buying.edit, shop, made.order_id, buying.words("Other", cost="5"))
    assert str(error) == "Invoice R-1 is about “Repair”, so that stays on the order. Change it instead."
    assert len(buying.lines(made.order_id)) == 2


def test_what_is_received_is_matched_for_who_pays_it(acme, chain):
    due = papers.paper("R-9").id or 0
    assert "does not agree" in str(refused(pay, acme.paula, due))
    with acting_as(person("rob", "manager")):
        transact(receiving.receive_goods, order_id=chain.id, lines=[Came(chain.lines[0], D(2))])
    assert pay(acme.paula, due).amount == "100.00"
