"""Who had which part in a chain supplier -> order -> receipt -> invoice -> payment, and who may not pay at its end.

One rule for the operation, the pages and the explainer: the payer is nobody who released the bank account, created the
order or recorded the invoice, and nobody who stands in for somebody who did. Whoever wrote an order anew has created it
as well, and a credit note that lets an invoice agree is a part of that invoice, whether it is set off or not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from inventory_app.errors import AppError, NotAllowed
from inventory_app.models.payments import SupplierBankAccount
from inventory_app.models.purchasing import (
    InvoiceStatus,
    PurchaseOrder,
    PurchaseOrderLine,
    SupplierInvoice,
    SupplierInvoiceLine,
)
from inventory_app.models.users import HOLDINGS, LocalUser, UserInfo
from inventory_app.operations import _approval_rules as rules
from inventory_app.permissions import Permission

#: The parts, as requests for agreement name them, and what whoever had one is told there.
SENTENCES = {
    "entered": "You made this payment, so somebody else must agree.",
    "recorded": "You recorded an invoice that this pays, so somebody else must agree.",
    "credited": "You recorded a credit note about an invoice that this pays, so somebody else must agree.",
    "ordered": "You created an order that this pays for, so somebody else must agree.",
    "edited": "You edited an order that this pays for, so somebody else must agree.",
    "released": "You released the bank account that this goes to, so somebody else must agree.",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody did in the chain: "recorded the invoice R-17"."""

    user_id: int
    part: str
    deed: str


def _of_invoices() -> Any:
    return sa.any_(sa.bindparam("invoices", type_=sa.ARRAY(sa.BigInteger)))


_ORDERS = sa.union(
    sa.select(col(SupplierInvoice.order_id)).where(
        col(SupplierInvoice.id) == _of_invoices(), col(SupplierInvoice.order_id).is_not(None)
    ),
    sa.select(col(PurchaseOrderLine.order_id))
    .join(SupplierInvoiceLine, col(SupplierInvoiceLine.order_line_id) == col(PurchaseOrderLine.id))
    .where(col(SupplierInvoiceLine.invoice_id) == _of_invoices()),
)
_NOTE: Any = aliased(SupplierInvoice, name="note")
_TAKEN, _BILLED = (aliased(SupplierInvoiceLine, name=name) for name in ("taken", "billed"))
#: The credit notes about these invoices, and those of the same lines of orders.
_NOTES = sa.union(
    sa.select(col(SupplierInvoice.id)).where(col(SupplierInvoice.credits) == _of_invoices()),
    sa.select(col(_TAKEN.invoice_id))
    .join(_BILLED, col(_BILLED.order_line_id) == col(_TAKEN.order_line_id))
    .where(col(_BILLED.invoice_id) == _of_invoices(), col(_TAKEN.quantity) < 0),
)
_PARTS = sa.union_all(
    sa.select(
        col(SupplierInvoice.recorded_by).label("user_id"),
        sa.literal("recorded").label("part"),
        col(SupplierInvoice.number).label("name"),
    ).where(col(SupplierInvoice.id) == _of_invoices(), col(SupplierInvoice.recorded_by).is_not(None)),
    sa.select(_NOTE.recorded_by, sa.literal("credited"), _NOTE.number).where(
        _NOTE.id.in_(_NOTES), _NOTE.status != InvoiceStatus.VOID.value, _NOTE.recorded_by.is_not(None)
    ),
    sa.select(col(PurchaseOrder.created_by), sa.literal("ordered"), col(PurchaseOrder.number)).where(
        col(PurchaseOrder.id).in_(_ORDERS), col(PurchaseOrder.created_by).is_not(None)
    ),
    sa.select(col(PurchaseOrder.last_edited_by), sa.literal("edited"), col(PurchaseOrder.number)).where(
        col(PurchaseOrder.id).in_(_ORDERS), col(PurchaseOrder.last_edited_by).is_not(None)
    ),
    sa.select(col(SupplierBankAccount.released_by), sa.literal("released"), sa.literal("")).where(
        col(SupplierBankAccount.id) == sa.any_(sa.bindparam("accounts", type_=sa.ARRAY(sa.BigInteger))),
        col(SupplierBankAccount.released_by).is_not(None),
    ),
)
_DEEDS = {
    "recorded": "recorded the invoice {}",
    "credited": "recorded the credit note {}",
    "ordered": "created the order {}",
    "edited": "edited the order {}",
    "released": "released the bank account that it would go to",
}


def parts(session: Session, invoices: Iterable[int], accounts: Iterable[int] = ()) -> list[Part]:
    """Return who recorded these invoices, created the orders they are for, and released these bank accounts."""
    asked = {"invoices": sorted(set(invoices)), "accounts": sorted(set(accounts))}
    return [Part(row.user_id, row.part, _DEEDS[row.part].format(row.name)) for row in session.execute(_PARTS, asked)]


def why_not_pay(
    session: Session, invoices: Iterable[int], user_id: int | None, accounts: Iterable[int] = ()
) -> AppError | None:
    """Return why this person cannot pay these invoices to these accounts, in words for them; None when they can."""
    return refusal(session, parts(session, invoices, accounts), user_id)


def refusal(session: Session, had: Sequence[Part], user_id: int | None) -> AppError | None:
    """Return the same for parts that are known."""
    if user_id is None:
        return NotAllowed(rules.NEEDS_A_PERSON)
    for one in had:
        if one.user_id == user_id:
            return NotAllowed(f"You {one.deed}, so somebody else must pay.")
    absent = rules.represented(session, [user_id]).get(user_id, frozenset())
    for one in had:
        if one.user_id in absent:
            name = rules.full_names(session, [one.user_id])[one.user_id]
            return NotAllowed(f"You stand in for {name}, who {one.deed}, so somebody else must pay.")
    return None


def who_can_pay(session: Session, had: Sequence[Part]) -> list[str]:
    """Return the names of the enabled people who hold the permission to pay and had none of these parts."""
    statement = (
        sa.select(HOLDINGS.c.user_id, col(UserInfo.full_name), col(LocalUser.username))
        .join(LocalUser, sa.and_(col(LocalUser.id) == HOLDINGS.c.user_id, col(LocalUser.enabled)))
        .join(UserInfo, col(UserInfo.user_id) == HOLDINGS.c.user_id)
        .where(HOLDINGS.c.permission == Permission.PAYMENTS_PROCESS.value)
        .distinct()
    )
    holders = {user_id: name or username for user_id, name, username in session.execute(statement)}
    represented = rules.represented(session, holders)
    taken = {one.user_id for one in had}
    able = [
        name for user_id, name in holders.items() if not taken & ({user_id} | represented.get(user_id, frozenset()))
    ]
    return sorted(able, key=str.casefold)
