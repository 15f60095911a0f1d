"""Payments under any sequence of paying, agreeing, rejecting and taking back, against the promise they make.

The promise, told without the rules' own code: what is paid of an invoice is what is posted for it and never beyond its
gross; a key is one payment; nobody has made or agreed to a payment who recorded its invoice, created its order or
released its account; what is at least the amount from which somebody must agree was agreed to by somebody else.
"""

from decimal import Decimal
from typing import ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlmodel import col

from inventory_app.context import Actor, acting_as
from inventory_app.errors import AppError
from inventory_app.models.approvals import Approval, ApprovalDecision
from inventory_app.models.payments import Payment, PaymentAllocation, PaymentStatus, SupplierBankAccount
from inventory_app.models.purchasing import PurchaseOrder, SupplierInvoice
from inventory_app.operations import approvals, payments
from inventory_app.operations._payment_rules import Allocation
from inventory_app.unit_of_work import open_session, transact
from tests.factories import arrange, person, supplier
from tests.fixtures.database import forget_cached
from tests.operations.payables import account, books_agree, invoice, order

#: Five may pay and agree by their role; one may not.
NAMES = {
    "ann": "accountant",
    "ben": "admin",
    "cleo": "accountant",
    "dan": "accountant",
    "eve": "admin",
    "fay": "manager",
}
FROM = Decimal(60)
people = st.sampled_from(list(NAMES))
#: More often than not what is there to be paid at all.
amounts = st.one_of(st.none(), st.sampled_from([Decimal(text) for text in ("0.01", "20", "59.99", "60", "100", "150")]))
keys = st.sampled_from([None, None, None, "one", "two", "three"])


class Payments(RuleBasedStateMachine):
    """Everything people can do to pay the invoices of two suppliers."""

    actors: ClassVar[dict[str, Actor]] = {}
    suppliers: ClassVar[list[int]] = []
    runs: ClassVar[int] = 0
    #: How many payments have counted at some time, in all runs: a machine in which nobody ever pays promises nothing.
    posted: ClassVar[int] = 0

    @initialize(recorded=people, created=people)
    def begin(self, recorded: str, created: str) -> None:
        """Begin with invoices, one of them blocked and one a credit note, and people with a part in them."""
        type(self).runs += 1
        self.given: dict[str, int] = {}
        ann, ben = self.actors[recorded], self.actors[created]
        one, other = self.suppliers
        bought = order(one, ben, f"PO-2026-{self.runs:04}")
        self.invoices = [
            invoice(one, 100, f"R-{self.runs}", recorded_by=ann.id).id or 0,
            invoice(one, 100, f"S-{self.runs}", order_id=bought.id).id or 0,
            invoice(one, -40, f"C-{self.runs}").id or 0,
            invoice(other, 100, f"T-{self.runs}", recorded_by=ann.id, order_id=bought.id).id or 0,
            invoice(other, 100, f"B-{self.runs}", status="blocked").id or 0,
        ]
        with open_session() as session:
            self.first = session.scalar(sa.select(sa.func.coalesce(sa.func.max(Payment.id), 0))) or 0

    def attempt(self, who: str, operation, **arguments: object):
        """Let somebody try; a refusal is an answer like another."""
        try:
            with acting_as(self.actors[who]):
                return transact(operation, **arguments)
        except AppError:
            return None

    @rule(who=people, at=st.integers(0, 4), amount=amounts, key=keys)
    def pay_one(self, who: str, at: int, amount: Decimal | None, key: str | None) -> None:
        """Pay an invoice, perhaps with a key that was used before."""
        unique = key and f"{key}-{self.runs}"
        given = {"invoice_id": self.invoices[at], "amount": amount, "idempotency_key": unique}
        made = self.attempt(who, payments.process_payment, **given)
        if made and unique:
            assert self.given.setdefault(unique, made.payment_id) == made.payment_id

    @rule(who=people, chosen=st.lists(st.tuples(st.integers(0, 4), amounts), min_size=2, max_size=3))
    def pay_several(self, who: str, chosen: list[tuple[int, Decimal | None]]) -> None:
        """Pay several at once, credit notes among them."""
        parts = [
            Allocation(self.invoices[at], -amount if amount is not None and at == 2 else amount)
            for at, amount in chosen
        ]
        self.attempt(who, payments.process_payment, allocations=parts)

    @rule(who=people, chosen=st.sets(st.integers(0, 4), min_size=1))
    def pay_a_batch(self, who: str, chosen: set[int]) -> None:
        """Pay many suppliers."""
        wanted = [Allocation(self.invoices[at]) for at in sorted(chosen)]
        self.attempt(who, payments.process_batch, allocations=wanted)

    @rule(who=people, agrees=st.sampled_from([True, True, True, False]), which=st.integers(0, 5))
    def decide(self, who: str, agrees: bool, which: int) -> None:  # noqa: FBT001  # drawn
        """Agree to what waits, or reject it."""
        with open_session() as session:
            about = sa.select(col(Approval.id)).where(
                col(Approval.status) == "open", col(Approval.kind).startswith("payment")
            )
            waiting = list(session.scalars(about.order_by(col(Approval.id))))
        if waiting:
            operation = approvals.approve if agrees else approvals.reject
            self.attempt(who, operation, approval_id=waiting[which % len(waiting)], reason="so")

    @rule(who=people, which=st.integers(0, 9))
    def take_back(self, who: str, which: int) -> None:
        """Take a payment back."""
        with open_session() as session:
            known = list(session.scalars(sa.select(col(Payment.id)).where(col(Payment.id) > self.first)))
        if known:
            self.attempt(who, payments.void_payment, payment_id=sorted(known)[which % len(known)], reason="wrong")

    @invariant()
    def the_sums_agree(self) -> None:
        """What is paid is what is posted, and never beyond what is owed; blocked ones have nothing."""
        books_agree()
        with open_session() as session:
            blocked = session.scalars(sa.select(SupplierInvoice).where(col(SupplierInvoice.status) == "blocked"))
            assert not any(one.paid for one in blocked)
            waiting_and_posted = (
                sa.select(sa.func.sum(col(PaymentAllocation.amount)))
                .join(Payment)
                .where(
                    col(PaymentAllocation.invoice_id) == col(SupplierInvoice.id),
                    col(Payment.status).in_([PaymentStatus.WAITING.value, PaymentStatus.POSTED.value]),
                )
            )
            claimed = session.execute(
                sa.select(col(SupplierInvoice.gross), waiting_and_posted.correlate(SupplierInvoice).scalar_subquery())
            )
            assert all(abs(sum_ or 0) <= abs(gross) for gross, sum_ in claimed)

    @invariant()
    def nobody_paid_who_may_not(self) -> None:
        """Nobody with a part made or agreed to a payment, and what is large enough has two people."""
        with open_session() as session:
            made = session.scalars(
                sa.select(Payment).where(col(Payment.id) > self.first, col(Payment.voids).is_(None))
            ).all()
            for one in made:
                had = _had_a_part(session, one)
                decided = _agreed(session, one)
                assert one.created_by not in had
                assert not had & decided
                assert one.created_by not in decided
                assert one.created_by != self.actors["fay"].id
                if one.status == PaymentStatus.POSTED and one.amount >= FROM:
                    assert decided

    def teardown(self) -> None:
        """Count what came of it."""
        with open_session() as session:
            posted = sa.select(sa.func.count()).where(
                col(Payment.id) > getattr(self, "first", 0),
                col(Payment.posted_at).is_not(None),
                col(Payment.voids).is_(None),
            )
            type(self).posted += session.scalar(posted) or 0
        arrange(
            lambda session: session.execute(
                sa.update(Approval).where(col(Approval.status) == "open").values(status="withdrawn")
            )
        )


def _had_a_part(session, payment: Payment) -> set[int | None]:
    paid = sa.select(col(PaymentAllocation.invoice_id)).where(col(PaymentAllocation.payment_id) == payment.id)
    papers = session.scalars(sa.select(SupplierInvoice).where(col(SupplierInvoice.id).in_(paid))).all()
    orders = session.scalars(
        sa.select(PurchaseOrder).where(col(PurchaseOrder.id).in_([one.order_id for one in papers if one.order_id]))
    )
    account_ = session.get(SupplierBankAccount, payment.bank_account_id or 0)
    found = {one.recorded_by for one in papers} | {one.created_by for one in orders}
    return (found | {account_.released_by if account_ else None}) - {None}


def _agreed(session, payment: Payment) -> set[int]:
    about = sa.or_(
        sa.and_(col(Approval.kind) == "payment", col(Approval.subject_id) == payment.id),
        sa.and_(col(Approval.kind) == "payment_batch", col(Approval.subject_id) == (payment.batch_id or 0)),
    )
    statement = (
        sa.select(col(ApprovalDecision.user_id))
        .join(Approval, col(Approval.id) == col(ApprovalDecision.approval_id))
        .where(about, col(ApprovalDecision.verdict) == "approve")
    )
    return set(session.scalars(statement))


@pytest.mark.usefixtures("database")
def test_no_way_of_paying_breaks_the_promise(monkeypatch):
    monkeypatch.setenv("INVENTORY_PAYMENT_APPROVAL_AMOUNT", str(FROM))
    forget_cached()
    Payments.actors = {name: person(name, role_) for name, role_ in NAMES.items()}
    Payments.suppliers = [supplier(name, status="approved").id or 0 for name in ("Acme", "Beta")]
    account(Payments.suppliers[0], released_by=Payments.actors["dan"].id)
    account(Payments.suppliers[1])
    Payments.runs = Payments.posted = 0
    run_state_machine_as_test(
        Payments,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            # The same paths each time: whether they get far enough is checked below.
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Payments.posted >= Payments.runs, f"only {Payments.posted} payments in {Payments.runs} runs"
