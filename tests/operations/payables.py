"""Invoices to pay, accounts to pay to and people who may pay, for the tests of payments."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.context import Actor, acting_as
from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.payments import AccountStatus, Payment, PaymentAllocation, PaymentStatus, SupplierBankAccount
from inventory_app.models.purchasing import InvoiceKind, InvoiceStatus, OrderStatus, PurchaseOrder, SupplierInvoice
from inventory_app.models.users import LocalUser
from inventory_app.operations import approvals, payments
from inventory_app.operations._payment_rules import Allocation
from inventory_app.unit_of_work import open_session, transact
from tests.factories import add, location, person, supplier

IBAN = "DE89370400440532013000"
TODAY = now().date()


def _olaf() -> int | None:
    with open_session() as session:
        known = session.scalar(sa.select(col(LocalUser.id)).where(col(LocalUser.username) == "olaf"))
    return known or person("olaf").id


def account(supplier_id: int, iban: str = IBAN, **columns: object) -> SupplierBankAccount:
    """Add a bank account that Olaf, who does nothing else, has released unless `status` says otherwise."""
    given: dict[str, object] = {
        "holder": "Acme GmbH",
        "currency": "USD",
        "status": AccountStatus.RELEASED,
        "released_at": now(),
        "released_by": _olaf(),
    }
    return add(SupplierBankAccount(supplier_id=supplier_id, iban=iban, **(given | columns)))


def invoice(supplier_id: int, gross: Decimal | int | str = 100, number: str = "R-1", **columns: object):
    """Add an invoice that is matched and due today; below 0 it is a credit note."""
    amount = Decimal(gross)
    given: dict[str, object] = {
        "kind": InvoiceKind.CREDIT_NOTE if amount < 0 else InvoiceKind.INVOICE,
        "invoice_date": TODAY - timedelta(days=30),
        "due_on": TODAY,
        "currency": "USD",
        "net": amount,
        "tax": Decimal(0),
        "gross": amount,
        "status": InvoiceStatus.MATCHED,
        "matched_at": now(),
    }
    return add(SupplierInvoice(supplier_id=supplier_id, number=number, **(given | columns)))


def order(supplier_id: int, created_by: Actor, number: str = "PO-2026-0001") -> PurchaseOrder:
    """Add an order that somebody created."""
    return add(
        PurchaseOrder(
            number=number,
            supplier_id=supplier_id,
            status=OrderStatus.RECEIVED,
            currency="USD",
            location_id=location(f"DOCK{number[-4:]}").id or 0,
            created_by=created_by.id,
        )
    )


@dataclass
class Payables:
    """A supplier with an account and an invoice of 100, and two accountants who may pay it."""

    paula: Actor
    quinn: Actor
    supplier_id: int
    account_id: int
    invoice_id: int
    more: dict[str, int] = field(default_factory=dict)


def payables(gross: Decimal | int | str = 100) -> Payables:
    """Arrange them."""
    acme = supplier("Acme", status="approved").id or 0
    return Payables(
        person("paula", "accountant"),
        person("quinn", "accountant"),
        acme,
        account(acme).id or 0,
        invoice(acme, gross).id or 0,
    )


def pay(by: Actor, invoice_id: int | None = None, amount: Decimal | int | str | None = None, **more: object):
    """Pay for somebody."""
    given = {} if amount is None else {"amount": Decimal(amount)}
    with acting_as(by):
        return transact(payments.process_payment, invoice_id=invoice_id, **given, **more)


def pay_parts(by: Actor, *parts: tuple[int, Decimal | int | None], **more: object):
    """Pay several invoices at once for somebody."""
    wanted = [Allocation(id_, None if part is None else Decimal(part)) for id_, part in parts]
    with acting_as(by):
        return transact(payments.process_payment, allocations=wanted, **more)


def batch(by: Actor, *invoice_ids: int, **more: object):
    """Pay invoices of many suppliers for somebody."""
    with acting_as(by):
        return transact(payments.process_batch, allocations=[Allocation(id_) for id_ in invoice_ids], **more)


def void(by: Actor, payment_id: int, reason: str = "Paid twice", **more: object):
    """Take a payment back for somebody."""
    with acting_as(by):
        return transact(payments.void_payment, payment_id=payment_id, reason=reason, **more)


_ABOUT_PAYMENTS = (col(Approval.status) == ApprovalStatus.OPEN.value, col(Approval.kind).startswith("payment"))


def open_request() -> Approval:
    """Return the one request about a payment that is open."""
    with open_session() as session:
        found = session.scalars(sa.select(Approval).where(*_ABOUT_PAYMENTS)).one()
        session.expunge(found)
        return found


def agree(by: Actor, reason: str = ""):
    """Agree to the one request that is open."""
    with acting_as(by):
        return transact(approvals.approve, approval_id=open_request().id or 0, reason=reason)


def reject(by: Actor, reason: str = "Not ours"):
    """Reject the one request that is open."""
    with acting_as(by):
        return transact(approvals.reject, approval_id=open_request().id or 0, reason=reason)


def found(model, id_: int):
    """Return a row as it stands."""
    with open_session() as session:
        row = session.get_one(model, id_)
        session.expunge(row)
        return row


def paid(invoice_id: int) -> Decimal:
    """Return what is paid of an invoice."""
    return found(SupplierInvoice, invoice_id).paid


def payment_of(paid_: payments.Paid) -> Payment:
    """Return the payment that was made."""
    return found(Payment, paid_.payment_id)


def books_agree() -> None:
    """See that what is paid of each invoice is the sum of what is posted for it, and never beyond its gross."""
    with open_session() as session:
        posted = dict(
            session.execute(
                sa.select(col(PaymentAllocation.invoice_id), sa.func.sum(col(PaymentAllocation.amount)))
                .join(Payment, col(Payment.id) == col(PaymentAllocation.payment_id))
                .where(col(Payment.status) == PaymentStatus.POSTED.value)
                .group_by(col(PaymentAllocation.invoice_id))
            ).all()
        )
        for one in session.scalars(sa.select(SupplierInvoice)):
            assert one.paid == posted.get(one.id, Decimal(0)), one.number
            assert abs(one.paid) <= abs(one.gross), one.number
        counted = session.execute(
            sa.select(col(Payment.amount), sa.func.sum(col(PaymentAllocation.amount)))
            .join(PaymentAllocation, col(PaymentAllocation.payment_id) == col(Payment.id))
            .group_by(col(Payment.id))
        ).all()
        assert all(amount == parts for amount, parts in counted)


def refused(act, *args: object, **more: object) -> AppError:
    """Return why something was refused."""
    try:
        act(*args, **more)
    except AppError as error:
        return error
    message = "it was not refused"
    raise AssertionError(message)


def said(error: AppError) -> str:
    """Return all that a refusal says."""
    return f"{error} {error.detail}"


def day(days: int) -> date:
    """Return a day so many days from today."""
    return TODAY + timedelta(days=days)
