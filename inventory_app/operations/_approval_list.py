"""Requests as a list that can be exported: each reader's own, a request a line, as the page of requests shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col

from inventory_app.models.approvals import Approval, ApprovalDecision, ApprovalStatus
from inventory_app.models.lists import ChangeSet
from inventory_app.models.payments import Payment, PaymentBatch, SupplierBankAccount
from inventory_app.models.purchasing import PurchaseOrder
from inventory_app.models.suppliers import Supplier, SupplierCorrection
from inventory_app.models.users import Role, UserInfo
from inventory_app.operations._approval_rules import open_now
from inventory_app.operations._approvals import KINDS
from inventory_app.operations._list_filters import Asking, Contains, OneOf
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.operations._operation import current_viewer
from inventory_app.permissions import Permission

WAITING = "waiting"
STATUSES = {
    ApprovalStatus.OPEN.value: "Waiting",
    ApprovalStatus.APPROVED.value: "Approved",
    ApprovalStatus.REJECTED.value: "Rejected",
    ApprovalStatus.EXPIRED.value: "Expired",
    ApprovalStatus.WITHDRAWN.value: "Withdrawn",
}


def _called(what: Any, of: Any, *through: tuple[Any, Any]) -> Any:
    """Select what the subject of a request is called; `of` is the key that the request names."""
    statement = sa.select(what).where(of == col(Approval.subject_id))
    for target, on in through:
        statement = statement.select_from(target).where(on)
    return statement.correlate(Approval).scalar_subquery()


_BY_KIND: Mapping[str, Any] = {
    "supplier": _called(col(Supplier.name), col(Supplier.id)),
    "role_grant": _called(col(UserInfo.full_name), col(UserInfo.user_id)),
    "role_safeguard": _called(col(Role.name), col(Role.id)),
    "price_change": _called(col(ChangeSet.title), col(ChangeSet.id)),
    "bank_account": _called(
        col(Supplier.name),
        col(SupplierBankAccount.id),
        (SupplierBankAccount, col(SupplierBankAccount.supplier_id) == col(Supplier.id)),
    ),
    "purchase_order": _called(
        sa.func.concat_ws(", ", col(PurchaseOrder.number), col(Supplier.name)),
        col(PurchaseOrder.id),
        (PurchaseOrder, col(PurchaseOrder.supplier_id) == col(Supplier.id)),
    ),
    "payment": _called(col(Payment.number), col(Payment.id)),
    "payment_batch": _called(col(PaymentBatch.number), col(PaymentBatch.id)),
    "supplier_correction": _called(
        col(Supplier.name),
        col(SupplierCorrection.id),
        (SupplierCorrection, col(SupplierCorrection.supplier_id) == col(Supplier.id)),
    ),
}
_ABOUT = sa.case(_BY_KIND, value=col(Approval.kind), else_="")
_STATUS = sa.case(
    (sa.and_(col(Approval.status) == ApprovalStatus.OPEN, sa.not_(open_now())), ApprovalStatus.EXPIRED.value),
    else_=col(Approval.status),
)
_ASKER, _DECIDER = aliased(UserInfo, name="asker"), aliased(UserInfo, name="decider")


def _of_decisions(what: Any) -> Any:
    return (
        sa.select(sa.func.string_agg(what, sa.literal_column("'; ' ORDER BY approval_decision.id")))
        .select_from(ApprovalDecision)
        .join(_DECIDER, col(_DECIDER.user_id) == col(ApprovalDecision.user_id))
        .where(col(ApprovalDecision.approval_id) == col(Approval.id))
        .correlate(Approval)
        .scalar_subquery()
    )


DECIDED_BY = _of_decisions(col(_DECIDER.full_name))
WHY = _of_decisions(sa.func.nullif(col(ApprovalDecision.reason), ""))

_MINE = col(Approval.requested_by) == sa.bindparam("view_who", type_=sa.BigInteger)
_PERMITTED = col(Approval.permission) == sa.any_(sa.bindparam("view_held", type_=sa.ARRAY(sa.Text)))
_DECIDED = sa.exists().where(col(ApprovalDecision.approval_id) == col(Approval.id))


def _who_asks(asking: Asking, text: str) -> dict[str, Any]:
    viewer = current_viewer(asking.session)
    held = {} if text == "asked" else {"view_held": sorted(viewer.permissions)}
    return held | ({} if text == WAITING else {"view_who": viewer.user_id})


@dataclass(frozen=True, kw_only=True)
class _Views(OneOf):
    """The views of the page, each with what its reader may see: the first where none is asked for, never all."""

    def tidied(self, text: str) -> str:
        """Return the view."""
        return super().tidied(text) or WAITING


LIST = Listing(
    permission=Permission.INVENTORY_EXPORT,
    table=Approval,
    ident=col(Approval.id),
    sort="asked",
    columns=(
        Column(key="asked", label="Asked for", by=col(Approval.requested_at), fixed=True),
        Column(key="kind", label="Kind", by=col(Approval.kind)),
        Column(key="about", label="About", by=_ABOUT),
        Column(key="by", label="Asked for by", by=col(_ASKER.full_name), needs=("asker",), nullable=True),
        Column(key="why", label="Why", by=col(Approval.reason), nullable=True),
        Column(key="status", label="Status", by=_STATUS),
        Column(key="closed", label="Closed", by=col(Approval.closed_at), nullable=True),
    ),
    search=Contains(key="q", label="Search", column=_ABOUT, folded=False),
    filters=(
        _Views(
            key="view",
            label="View",
            quiet=True,
            options={
                WAITING: sa.and_(open_now(), _PERMITTED),
                "decided": sa.and_(_DECIDED, sa.or_(_PERMITTED, _MINE)),
                "asked": _MINE,
            },
            words={WAITING: "Waiting", "decided": "Decided", "asked": "I asked for"},
            values=_who_asks,
        ),
        OneOf(
            key="kind",
            label="Kind",
            options={name: col(Approval.kind) == name for name in KINDS},
            words={name: kind.label for name, kind in KINDS.items()},
        ),
    ),
    joins={"asker": Join(_ASKER, col(_ASKER.user_id) == col(Approval.requested_by), outer=True)},
)
