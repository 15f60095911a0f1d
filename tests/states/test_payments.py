"""What the pages of payments show and answer: the list, paying one, a batch, taking back, ageing and statement."""

import pytest
import reflex as rx
from reflex.istate.data import RouterData

from inventory_app.models.payments import Payment
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.states import _guard
from inventory_app.states.due import PATH as DUE
from inventory_app.states.due import DueState, PayState
from inventory_app.states.explain import PATH as EXPLAIN
from inventory_app.states.explain import ExplainState
from inventory_app.states.payments import (
    AGEING,
    BATCHES,
    PATH,
    AgeingState,
    BatchState,
    PaymentsState,
    PaymentState,
    StatementState,
)
from tests.factories import arrange, person, role, supplier
from tests.fixtures.database import forget_cached
from tests.operations.payables import account, batch, day, found, invoice, paid, pay, payables
from tests.states.test_suppliers import said


@pytest.fixture
def acme(database):
    return payables()


async def tab(kind, actor, path, query=""):
    """Open a State of a fresh tab at an address, every event of it sent by `actor`."""
    _guard._event_actor.set(actor)
    state = await rx.State().get_state(kind)
    at(state, path, query)
    if hasattr(kind, "load"):
        await state.load()
    return state


def at(state, path, query=""):
    headers = {"origin": "http://testserver"}
    state.router = RouterData.from_router_data({"pathname": path, "asPath": path + query, "headers": headers})


async def test_the_list_shows_what_the_address_asks_for(acme):
    pay(acme.paula, acme.invoice_id, 10)
    state = await tab(PaymentsState, acme.quinn, PATH)
    assert ([row.number for row in state.rows], state.everything, state.waiting, state.posted) == (
        ["PAY-2026-0001"],
        "1",
        "0",
        "1",
    )
    assert (await tab(PaymentsState, acme.quinn, PATH, "?status=waiting")).rows == []


async def test_a_payment_is_shown_and_taken_back(acme):
    made = pay(acme.paula, acme.invoice_id, 10)
    state = await tab(PaymentState, acme.quinn, f"{PATH}/{made.payment_id}")
    assert (state.detail.row.number, state.loading) == (made.number, False)
    await state.open_void()
    assert state.dialog == "void"
    form = {"payment_id": made.payment_id, "version": 1, "idempotency_key": state.idempotency_key}
    await state.void_payment(form | {"reason": ""})
    assert state.dialog == "void"
    answer = await state.void_payment(form | {"reason": "Paid twice"})
    assert "Took PAY-2026-0001 back: PAY-2026-0002" in said(answer)
    assert (state.dialog, paid(acme.invoice_id)) == ("", 0)
    await state.load()
    assert state.detail.row.word == "Taken back"
    await state.open_void()
    await state.close(is_open=True)
    assert state.dialog == "void"
    await state.close(is_open=False)
    assert state.dialog == ""


@pytest.mark.parametrize("path", ["0", "x", "999999"])
async def test_an_address_of_nothing_shows_nothing(acme, path):
    assert (await tab(PaymentState, acme.quinn, f"{PATH}/{path}")).detail is None
    assert (await tab(BatchState, acme.quinn, f"{BATCHES}/{path}")).detail is None


async def test_a_batch_shows_the_ways_to_its_files(acme):
    made = batch(acme.paula, acme.invoice_id)
    state = await tab(BatchState, acme.quinn, f"{BATCHES}/{made.batch_id}")
    assert (state.detail.number, state.csv_href) == (made.number, f"{BATCHES}/{made.batch_id}/file.csv")
    assert state.xml_href.endswith("file.xml")


async def test_one_invoice_is_paid_with_a_credit_note_set_off(acme):
    credit = invoice(acme.supplier_id, -30, "C-1")
    state = await tab(PayState, acme.quinn, DUE)
    await state.open_pay(acme.invoice_id)
    assert (state.open, state.paying.number, state.paying.amount) == (True, "R-1", "100.00")
    await state.toggle_credit(credit.id)
    await state.toggle_credit(acme.invoice_id)
    await state.toggle_credit(acme.invoice_id)
    assert state.chosen == [credit.id]
    form = {"invoice_id": acme.invoice_id, "amount": "120", "idempotency_key": state.idempotency_key, "rate": ""}
    await state.process_payment(form)
    assert "Only 100.00 USD of R-1 are open" in state.errors["amount"]
    answer = await state.process_payment(form | {"amount": "100,00", "paid_on": day(0).isoformat()})
    assert "PAY-2026-0001: 70.00 USD to Acme" in said(answer)
    assert "DueState.load" in said(answer)
    assert (state.open, paid(credit.id)) == (False, -30)
    await state.open_pay(acme.invoice_id)
    await state.close(is_open=False)
    assert not state.open


async def test_from_the_page_of_an_invoice_it_goes_on_with_the_payment(acme):
    state = await tab(PayState, acme.quinn, f"/invoices/{acme.invoice_id}")
    answer = await state.process_payment({"invoice_id": acme.invoice_id, "amount": "5"})
    assert "/payments/1" in said(answer)


async def test_what_waits_is_said(acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    state = await tab(PayState, acme.quinn, DUE)
    answer = await state.process_payment({"invoice_id": acme.invoice_id, "amount": ""})
    assert "PAY-2026-0001 over 100.00 USD waits for somebody else to agree" in said(answer)


async def test_nobody_pays_what_they_cannot_see(acme):
    role("blind", "payments:process", "payments:view")
    state = await tab(PayState, person("boris", "blind"), DUE)
    answer = await state.open_pay(acme.invoice_id)
    assert "cannot be shown" in said(answer)
    assert not state.open


async def test_what_is_due_is_selected_and_paid_as_a_batch(acme):
    beta = supplier("Beta").id or 0
    account(beta)
    other = invoice(beta, 7, "B-1", due_on=day(-3))
    state = await tab(DueState, acme.quinn, DUE)
    assert [row.number for row in state.rows] == ["B-1", "R-1"]
    assert (state.overdue, state.week, state.month, state.everything) == ("1", "2", "2", "2")
    assert "Select some rows" in said(await state.open_batch())
    await state.select_all()
    await state.open_batch()
    assert (state.batching, state.ready, state.preview.total) == (True, True, "107.00 USD")
    answer = await state.process_batch({"execute_on": day(1).isoformat(), "idempotency_key": state.idempotency_key})
    assert "BAT-2026-0001: 2 payments, 107.00 USD" in said(answer)
    assert "/payments/batches/1" in said(answer)
    assert (state.batching, paid(other.id), paid(acme.invoice_id)) == (False, 7, 100)


async def test_all_that_match_are_paid_and_what_cannot_be_is_said_before(acme):
    bare = invoice(supplier("Gamma").id, 7, "G-1", due_on=day(-3))
    state = await tab(DueState, acme.quinn, DUE, "?when=overdue")
    await state.select_matching()
    await state.open_batch()
    assert (state.batching, state.ready) == (True, False)
    assert "no released bank account" in state.preview.rows[0].fault
    await state.close_batch(is_open=False)
    assert (state.batching, found(SupplierInvoice, bare.id).paid) == (False, 0)


async def test_a_batch_that_waits_is_said(acme, monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", "0")
    forget_cached()
    state = await tab(DueState, acme.quinn, DUE)
    answer = await state.process_batch({"invoice_ids": [acme.invoice_id]})
    assert "waits for somebody else to agree" in said(answer)
    assert found(Payment, 1).status == "waiting"


async def test_who_is_owed_what_is_shown(acme):
    state = await tab(AgeingState, acme.quinn, AGEING)
    assert (state.ageing.total, state.more, state.loading) == ("100.00 USD", "", False)


async def test_a_statement_is_for_who_may_see_invoices_and_amounts(acme):
    state = await tab(StatementState, acme.quinn, f"/suppliers/{acme.supplier_id}")
    assert [line.number for line in state.statement.lines] == ["R-1"]
    emma = person("emma", "employee")
    assert (await tab(StatementState, emma, f"/suppliers/{acme.supplier_id}")).statement is None
    assert (await tab(StatementState, acme.quinn, "/suppliers/x")).statement is None


async def test_the_explainer_answers_about_an_invoice(acme, ada):
    mine = invoice(acme.supplier_id, 5, "R-2", recorded_by=acme.paula.id)
    state = await tab(ExplainState, ada, EXPLAIN, f"?can=payments:process&invoice={mine.id}&q=pau")
    assert (state.subject, state.subject_href) == ("R-2", f"/invoices/{mine.id}")
    (answer,) = state.answers
    assert answer.why == ["Paula would read: “You recorded the invoice R-2, so somebody else must pay.”"]
    assert "invoice=" in said(await state.choose("payments:process"))
    assert "invoice=" not in said(await state.choose("suppliers:approve"))
    state = await tab(ExplainState, ada, EXPLAIN, "?can=payments:process&invoice=999999")
    assert state.subject == ""


async def test_the_payer_chooses_the_account_and_what_is_paid_otherwise_goes_to_none(acme):
    newer = account(acme.supplier_id, "FR1420041010050500013M02606").id
    state = await tab(PayState, acme.quinn, DUE)
    await state.open_pay(acme.invoice_id)
    assert ([one for one, _ in state.paying.accounts], state.paying.account_id) == (
        [str(newer), str(acme.account_id)],
        str(newer),
    )
    form = {"invoice_id": acme.invoice_id, "amount": "5", "bank_account_id": str(acme.account_id)}
    await state.process_payment(form)
    assert found(Payment, 1).bank_account_id == acme.account_id
    await state.process_payment(form | {"method": "cash"})
    assert (found(Payment, 2).bank_account_id, found(Payment, 2).method) == (None, "cash")
    await state.process_payment(form | {"bank_account_id": ""})
    assert found(Payment, 3).bank_account_id == newer


async def test_a_held_payment_asks_for_a_reason_beside_its_field(acme):
    held(acme.supplier_id)
    state = await tab(PayState, acme.quinn, DUE)
    await state.open_pay(acme.invoice_id)
    assert state.paying.held.endswith("suspended Acme: Glass in a jar.")
    form = {"invoice_id": acme.invoice_id, "amount": "5", "idempotency_key": state.idempotency_key}
    assert await state.process_payment(form | {"held_reason": ""}) is None
    assert (state.open, set(state.errors)) == (True, {"held_reason"})
    assert "waits for somebody else to agree" in said(await state.process_payment(form | {"held_reason": "Rent"}))


def held(supplier_id):
    def suspend(session):
        row = session.get_one(Supplier, supplier_id)
        row.status, row.decision_reason = "suspended", "Glass in a jar"

    arrange(suspend)
