"""Where suppliers' money goes: entered by one person, released by another, never edited, only replaced."""

import re
from dataclasses import dataclass

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, NotFound, Stale
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.payments import AccountStatus, SupplierBankAccount
from inventory_app.operations import _approval_rules as rules
from inventory_app.operations import _bank_account_kind as kind
from inventory_app.operations import _iban
from inventory_app.operations._fields import Fields, checked_reason
from inventory_app.operations._operation import acting_user_id, current_viewer, operation, query
from inventory_app.operations._supplier_changes import edited, read_as
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
#: Those that count, first; within them the newest first.
_ORDER = (AccountStatus.PENDING, AccountStatus.RELEASED, AccountStatus.REJECTED, AccountStatus.RETIRED)


@dataclass(frozen=True, slots=True)
class Entered:
    """An account that waits for its release; `returned` tells that its supplier waits for a decision again."""

    account_id: int
    supplier: str
    returned: bool


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A bank account of a supplier as the viewer may see it: the IBAN whole only with `payments:view`."""

    id: int
    version: int
    holder: str
    iban: str
    bic: str
    bank: str
    currency: str
    status: str
    entered: str
    entered_at: str
    released: str
    released_at: str
    retired_at: str
    reason: str
    #: The request for its release while that is open, and why the viewer cannot decide about it.
    approval_id: int
    why_not: str


@operation(Permission.SUPPLIERS_EDIT, log=("supplier_id", "replaces"))
def add_bank_account(  # noqa: PLR0913  # as many as the form has fields
    session: Session,
    *,
    supplier_id: int,
    version: int,
    holder: str,
    iban: str,
    bic: str = "",
    bank: str = "",
    currency: str = "",
    replaces: int | None = None,
) -> Entered:
    """Enter a bank account; it waits until somebody else releases it, and an approved supplier for a new decision."""
    fields = Fields()
    taken_holder = fields.line("holder", holder, required=True)
    taken_bank = fields.line("bank", bank)
    taken_bic = fields.line(
        "bic", bic.replace(" ", "").upper(), most=11, pattern=_BIC, sentence="A BIC has 8 or 11 characters."
    )
    number = _iban.plain(iban)
    if wrong := _iban.fault(number):
        fields.faults["iban"] = wrong
    supplier = read_as(session, supplier_id, version)
    money = currency.strip().upper() or supplier.currency or get_settings().currency
    if not _CURRENCY.fullmatch(money):
        fields.faults["currency"] = "Enter the three letters of the currency, such as EUR."
    if replaces is not None and not _is_released(session, replaces, supplier_id):
        fields.faults["replaces"] = "Only a released account of this supplier can be replaced."
    fields.check()
    account = SupplierBankAccount(
        supplier_id=supplier_id,
        holder=taken_holder or "",
        iban=number,
        bic=taken_bic,
        bank=taken_bank,
        currency=money,
        entered_by=acting_user_id(),
    )
    session.add(account)
    session.flush()
    kind.ask(session, account, replaces=replaces)
    returned = edited(session, supplier, essential=True)
    return Entered(account.id or 0, supplier.name, returned)


def _is_released(session: Session, account_id: int, supplier_id: int) -> bool:
    found = session.get(SupplierBankAccount, account_id)
    if found is None or found.supplier_id != supplier_id:
        return False
    return lock(session, SupplierBankAccount, [account_id])[account_id].status == AccountStatus.RELEASED


@operation(Permission.SUPPLIERS_EDIT, log=("account_id",), reason="reason")
def retire_bank_account(session: Session, *, account_id: int, version: int, reason: str) -> str:
    """Let no money go to a released account any more; returns whose it is. Needs nobody's agreement."""
    kept = checked_reason(reason, missing="Say why no money is to go there any more.")
    account = kind.locked(session, account_id)
    if account is None:
        message = "There is no such account. Reload the page."
        raise NotFound(message)
    supplier = read_as(session, account.supplier_id, None)
    if account.status != AccountStatus.RELEASED:
        message = f"This account is {account.status}: only a released one retires."
        raise Conflict(message)
    if account.version != version:
        message = "This account was changed after you opened the page. Reload it."
        raise Stale(message)
    kind.retire(account, kept)
    edited(session, supplier, essential=False)
    return supplier.name


@query(Permission.SUPPLIERS_VIEW)
def bank_accounts(session: Session, *, supplier_id: int) -> list[AccountRow]:
    """List the accounts of a supplier, those that wait or count first."""
    accounts = session.scalars(
        select(SupplierBankAccount)
        .where(col(SupplierBankAccount.supplier_id) == supplier_id)
        .order_by(col(SupplierBankAccount.id).desc())
    ).all()
    open_requests = session.scalars(
        select(Approval).where(
            col(Approval.kind) == kind.KIND,
            col(Approval.subject_id).in_([account.id for account in accounts]),
            col(Approval.status) == ApprovalStatus.OPEN,
        )
    )
    waiting = {approval.subject_id: approval for approval in open_requests}
    people = {user for account in accounts for user in (account.entered_by, account.released_by) if user is not None}
    names = rules.full_names(session, people)
    rows = [_row(session, account, waiting.get(account.id or 0), names) for account in accounts]
    return sorted(rows, key=lambda row: _ORDER.index(AccountStatus(row.status)))


def _row(
    session: Session, account: SupplierBankAccount, approval: Approval | None, names: dict[int, str]
) -> AccountRow:
    viewer = current_viewer(session)
    shown = _iban.spaced if Permission.PAYMENTS_VIEW in viewer.permissions else _iban.masked
    refusal = rules.why_not_decide(session, approval, viewer.user_id) if approval else None
    return AccountRow(
        id=account.id or 0,
        version=account.version,
        holder=account.holder,
        iban=shown(account.iban),
        bic=account.bic or "",
        bank=account.bank or "",
        currency=account.currency,
        status=account.status,
        entered=names.get(account.entered_by or 0, "The system"),
        entered_at=account.entered_at.isoformat(),
        released=names.get(account.released_by or 0, ""),
        released_at=account.released_at.isoformat() if account.released_at else "",
        retired_at=account.retired_at.isoformat() if account.retired_at else "",
        reason=account.reason or "",
        approval_id=(approval.id or 0) if approval else 0,
        why_not=str(refusal or ""),
    )
