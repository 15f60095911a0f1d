"""Who may decide about a supplier and what the checks say: used to decide and to show, the same functions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import AlreadyDecided, AppError, Conflict
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import UserInfo
from inventory_app.operations import _approval_rules as rules
from inventory_app.operations._approvals import open_about

#: The kind of request about a supplier.
KIND = "supplier"

Outcome = Literal["passed", "look", "failed"]

#: Trigram similarity (0 to 1) of two names from which one may be the other mistyped.
ALIKE = 0.55
#: Below this there is nothing near enough to be worth a name.
_FAR = 0.25
_WORDS: dict[Outcome, str] = {"passed": "Passed", "look": "Look at this", "failed": "Failed"}


def to_decide(session: Session, supplier: Supplier, user_id: int | None) -> Approval | AppError:
    """Return the request about the supplier that this person can decide about now, or why they cannot."""
    if refusal := decided_already(session, supplier):
        return refusal
    approval = open_about(session, KIND, supplier.id or 0)
    if approval is None:
        return Conflict("Nobody has asked for a decision about this supplier. Save it again, so that it is asked for.")
    return rules.why_not_decide(session, approval, user_id) or approval


def why_not_decide(session: Session, supplier: Supplier, user_id: int | None) -> AppError | None:
    """Return why this person cannot decide about the supplier; None when they can."""
    answer = to_decide(session, supplier, user_id)
    return answer if isinstance(answer, AppError) else None


def decided_already(session: Session, supplier: Supplier) -> AppError | None:
    """Return who decided about the supplier and when; None while it waits."""
    if supplier.status == SupplierStatus.PENDING:
        return None
    by = full_name(session, supplier.decided_by) or "An import"
    at = f" on {supplier.decided_at:%-d %b %Y, %H:%M} UTC" if supplier.decided_at else ""
    return AlreadyDecided(f"{by} {supplier.status} this supplier{at}.")


def why_not_order(session: Session, supplier: Supplier) -> AppError | None:
    """Return why nothing can be ordered from the supplier now; None when it is approved and that has not ended."""
    del session
    if supplier.status != SupplierStatus.APPROVED:
        return Conflict(f"{supplier.name} is {supplier.status}: orders go to approved suppliers only.")
    if supplier.valid_until is not None and supplier.valid_until < now().date():
        ended = f"{supplier.valid_until:%-d %b %Y}"
        return Conflict(f"The approval of {supplier.name} ended on {ended}: it has to be approved anew first.")
    return None


def may_be_decided_by(session: Session, user_id: int | None) -> sa.ColumnElement[bool]:
    """Return the same rule as a condition, for counting."""
    asked = sa.select(col(Approval.subject_id)).where(
        col(Approval.kind) == KIND, rules.decidable_by(rules.standing(session, user_id))
    )
    return sa.and_(col(Supplier.status) == SupplierStatus.PENDING, col(Supplier.id).in_(asked))


def who_can_decide(session: Session, supplier: Supplier) -> list[str]:
    """Return the names of the enabled people who can decide about the supplier now."""
    approval = open_about(session, KIND, supplier.id or 0)
    return [who.name for who in rules.who_can_decide(session, approval)] if approval else []


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return names as people list them: "A", "A and B", "A, B and 4 others"."""
    shown = list(names[:most])
    if len(names) > most:
        shown = [*names[: most - 1], f"{len(names) - most + 1} others"]
    return " and ".join([*([", ".join(shown[:-1])] if shown[1:] else []), *shown[-1:]])


def full_name(session: Session, user_id: int | None) -> str:
    """Return the name of the person with account `user_id`; empty when there is none."""
    if user_id is None:
        return ""
    return session.scalar(select(UserInfo.full_name).where(col(UserInfo.user_id) == user_id)) or "Somebody"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was checked, what was found, `outcome` and its word on screen."""

    title: str
    found: str
    outcome: Outcome
    word: str


def checks(session: Session, supplier: Supplier) -> list[Check]:
    """Compare the supplier with all others: its name, its tax id, its e-mail address."""
    return [_name(session, supplier), _tax_id(session, supplier), _email(session, supplier)]


def failed(found: list[Check]) -> list[str]:
    """Return the titles of the checks that failed."""
    return [check.title for check in found if check.outcome == "failed"]


def _check(title: str, outcome: Outcome, found: str) -> Check:
    return Check(title, found, outcome, _WORDS[outcome])


def _name(session: Session, supplier: Supplier) -> Check:
    likeness = sa.func.similarity(col(Supplier.sort_key), supplier.sort_key)
    nearest = session.execute(
        sa.select(col(Supplier.name), col(Supplier.status), col(Supplier.sort_key) == supplier.sort_key, likeness)
        .where(col(Supplier.id) != supplier.id)
        # Equal first: trigrams see nothing in scripts that the server's locale does not know.
        .order_by((col(Supplier.sort_key) == supplier.sort_key).desc(), likeness.desc(), col(Supplier.id))
        .limit(1)
    ).first()
    title = "No other supplier of this name"
    if nearest is None:
        return _check(title, "passed", "There is no other supplier yet")
    name, status, same, alike = nearest
    if same:
        return _check(title, "failed", f"The same but for accents: {name}, {status}")
    if alike < _FAR:
        return _check(title, "passed", "No name is near it")
    return _check(title, "look" if alike >= ALIKE else "passed", f"Nearest: {name}, {status}")


def _tax_id(session: Session, supplier: Supplier) -> Check:
    title = "Tax id is used once"
    if not supplier.tax_id:
        return _check(title, "look", "No tax id was given")
    plain = re.sub(r"[^0-9A-Za-z]", "", supplier.tax_id).upper()
    theirs = sa.func.upper(sa.func.regexp_replace(col(Supplier.tax_id), "[^0-9A-Za-z]", "", "g"))
    same = theirs == plain if plain else col(Supplier.tax_id) == supplier.tax_id
    return _used_once(session, supplier, title, same, supplier.tax_id)


def _email(session: Session, supplier: Supplier) -> Check:
    title = "E-mail address is used once"
    if not supplier.email:
        return _check(title, "look", "No e-mail address was given")
    theirs = sa.func.lower(col(Supplier.email))
    return _used_once(session, supplier, title, theirs == supplier.email.lower(), supplier.email)


def _used_once(session: Session, supplier: Supplier, title: str, same: sa.ColumnElement[bool], value: str) -> Check:
    """Say who else uses the value, the one entered first by name."""
    others = session.execute(
        sa.select(col(Supplier.name), col(Supplier.status), sa.func.count().over())
        .where(same, col(Supplier.id) != supplier.id)
        .order_by(col(Supplier.id))
        .limit(1)
    ).first()
    if others is None:
        return _check(title, "passed", f"Nobody else uses {value}")
    name, status, number = others
    more = f" and {number - 1} more" if number > 1 else ""
    return _check(title, "failed", f"Also used by {name}, {status}{more}")
