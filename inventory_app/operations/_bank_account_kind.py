"""Bank accounts of suppliers as a kind of request: whoever entered one never releases it."""

import json
from collections.abc import Sequence

from sqlmodel import Session, col, select

from inventory_app.database.locks import lock
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.payments import AccountStatus, SupplierBankAccount
from inventory_app.models.suppliers import Supplier
from inventory_app.operations import _iban
from inventory_app.operations._approvals import Kind, Subject, request
from inventory_app.operations._operation import acting_user_id
from inventory_app.permissions import Permission

KIND = "bank_account"
_REPLACES = "replaces"


def ask(session: Session, account: SupplierBankAccount, *, replaces: int | None) -> None:
    """Ask for the release of a new account, with which the one that it `replaces` retires."""
    request(
        session,
        kind=KIND,
        subject_id=account.id or 0,
        permission=Permission.PAYMENTS_APPROVE,
        parties=[(account.entered_by, "entered")],
        asked=json.dumps({_REPLACES: replaces}) if replaces else None,
    )


def replaced_by(approval: Approval) -> int | None:
    """Return the account that retires when the request is approved."""
    return json.loads(approval.asked)[_REPLACES] if approval.asked else None


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    wanted = [approval.subject_id for approval in approvals]
    wanted += [old for approval in approvals if (old := replaced_by(approval))]
    rows = session.execute(
        select(SupplierBankAccount, Supplier)
        .join(Supplier, col(Supplier.id) == col(SupplierBankAccount.supplier_id))
        .where(col(SupplierBankAccount.id).in_(wanted))
    )
    found = {account.id: (account, supplier) for account, supplier in rows}
    subjects: dict[int, Subject] = {}
    for approval in approvals:
        account, supplier = found[approval.subject_id]
        # Masked for everybody: the page it leads to shows the whole number to who may see it.
        details = [("Account holder", account.holder), ("IBAN", _iban.masked(account.iban))]
        details += [(label, value) for label, value in (("BIC", account.bic), ("Bank", account.bank)) if value]
        details.append(("Currency", account.currency))
        if old := replaced_by(approval):
            details.append(("Instead of", _iban.masked(found[old][0].iban)))
        subjects[approval.id or 0] = Subject(
            f"Bank account of {supplier.name}",
            f"/suppliers/{supplier.id}",
            Permission.SUPPLIERS_VIEW,
            details,
            account.version,
        )
    return subjects


def locked(session: Session, account_id: int) -> SupplierBankAccount | None:
    """Lock the account after its supplier and together with the supplier's other accounts."""
    found = session.get(SupplierBankAccount, account_id)
    if found is None:
        return None
    lock(session, Supplier, [found.supplier_id])
    mine = session.scalars(
        select(SupplierBankAccount.id).where(col(SupplierBankAccount.supplier_id) == found.supplier_id)
    )
    return lock(session, SupplierBankAccount, [id_ for id_ in mine if id_ is not None])[account_id]


def _lock(session: Session, account_id: int) -> None:
    locked(session, account_id)


def _approved(session: Session, approval: Approval, reason: str | None) -> None:
    account = _closed_with(session, approval, AccountStatus.RELEASED, reason)
    account.released_by, account.released_at = acting_user_id(), now()
    old = session.get(SupplierBankAccount, replaced_by(approval) or 0)
    if old is not None and old.status == AccountStatus.RELEASED:
        retire(old, "Replaced by another")


def _rejected(session: Session, approval: Approval, reason: str | None) -> None:
    _closed_with(session, approval, AccountStatus.REJECTED, reason)


def _withdrawn(session: Session, approval: Approval, reason: str | None) -> None:
    _closed_with(session, approval, AccountStatus.REJECTED, f"Withdrawn: {reason}" if reason else "Withdrawn")


def _closed_with(
    session: Session, approval: Approval, status: AccountStatus, reason: str | None
) -> SupplierBankAccount:
    account = session.get_one(SupplierBankAccount, approval.subject_id)
    account.status, account.reason = status, reason
    account.version += 1
    return account


def retire(account: SupplierBankAccount, reason: str | None) -> None:
    """Let no money go to the account any more."""
    account.status, account.reason, account.retired_at = AccountStatus.RETIRED, reason, now()
    account.version += 1


BANK_ACCOUNT = Kind(
    name=KIND,
    label="Bank account",
    permission=Permission.PAYMENTS_APPROVE,
    describe=_describe,
    approved=_approved,
    rejected=_rejected,
    withdrawn=_withdrawn,
    lock=_lock,
    parts={"entered": "You entered this account, so somebody else must release it."},
)
