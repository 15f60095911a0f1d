"""Paying suppliers: one payment, a batch for the bank, and taking back what was wrong by a counter-entry.

Never more than is open, under the locks of the invoices; the same key twice is one payment; from an amount on, and by
whoever had a part in the chain, somebody else must act.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from inventory_app.errors import AlreadyDecided, AppError, Conflict, Invalid, InvalidRows, NotFound, Stale, WrongAmount
from inventory_app.models._base import now
from inventory_app.models.payments import Payment, PaymentBatch, PaymentMethod, PaymentStatus, SupplierBankAccount
from inventory_app.operations import _matching, _series
from inventory_app.operations import _payment_holds as holds
from inventory_app.operations import _payment_rules as rules
from inventory_app.operations._fields import checked_reason
from inventory_app.operations._money import cents, checked_amount, checked_rate
from inventory_app.operations._operation import acting_user_id, operation, operation_id, require
from inventory_app.operations._payment_approvals import ask, hold_batch
from inventory_app.operations._payment_files import OurAccount, Transfer, as_csv, as_pain
from inventory_app.operations._payment_rows import add_parts, write_payment
from inventory_app.operations._payment_rules import Allocation, Owed
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

#: So many invoices can be paid at once.
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that was made: `waits` tells that somebody else must agree before it counts."""

    payment_id: int
    number: str
    supplier: str
    amount: str
    currency: str
    waits: bool


@operation(Permission.PAYMENTS_PROCESS, log=("invoice_id", "bank_account_id", "method"), reason="note", fresh=True)
def process_payment(  # noqa: PLR0913  # as many as a payment has details
    session: Session,
    *,
    invoice_id: int | None = None,
    amount: Decimal | None = None,
    allocations: Sequence[Allocation] = (),
    method: str = PaymentMethod.TRANSFER,
    reference: str = "",
    note: str = "",
    paid_on: date | None = None,
    rate: Decimal | None = None,
    bank_account_id: int | None = None,
    held_reason: str = "",
) -> Paid:
    """Pay one invoice, all that is open of it unless an amount is given, or several of one supplier at once.

    Credit notes among them are set off. `amount` beside `allocations` is what they must come to. A supplier that is
    suspended or rejected is paid with `held_reason` only, and once somebody else has agreed.
    """
    require(session, Permission.PRICES_VIEW)
    wanted = _wanted(invoice_id, amount, allocations)
    kept_reference, kept_note = rules.checked_text(reference), rules.checked_text(note, "note")
    day, key = rules.checked_day(paid_on), rules.key_of(session)
    owed, *others = rules.locked_owed(session, wanted)
    if others:
        raise Invalid("These invoices are of several suppliers. Pay them as a batch, or one supplier at a time.")
    if allocations and amount is not None and not (amount.is_finite() and owed.total == amount):
        raise WrongAmount("The parts come to another amount.", f"The parts come to {owed.total}, not to {amount}.")
    how, worth = rules.checked_method(method, owed.total), checked_rate(owed.currency, rate)
    in_spite = holds.reason_to_pay(session, owed.supplier, held_reason, moves_money=owed.total > 0)
    account = rules.account_for(session, owed, how, bank_account_id)
    had = rules.may_pay(session, [owed], [account])
    waits = in_spite is not None or rules.must_wait(owed.counted(worth), moves_money=owed.total > 0)
    if not waits:
        rules.count_in(owed.invoices, owed.parts)
    payment = _payment(owed, account, "", key, waits=waits, day=day)
    payment.method, payment.rate, payment.reference, payment.note = how, worth, kept_reference, kept_note
    payment.held_reason = in_spite
    write_payment(session, payment, owed.parts)
    if waits:
        ask(session, payment, had)
    return Paid(payment.id or 0, payment.number, owed.supplier.name, str(cents(owed.total)), payment.currency, waits)


def _wanted(invoice_id: int | None, amount: Decimal | None, allocations: Sequence[Allocation]) -> list[Allocation]:
    """Return what is to be paid, named either way."""
    if invoice_id is not None and allocations:
        raise Invalid("Name one invoice, or the parts of several, not both.")
    if len(allocations) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} invoices can be paid at once. Pay the others afterwards.")
    if invoice_id is None:
        return list(allocations)
    return [Allocation(invoice_id, None if amount is None else checked_amount(amount))]


def _payment(
    owed: Owed, account: SupplierBankAccount | None, number: str, key: str, *, waits: bool, day: date
) -> Payment:
    return Payment(
        number=number,
        supplier_id=owed.supplier.id or 0,
        bank_account_id=account.id if account else None,
        amount=owed.total,
        currency=owed.currency,
        paid_on=day,
        status=PaymentStatus.WAITING if waits else PaymentStatus.POSTED,
        posted_at=None if waits else now(),
        key=key,
        created_by=acting_user_id(),
    )


@dataclass(frozen=True, slots=True)
class Voided:
    """A payment that was taken back, and the counter-entry that did it."""

    payment_id: int
    number: str
    counter_id: int
    counter_number: str


@operation(Permission.PAYMENTS_APPROVE, log=("payment_id",), reason="reason", fresh=True)
def void_payment(session: Session, *, payment_id: int, reason: str, version: int | None = None) -> Voided:
    """Take a payment back by a counter-entry: what it paid is open again."""
    why = checked_reason(reason, missing="Say why it is taken back: the reason is kept with the payment.")
    held = rules.hold(session, [payment_id], to_match=True)
    if not held.payments:
        raise NotFound("There is no such payment. Reload the page.")
    payment = held.payments[0]
    if payment.voids is not None:
        raise Conflict(f"{payment.number} takes another payment back, and stays. Pay again what was right.")
    if payment.status != PaymentStatus.POSTED:
        words = {
            PaymentStatus.WAITING: "waits for somebody's agreement: withdraw or reject it instead",
            PaymentStatus.REJECTED: "never counted, so there is nothing to take back",
            PaymentStatus.VOID: "has been taken back already",
        }
        raise AlreadyDecided(f"{payment.number} {words[PaymentStatus(payment.status)]}.")
    if version is not None and payment.version != version:
        raise Stale
    parts = held.parts[payment_id]
    rules.count_in(held.invoices, parts, -1)
    # What agreed no more stayed payable only as long as something was paid of it.
    session.flush()
    _matching.match_again(session, parts)
    payment.status, payment.void_reason = PaymentStatus.VOID, why
    payment.version += 1
    day = now().date()
    counter = Payment(
        number="",
        supplier_id=payment.supplier_id,
        bank_account_id=payment.bank_account_id,
        amount=-payment.amount,
        currency=payment.currency,
        rate=payment.rate,
        method=payment.method,
        reference=payment.reference,
        paid_on=day,
        # It counts as little as what it takes back: what is paid is the sum of what is posted.
        status=PaymentStatus.VOID,
        posted_at=now(),
        # No key that somebody could have given a payment of theirs, so that this can never be taken back.
        key=str(operation_id(session)),
        created_by=acting_user_id(),
        voids=payment_id,
        void_reason=why,
    )
    write_payment(session, counter, {id_: -part for id_, part in parts.items()})
    return Voided(payment_id, payment.number, counter.id or 0, counter.number)


@dataclass(frozen=True, slots=True)
class Batched:
    """Payments that go to the bank in one file, once they count."""

    batch_id: int
    number: str
    payments: int
    amount: str
    currency: str
    waits: bool


@operation(Permission.PAYMENTS_PROCESS, fresh=True)
def process_batch(
    session: Session,
    *,
    allocations: Sequence[Allocation],
    execute_on: date | None = None,
    rate: Decimal | None = None,
) -> Batched:
    """Pay invoices of many suppliers in one currency by transfer, one payment for each supplier, all or nothing."""
    require(session, Permission.PRICES_VIEW)
    wanted = _wanted(None, None, allocations)
    day, key = rules.checked_day(execute_on, "execute_on"), rules.key_of(session)
    owed = rules.locked_owed(session, wanted)
    currencies = sorted({one.currency for one in owed})
    if len(currencies) > 1:
        raise Invalid(f"These invoices are in {' and '.join(currencies)}. A batch is in one currency.")
    worth = checked_rate(currencies[0], rate)
    accounts = [_account(session, one) for one in owed]
    faults = [
        (row, owed[row - 1].supplier.name, next(iter(found.fields.values()), str(found)))
        for row, found in enumerate(accounts, 1)
        if isinstance(found, AppError)
    ]
    if faults:
        raise InvalidRows("Nothing was paid.", faults)
    usable = [one for one in accounts if not isinstance(one, AppError)]
    had = rules.may_pay(session, owed, usable)
    waits = rules.must_wait(sum((one.counted(worth) for one in owed), Decimal(0)))
    if not waits:
        for one in owed:
            rules.count_in(one.invoices, one.parts)
    total = sum((one.total for one in owed), Decimal(0))
    batch = PaymentBatch(
        number=_series.draw(session, _series.BATCH, day),
        status=PaymentStatus.WAITING if waits else PaymentStatus.POSTED,
        currency=currencies[0],
        execute_on=day,
        total=total,
        payment_count=len(owed),
        created_by=acting_user_id(),
        posted_at=None if waits else now(),
    )
    session.add(batch)
    session.flush()
    made: list[tuple[Payment, Owed]] = []
    numbers = _series.draw_many(session, _series.PAYMENT, day, len(owed))
    for one, account, number in zip(owed, usable, numbers, strict=True):
        payment = _payment(one, account, number, f"{key}:{one.supplier.id}", waits=waits, day=day)
        payment.batch_id, payment.rate, payment.reference = batch.id, worth, _reference(one)
        made.append((payment, one))
    session.add_all([payment for payment, _ in made])
    session.flush()
    add_parts(session, {payment.id or 0: one.parts for payment, one in made})
    if waits:
        ask(session, batch, had)
    return Batched(batch.id or 0, batch.number, len(made), str(cents(total)), batch.currency, waits)


def _account(session: Session, owed: Owed) -> SupplierBankAccount | AppError | None:
    """Return where a supplier's money goes, or why it cannot."""
    if owed.total == 0:
        return Conflict("The credit notes come to as much as the invoices. Settle them by themselves.")
    if held := holds.why_not_together(session, owed.supplier):
        return held
    try:
        return rules.account_for(session, owed, PaymentMethod.TRANSFER, None)
    except AppError as error:
        return error


def _reference(owed: Owed) -> str:
    """Return what the supplier reads on its statement: the numbers of what is paid, as many as fit."""
    text = ", ".join(owed.invoices[id_].number for id_ in owed.parts)
    return text if len(text) <= rules.LONGEST_REFERENCE else text[: rules.LONGEST_REFERENCE - 1] + "…"


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A file for the bank, and what its content is known by."""

    name: str
    media_type: str
    content: str
    sha256: str


@operation(Permission.PAYMENTS_PROCESS, log=("batch_id", "kind"))
def take_payment_file(session: Session, *, batch_id: int, kind: str) -> PaymentFile:
    """Hand out a batch that counts as a file for the bank; what it was is kept as its SHA-256."""
    require(session, Permission.PRICES_VIEW)
    known = session.get(PaymentBatch, batch_id)
    if known is None or kind not in ("xml", "csv"):
        raise NotFound("There is no such file.")
    batch, held = hold_batch(session, batch_id)
    going = [payment for payment in held.payments if payment.status == PaymentStatus.POSTED]
    if batch.status != PaymentStatus.POSTED or not going:
        message = (
            f"{batch.number} has nothing that the bank should carry out: it waits, was rejected or was taken back."
        )
        raise Conflict(message)
    for payment in going:
        holds.refuse_since(session, held.suppliers[payment.supplier_id], payment, "Take it back before the file goes.")
    names = _holders(going, held)
    transfers = [
        Transfer(payment.number, payment.amount, *names[payment.id or 0], payment.reference or payment.number)
        for payment in going
    ]
    if kind == "csv":
        made = as_csv(transfers, batch.currency, batch.execute_on)
    else:
        made = as_pain(transfers, batch.number, batch.posted_at or batch.created_at, batch.execute_on, _ours(batch))
    batch.file_sha256, batch.file_fetched_at = made.sha256, now()
    return PaymentFile(f"{batch.number}.{kind}", made.media_type, made.content, made.sha256)


def _holders(going: Sequence[Payment], held: rules.Held) -> dict[int, tuple[str, str, str]]:
    """Return by payment to whom it goes: holder, IBAN and BIC."""
    found: dict[int, tuple[str, str, str]] = {}
    for payment in going:
        account = held.accounts[payment.bank_account_id or 0]
        # What was taken out of use since then must not get money any more.
        rules.must_be_released(account)
        found[payment.id or 0] = (account.holder, account.iban, account.bic or "")
    return found


def _ours(batch: PaymentBatch) -> OurAccount:
    """Return our own account; raises what is missing for a SEPA file."""
    settings = get_settings()
    if batch.currency != "EUR":
        raise Conflict(f"A SEPA file is in EUR, and {batch.number} is in {batch.currency}. Take the CSV file.")
    if not settings.bank_iban:
        message = "Our own bank account is not set: whoever operates this sets INVENTORY_BANK_IBAN. The CSV file "
        raise Conflict(f"{message}does without.")
    return OurAccount(settings.company, settings.bank_iban, settings.bank_bic or "")
