"""The lists of payments and of what is due: what they can be sorted and narrowed down by."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models._base import sort_key
from inventory_app.models.payments import Payment, PaymentBatch, PaymentMethod
from inventory_app.models.purchasing import SupplierInvoice
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import UserInfo
from inventory_app.operations._list_filters import AnyOf, Asked, Asking, Condition, OneOf, Range, Words
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.operations._matching import PAYABLE
from inventory_app.operations._paging import like_escaped, storable
from inventory_app.operations._payment_holds import IS_HELD
from inventory_app.permissions import Permission

STATUSES = {"waiting": "Waiting", "posted": "Paid", "rejected": "Rejected", "void": "Taken back"}
METHODS = {
    PaymentMethod.TRANSFER.value: "Bank transfer",
    PaymentMethod.CARD.value: "Card",
    PaymentMethod.CASH.value: "Cash",
    PaymentMethod.CHECK.value: "Cheque",
    PaymentMethod.SETTLEMENT.value: "Settled",
}
#: From when on an invoice is due, by the name of its tab.
WHENS = {"overdue": "Overdue", "week": "Within 7 days", "month": "Within 30 days"}


def _word(_: Asking, text: str) -> Asked:
    plain = storable(text).lower()
    return True, {"folded": f"%{like_escaped(sort_key(text))}%", "typed": f"%{like_escaped(plain)}%"}


def _found(*texts: Any) -> Callable[[Any, Callable[[str], str]], Condition]:
    """Find a word in the supplier's name or in one of these texts."""

    def finds(_: Any, name: Callable[[str], str]) -> Condition:
        folded, typed = (sa.bindparam(name(part), type_=sa.Text()) for part in ("folded", "typed"))
        return sa.or_(col(Supplier.sort_key).like(folded), *(sa.func.lower(text).like(typed) for text in texts))

    return finds


_SUPPLIER = ("supplier",)

#: The list of payments, the newest first.
LIST = Listing(
    permission=Permission.PAYMENTS_VIEW,
    table=Payment,
    ident=col(Payment.id),
    sort="number",
    columns=(
        # Counted down, so that the newest stand first without being asked for.
        Column(key="number", label="Payment", by=-col(Payment.id), fixed=True),
        Column(key="supplier", label="Supplier", by=col(Supplier.sort_key), needs=_SUPPLIER, fixed=True),
        Column(key="day", label="Day", by=col(Payment.paid_on)),
        Column(key="method", label="How", by=col(Payment.method)),
        Column(key="reference", label="Reference", by=col(Payment.reference), nullable=True, extra=True),
        Column(key="batch", label="Batch", by=col(PaymentBatch.number), needs=("batch",), nullable=True, extra=True),
        Column(key="by", label="By", by=col(UserInfo.sort_key), needs=("payer",), nullable=True),
        Column(key="amount", label="Amount", by=col(Payment.amount), numeric=True, permission=Permission.PRICES_VIEW),
        Column(key="status", label="Status", by=col(Payment.status), fixed=True),
    ),
    search=Words(
        key="q",
        label="Search",
        needs=_SUPPLIER,
        word=_word,
        finds=_found(col(Payment.number), sa.func.coalesce(col(Payment.reference), "")),
    ),
    filters=(
        OneOf(
            key="status",
            label="Status",
            quiet=True,
            options={status: col(Payment.status) == status for status in STATUSES},
            words=STATUSES,
        ),
        OneOf(
            key="method",
            label="How",
            options={method: col(Payment.method) == method for method in METHODS},
            words=METHODS,
        ),
        AnyOf(key="supplier", label="Supplier", matches=lambda ids: col(Payment.supplier_id) == sa.any_(ids)),
        AnyOf(key="currency", label="Currency", type_=str, matches=lambda ones: col(Payment.currency) == sa.any_(ones)),
        Range(key="amount", label="Amount", column=col(Payment.amount), permission=Permission.PRICES_VIEW),
    ),
    joins={
        "supplier": Join(Supplier, col(Supplier.id) == col(Payment.supplier_id)),
        "batch": Join(PaymentBatch, col(PaymentBatch.id) == col(Payment.batch_id), outer=True),
        "payer": Join(UserInfo, col(UserInfo.user_id) == col(Payment.created_by), outer=True),
    },
)

OPEN = col(SupplierInvoice.gross) - col(SupplierInvoice.paid)
_TODAY = sa.func.current_date()

#: What can be paid and is not, by the day it is due.
DUE = Listing(
    permission=Permission.PAYMENTS_VIEW,
    table=SupplierInvoice,
    ident=col(SupplierInvoice.id),
    sort="due",
    only=sa.and_(
        PAYABLE,
        col(SupplierInvoice.paid) != col(SupplierInvoice.gross),
    ),
    columns=(
        Column(key="number", label="Invoice", by=col(SupplierInvoice.number), fixed=True),
        Column(key="supplier", label="Supplier", by=col(Supplier.sort_key), needs=_SUPPLIER, fixed=True),
        Column(key="date", label="Date", by=col(SupplierInvoice.invoice_date), extra=True),
        Column(key="due", label="Due", by=col(SupplierInvoice.due_on)),
        Column(
            key="gross", label="Total", by=col(SupplierInvoice.gross), numeric=True, extra=True,
            permission=Permission.PRICES_VIEW,
        ),
        Column(key="open", label="Open", by=OPEN, numeric=True, permission=Permission.PRICES_VIEW),
        # Carries what can be done with the row.
        Column(key="kind", label="Kind", by=col(SupplierInvoice.kind), fixed=True),
    ),
    search=Words(
        key="q", label="Search", needs=_SUPPLIER, word=_word, finds=_found(col(SupplierInvoice.number))
    ),
    filters=(
        OneOf(
            key="when",
            label="Due",
            quiet=True,
            options={
                "overdue": col(SupplierInvoice.due_on) < _TODAY,
                "week": col(SupplierInvoice.due_on) <= _TODAY + sa.literal_column("7"),
                "month": col(SupplierInvoice.due_on) <= _TODAY + sa.literal_column("30"),
            },
            words=WHENS,
        ),
        AnyOf(key="supplier", label="Supplier", matches=lambda ids: col(SupplierInvoice.supplier_id) == sa.any_(ids)),
        OneOf(
            key="held",
            label="Held",
            needs=_SUPPLIER,
            options={"yes": IS_HELD, "no": sa.not_(IS_HELD)},
            words={"yes": "supplier suspended or rejected", "no": "no"},
        ),
        AnyOf(
            key="currency",
            label="Currency",
            type_=str,
            matches=lambda ones: col(SupplierInvoice.currency) == sa.any_(ones),
        ),
        Range(key="open", label="Open", column=OPEN, permission=Permission.PRICES_VIEW),
    ),
    joins={"supplier": Join(Supplier, col(Supplier.id) == col(SupplierInvoice.supplier_id))},
)  # fmt: skip
