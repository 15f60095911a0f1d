"""What can be paid, how much of it, to which account, and when somebody else must agree first.

Nothing here is an operation: paying one supplier, a whole batch, agreeing and taking back are made of these steps.
Locks: suppliers, then invoices, then bank accounts, then payments, each in id order; the number last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import AlreadyDecided, Conflict, Invalid, NotFound, WrongAmount
from inventory_app.models._base import now
from inventory_app.models.payments import (
    AccountStatus,
    Payment,
    PaymentAllocation,
    PaymentMethod,
    PaymentStatus,
    SupplierBankAccount,
)
from inventory_app.models.purchasing import InvoiceKind, InvoiceStatus, SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _chain, _matching, _payment_holds
from inventory_app.operations._approval_rules import full_names
from inventory_app.operations._fields import unusable
from inventory_app.operations._money import checked_amount, in_base, said
from inventory_app.operations._operation import Run, acting_user_id, operation_id
from inventory_app.settings import get_settings

#: As banks take it.
LONGEST_REFERENCE = 140
_FURTHEST = timedelta(days=366)
_LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class Allocation:
    """How much is for which invoice: below 0 for a credit note; None: all that is open of it, or as much as fits."""

    invoice_id: int
    amount: Decimal | None = None


@dataclass(slots=True)
class Owed:
    """Invoices of one supplier that are locked, and what of each is paid by this."""

    supplier: Supplier
    currency: str
    invoices: dict[int, SupplierInvoice]
    parts: dict[int, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What goes to the supplier."""
        return sum(self.parts.values(), Decimal(0))

    def counted(self, rate: Decimal) -> Decimal:
        """Return what counts for whether somebody must agree, in the base currency.

        What was paid of the same invoices before counts as well, so that dividing a payment goes around nothing; and
        nothing is worth less than on its invoice, so that the rate whoever pays types in does not either.
        """
        before = sum(
            (in_base(one.paid, one.rate) for one in self.invoices.values() if one.kind == InvoiceKind.INVOICE),
            Decimal(0),
        )
        return in_base(self.total, max(rate, *(one.rate for one in self.invoices.values()))) + before


def suppliers_of(session: Session, invoice_ids: Iterable[int]) -> dict[int, int]:
    """Return the supplier of each invoice; `NotFound` when one of them does not exist."""
    wanted = set(invoice_ids)
    statement = sa.select(col(SupplierInvoice.id), col(SupplierInvoice.supplier_id)).where(
        col(SupplierInvoice.id).in_(wanted)
    )
    found = {row.id: row.supplier_id for row in session.execute(statement)}
    if wanted - found.keys():
        raise NotFound("There is no such invoice (any more). Reload the page.")
    return found


def locked_owed(session: Session, wanted: Sequence[Allocation]) -> list[Owed]:
    """Lock suppliers and invoices and return by supplier what is to be paid; raises why something cannot be."""
    if not wanted:
        raise Invalid("Choose an invoice to pay.")
    ids = [one.invoice_id for one in wanted]
    if len(set(ids)) < len(ids):
        raise Invalid("An invoice is named twice. Name each once, with all that is paid of it.")
    of = suppliers_of(session, ids)
    suppliers = lock(session, Supplier, of.values(), share=True)
    invoices = lock(session, SupplierInvoice, ids)
    waiting = waiting_for(session, ids)
    found: list[Owed] = []
    for supplier_id in sorted(suppliers):
        asked = [one for one in wanted if of[one.invoice_id] == supplier_id]
        mine = {one.invoice_id: invoices[one.invoice_id] for one in asked}
        currencies = sorted({one.currency for one in mine.values()})
        if len(currencies) > 1:
            raise Invalid(f"These invoices are in {' and '.join(currencies)}. Pay each currency by itself.")
        owed = Owed(suppliers[supplier_id], currencies[0], mine)
        _divide(session, owed, asked, waiting)
        found.append(owed)
    return found


def _divide(session: Session, owed: Owed, asked: Sequence[Allocation], waiting: Mapping[int, Decimal]) -> None:
    """Say how much is for which invoice: invoices first, then as much of the credit notes as there is to set off."""
    for one in sorted(asked, key=lambda each: owed.invoices[each.invoice_id].kind == InvoiceKind.CREDIT_NOTE):
        invoice = owed.invoices[one.invoice_id]
        left = still_open(session, invoice, waiting.get(one.invoice_id, Decimal(0)))
        if one.amount is None:
            part = left if left > 0 else max(left, -owed.total)
        else:
            credit = invoice.kind == InvoiceKind.CREDIT_NOTE
            asked_for = checked_amount(one.amount.copy_negate() if credit else one.amount)
            part = -asked_for if credit else asked_for
            if abs(part) > abs(left):
                raise _too_much(invoice, part, left, waiting.get(one.invoice_id, Decimal(0)))
        if part:
            owed.parts[one.invoice_id] = part
    if owed.total < 0:
        sentence = "The credit notes come to more than the invoices. Choose another invoice, or set off less."
        raise Invalid(sentence, fields={"amount": sentence})
    if not owed.parts:
        raise Invalid("A credit note is set off against an invoice: choose one as well.")


def _too_much(invoice: SupplierInvoice, asked: Decimal, left: Decimal, waits: Decimal) -> WrongAmount:
    more = f", {said(abs(waits), invoice.currency)} more wait for somebody's agreement" if waits else ""
    what = "can be set off" if left < 0 else "are open"
    sentence = f"Only {said(abs(left), invoice.currency)} of {invoice.number} {what}{more}"
    kept = f"More was asked than is open of {invoice.number}."
    return WrongAmount(kept, f"{sentence}; you asked for {said(abs(asked))}.")


def waiting_for(session: Session, invoice_ids: Iterable[int]) -> dict[int, Decimal]:
    """Return by invoice what payments that wait for somebody's agreement would pay of it."""
    statement = (
        sa.select(col(PaymentAllocation.invoice_id), sa.func.sum(col(PaymentAllocation.amount)))
        .join(Payment, col(Payment.id) == col(PaymentAllocation.payment_id))
        .where(
            col(PaymentAllocation.invoice_id).in_(set(invoice_ids)),
            col(Payment.status) == PaymentStatus.WAITING.value,
        )
        .group_by(col(PaymentAllocation.invoice_id))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def still_open(session: Session, invoice: SupplierInvoice, waits: Decimal) -> Decimal:
    """Return what is open of a locked invoice and waits in no payment; raises why nothing of it can be paid."""
    if invoice.status == InvoiceStatus.VOID:
        raise AlreadyDecided(f"{invoice.number} was taken back, so there is nothing to pay.")
    if why := _matching.why_not_payable(invoice):
        raise Conflict(why)
    left = invoice.gross - invoice.paid - waits
    if left:
        return left
    by = _by_whom(session, invoice.id or 0)
    if waits:
        raise AlreadyDecided(f"All that is open of {invoice.number} waits for somebody's agreement already{by}.")
    raise AlreadyDecided(f"{invoice.number} is paid in full already{by}.")


def _by_whom(session: Session, invoice_id: int) -> str:
    """Name the last payment of an invoice."""
    statement = (
        sa.select(col(Payment.number), col(Payment.created_by), col(Payment.created_at))
        .join(PaymentAllocation, col(PaymentAllocation.payment_id) == col(Payment.id))
        .where(
            col(PaymentAllocation.invoice_id) == invoice_id,
            col(Payment.status).in_([PaymentStatus.WAITING.value, PaymentStatus.POSTED.value]),
        )
        .order_by(col(Payment.id).desc())
        .limit(1)
    )
    found = session.execute(statement).first()
    if found is None:
        return ""
    name = full_names(session, [found.created_by or 0]).get(found.created_by or 0, "Somebody")
    return f": {found.number} by {name} on {found.created_at:%-d %b %Y, %H:%M} UTC"


def account_for(
    session: Session, owed: Owed, method: PaymentMethod, bank_account_id: int | None
) -> SupplierBankAccount | None:
    """Return the released account that a transfer goes to, locked; None for what goes to no account."""
    if method == PaymentMethod.SETTLEMENT:
        # No money goes anywhere, whatever was chosen.
        return None
    if method != PaymentMethod.TRANSFER:
        if bank_account_id is not None:
            raise Invalid(fields={"bank_account_id": "Only a transfer goes to a bank account."})
        return None
    wanted = bank_account_id or usual_account(session, owed.supplier.id or 0, owed.currency)
    if wanted is None:
        sentence = f"{owed.supplier.name} has no released bank account in {owed.currency}. Enter one, and have it "
        raise Invalid(fields={"bank_account_id": sentence + "released by somebody else."})
    account = lock(session, SupplierBankAccount, [wanted], share=True).get(wanted)
    if account is None or account.supplier_id != owed.supplier.id:
        raise Invalid(fields={"bank_account_id": f"This is no bank account of {owed.supplier.name}."})
    must_be_released(account)
    if account.currency != owed.currency:
        raise Invalid(fields={"bank_account_id": f"This account is in {account.currency}, not in {owed.currency}."})
    return account


def must_be_released(account: SupplierBankAccount) -> None:
    """Refuse an account that money may not go to."""
    if account.status != AccountStatus.RELEASED:
        words = {"pending": "waits to be released", "rejected": "was rejected", "retired": "is not used any more"}
        message = f"The bank account that ends in {account.iban[-4:]} {words[account.status]}."
        raise Conflict(message, fields={"bank_account_id": message})


def released_accounts(session: Session, supplier_id: int, currency: str) -> list[SupplierBankAccount]:
    """Return the accounts of a supplier in a currency that money may go to, the one that was released last first."""
    account = SupplierBankAccount
    statement = (
        select(account)
        .where(
            account.supplier_id == supplier_id,
            account.status == AccountStatus.RELEASED.value,
            account.currency == currency,
        )
        .order_by(col(account.released_at).desc().nulls_last(), col(account.id).desc())
    )
    return list(session.exec(statement))


def offered_account(session: Session, supplier_id: int, currency: str, user_id: int | None) -> int | None:
    """Return the account that a payer is offered first: released last, by somebody else where there is such a one."""
    accounts = released_accounts(session, supplier_id, currency)
    usable = [one.id for one in accounts if one.released_by != user_id] or [one.id for one in accounts]
    return usable[0] if usable else None


def usual_account(session: Session, supplier_id: int, currency: str) -> int | None:
    """Return the account of a supplier in a currency that was released last."""
    return usual_accounts(session, [supplier_id], currency).get(supplier_id)


def usual_accounts(session: Session, supplier_ids: Iterable[int], currency: str) -> dict[int, int]:
    """Return by supplier the account in a currency that was released last."""
    account = SupplierBankAccount
    statement = (
        sa.select(col(account.supplier_id), col(account.id))
        .where(
            col(account.supplier_id).in_(set(supplier_ids)),
            col(account.status) == AccountStatus.RELEASED.value,
            col(account.currency) == currency,
        )
        .order_by(col(account.supplier_id), col(account.released_at).nulls_first(), col(account.id))
    )
    return {row.supplier_id: row.id for row in session.execute(statement)}


def may_pay(
    session: Session, owed: Iterable[Owed], accounts: Iterable[SupplierBankAccount | None]
) -> list[_chain.Part]:
    """Return who had which part in the chain; raises why the acting person may not pay at its end."""
    invoices = [id_ for one in owed for id_ in one.parts]
    had = _chain.parts(session, invoices, [one.id or 0 for one in accounts if one])
    if refused := _chain.refusal(session, had, acting_user_id()):
        raise refused
    return had


def checked_text(text: str, field_name: str = "reference") -> str | None:
    """Return a reference or note as it is kept."""
    kept = " ".join(text.split()) if field_name == "reference" else text.strip()
    most = LONGEST_REFERENCE if field_name == "reference" else _LONGEST_NOTE
    fault = unusable(kept, lines=field_name == "note")
    if fault or len(kept) > most:
        raise Invalid(fields={field_name: fault or f"Use at most {most:,} characters."})
    return kept or None


def checked_day(day: date | None, field_name: str = "paid_on") -> date:
    """Return the day of a payment: today unless another is given, no more than a year away."""
    today = now().date()
    if day is not None and abs(day - today) > _FURTHEST:
        raise Invalid(fields={field_name: "Choose a day that is no more than a year away."})
    return day or today


def checked_method(method: str, total: Decimal) -> PaymentMethod:
    """Return how the money goes: a settlement is what no money goes for, and nothing else is one."""
    try:
        known = PaymentMethod(method)
    except ValueError:
        raise Invalid(fields={"method": "Choose one of the list."}) from None
    if total == 0:
        # Credit notes come to as much as the invoices, whatever was chosen.
        return PaymentMethod.SETTLEMENT
    if known == PaymentMethod.SETTLEMENT:
        raise Invalid(fields={"method": "Something is left to be paid, so say how the money goes."})
    return known


def must_wait(counted: Decimal, *, moves_money: bool = True) -> bool:
    """Tell whether somebody else must agree first."""
    return moves_money and counted >= get_settings().payment_approval_amount


def key_of(session: Session) -> str:
    """Return the key that the payment is known by: what the form carried, else the operation's own id."""
    run: Run = session.info["run"]
    return run.key or str(operation_id(session))


def parts_of(session: Session, payment_ids: Iterable[int]) -> dict[int, dict[int, Decimal]]:
    """Return by payment how much of it is for which invoice."""
    found: dict[int, dict[int, Decimal]] = {id_: {} for id_ in payment_ids}
    statement = sa.select(
        col(PaymentAllocation.payment_id), col(PaymentAllocation.invoice_id), col(PaymentAllocation.amount)
    ).where(col(PaymentAllocation.payment_id).in_(found.keys()))
    for payment_id, invoice_id, amount in session.execute(statement):
        found[payment_id][invoice_id] = amount
    return found


def count_in(invoices: Mapping[int, SupplierInvoice], parts: Mapping[int, Decimal], sign: int = 1) -> None:
    """Count what was paid of these locked invoices, or take it off again."""
    for id_, part in parts.items():
        invoices[id_].paid += sign * part
        invoices[id_].version += 1


@dataclass(frozen=True, slots=True)
class Held:
    """Payments that are locked with everything they touch."""

    payments: list[Payment]
    parts: dict[int, dict[int, Decimal]]
    invoices: dict[int, SupplierInvoice]
    accounts: dict[int, SupplierBankAccount]
    suppliers: dict[int, Supplier]


def hold(session: Session, payment_ids: Sequence[int], *, to_match: bool = False) -> Held:
    """Lock payments after their suppliers, invoices and bank accounts; what they are for never changes.

    `to_match` locks what the match of the invoices depends on as well, for who matches them again.
    """
    parts = parts_of(session, payment_ids)
    statement = sa.select(col(Payment.supplier_id), col(Payment.bank_account_id)).where(col(Payment.id).in_(parts))
    of = session.execute(statement).all()
    suppliers = lock(session, Supplier, {row.supplier_id for row in of}, share=True)
    ids = {id_ for one in parts.values() for id_ in one}
    if to_match:
        _matching.lock_papers(session, _matching.orders_of(session, ids), ids)
    invoices = lock(session, SupplierInvoice, ids)
    accounts = lock(
        session, SupplierBankAccount, {row.bank_account_id for row in of if row.bank_account_id}, share=True
    )
    payments = lock(session, Payment, payment_ids)
    return Held([payments[id_] for id_ in sorted(payments)], parts, invoices, accounts, suppliers)


def post(session: Session, held: Held) -> None:
    """Let payments that waited count; refuses all of them when one cannot any more."""
    for payment in held.payments:
        _payment_holds.refuse_since(
            session, held.suppliers[payment.supplier_id], payment, "Reject it, and pay anew with a reason."
        )
        parts = held.parts[payment.id or 0]
        for id_, part in parts.items():
            invoice = held.invoices[id_]
            if why := _matching.why_not_payable(invoice):
                message = f"{invoice.number} has changed since {payment.number} was made. {why}"
                raise Conflict(message)
            if abs(invoice.paid + part) > abs(invoice.gross):
                message = f"{invoice.number} has changed since {payment.number} was made: less of it is open."
                raise Conflict(f"{message} Reject this, and pay what is open.")
        if payment.bank_account_id is not None:
            must_be_released(held.accounts[payment.bank_account_id])
        count_in(held.invoices, parts)
        payment.status, payment.posted_at = PaymentStatus.POSTED, now()
        payment.version += 1


def drop(held: Held, reason: str | None) -> None:
    """Let payments that waited come to nothing."""
    for payment in held.payments:
        payment.status, payment.void_reason = PaymentStatus.REJECTED, reason
        payment.version += 1
