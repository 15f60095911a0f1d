"""A kind of request to try the engine on, about nothing: what a decision does to it is noted in `done`."""

from collections.abc import Sequence

from sqlmodel import Session

from inventory_app.models.approvals import Approval, Verdict
from inventory_app.operations import _approvals
from inventory_app.operations._approvals import Kind, Subject
from inventory_app.operations._operation import OPERATIONS, operation
from inventory_app.permissions import Permission

KIND = "trial"
done: list[tuple[str, int]] = []


def _describe(session: Session, approvals: Sequence[Approval]) -> dict[int, Subject]:
    del session
    return {approval.id or 0: Subject(f"Trial {approval.subject_id}") for approval in approvals}


def _noted(what: str):
    def effect(session: Session, approval: Approval, reason: str | None) -> None:
        del session, reason
        done.append((what, approval.subject_id))

    return effect


TRIAL = Kind(
    KIND,
    "Trial",
    Permission.SUPPLIERS_APPROVE,
    _describe,
    approved=_noted("approved"),
    rejected=_noted("rejected"),
    withdrawn=_noted("withdrawn"),
)


@operation(name="trial.ask")
def ask(session: Session, *, subject_id: int, required: int = 1, concerned: int | None = None) -> int:
    """Ask for a decision about nothing."""
    approval = _approvals.request(
        session,
        kind=KIND,
        subject_id=subject_id,
        permission=Permission.SUPPLIERS_APPROVE,
        required=required,
        parties=[(concerned, "concerned")],
    )
    return approval.id or 0


@operation(name="trial.ask_anew")
def ask_anew(session: Session, *, subject_id: int, required: int = 1, edited_by: int | None = None) -> None:
    """Ask anew about what has changed."""
    _approvals.renew(
        session,
        kind=KIND,
        subject_id=subject_id,
        permission=Permission.SUPPLIERS_APPROVE,
        required=required,
        parties=[(edited_by, "edited")],
    )


@operation(name="trial.decide")
def decide(session: Session, *, approval_id: int, verdict: Verdict, reason: str = "because") -> str:
    """Decide about nothing."""
    return _approvals.decide(session, _approvals.find(session, approval_id), verdict, reason).status


for _declared in (ask, ask_anew, decide):
    OPERATIONS.pop(_declared.spec.name)
