"""Reasons: what can be given for which change of stock, as the table `reason_code` says."""

from sqlmodel import Session, col, select

from inventory_app.errors import Invalid
from inventory_app.models.stock import Reason, ReasonCode, ReasonUse
from inventory_app.operations._remembered import Remembered

#: What may be done with a lot that is past its day; who gives another reason has overlooked it.
FOR_WHAT_IS_PAST = frozenset({Reason.EXPIRED, Reason.DAMAGED})

_FOR = {
    ReasonUse.ADJUST: "an adjustment",
    ReasonUse.ISSUE: "an issue",
    ReasonUse.RECEIVE: "a receipt",
    ReasonUse.TRANSFER: "a transfer",
    ReasonUse.COUNT: "a count",
    ReasonUse.REVERSE: "taking something back",
}


def reason_for(session: Session, code: str, use: ReasonUse) -> ReasonCode:
    """Return the reason, which must be in use and fit for this kind of change."""
    found = session.get(ReasonCode, code, populate_existing=True)
    if found is None:
        raise Invalid(fields={"reason_code": "Choose a reason."})
    if not found.active:
        raise Invalid(fields={"reason_code": f"“{found.label}” is no longer in use. Choose another reason."})
    if use.value not in found.uses:
        raise Invalid(fields={"reason_code": f"“{found.label}” is no reason for {_FOR[use]}. Choose another reason."})
    return found


@Remembered
def reason_labels(session: Session) -> dict[str, str]:
    """Return what people read for each code, those out of use included."""
    return {row.code: row.label for row in session.exec(select(ReasonCode))}


@Remembered
def reasons_offered(session: Session) -> dict[str, list[tuple[str, str]]]:
    """Return the reasons in use as (code, label), by what they are given for, in their order."""
    rows = session.exec(
        select(ReasonCode).where(col(ReasonCode.active)).order_by(col(ReasonCode.position), col(ReasonCode.code))
    ).all()
    return {use.value: [(row.code, row.label) for row in rows if use.value in row.uses] for use in ReasonUse}
