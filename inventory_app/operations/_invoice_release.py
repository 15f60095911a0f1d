"""Who may release a blocked invoice: by the rules of the one approval engine, without a request of its own.

A blocked invoice asks by being blocked, and stops asking as soon as goods or a credit note make it agree: a request
beside it would only be a second status to be kept like the first. So the engine's rules are asked with whoever
recorded it as the one party: not they, nobody who stands in for them, nobody with their authority, and with a second
factor where that authority needs one.
"""

from sqlmodel import Session

from inventory_app.errors import AlreadyDecided, AppError, NotAllowed
from inventory_app.models.approvals import Approval, ApprovalStatus
from inventory_app.models.purchasing import InvoiceStatus, SupplierInvoice
from inventory_app.operations._approval_rules import Facts, full_names, judge, standing
from inventory_app.operations._matching import contested
from inventory_app.permissions import Permission

_KIND = "supplier_invoice"


def why_not_release(session: Session, paper: SupplierInvoice, user_id: int | None) -> AppError | None:
    """Return why this person cannot release the invoice, in words for them; None when they can."""
    if paper.status != InvoiceStatus.BLOCKED and not contested(paper):
        return AlreadyDecided(f"{paper.number} is {paper.status} already.")
    if user_id is not None and user_id == paper.recorded_by:
        return NotAllowed("You recorded this, so somebody else must release it.")
    who = standing(session, user_id)
    request = Approval(
        id=0,
        kind=_KIND,
        subject_id=paper.id or 0,
        permission=Permission.INVOICES_RELEASE,
        status=ApprovalStatus.OPEN,
    )
    parties = [] if paper.recorded_by is None else [(paper.recorded_by, "entered")]
    named = {user for user, _ in parties} | (who.named_in_refusals(request.permission) if who else set())
    answer = judge(session, request, Facts({0: parties}, {}, full_names(session, named)), who)
    return answer if isinstance(answer, AppError) else None
