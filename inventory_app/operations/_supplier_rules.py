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
from inventory_app.models.documents import Document
from inventory_app.models.payments import AccountStatus, SupplierBankAccount
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import UserInfo
from inventory_app.operations import _approval_rules as rules
from inventory_app.operations._approvals import open_about
from inventory_app.permissions import Permission

#: The kind of request about a supplier.
KIND = "supplier"

Outcome = Literal["passed", "look", "failed"]

#: Trigram similarity (0 to 1) of two names from which one may be the other mistyped.
ALIKE = 0.55
#: Below this there is nothing near enough to be worth a name.
_FAR = 0.25
_NAME = "No other supplier of this name"
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


def why_not_order(session: Session, supplier: Supplier) -> Conflict | None:
    """Return why nothing can be ordered from the supplier today; None from one that is approved and in date.

    To be asked with the supplier's row locked, shared with others who order: nobody suspends it meanwhile.
    """
    if supplier.status == SupplierStatus.PENDING:
        return Conflict(f"{supplier.name} waits for a decision. Nothing can be ordered from it before.")
    if supplier.status == SupplierStatus.REJECTED:
        return Conflict(f"{supplier.name} was rejected. Nothing can be ordered from it before it is approved.")
    if supplier.status == SupplierStatus.SUSPENDED:
        by = full_name(session, supplier.decided_by) or "The system"
        return Conflict(f"{by} suspended {supplier.name}: {supplier.decision_reason}")
    if has_ended(supplier):
        said = f"The approval of {supplier.name} ended on {supplier.valid_until:%-d %b %Y}."
        return Conflict(f"{said} Ask for it to be approved again.")
    return None


def why_not_reinstate(session: Session, supplier: Supplier, user_id: int | None) -> AppError | None:
    """Return why this person cannot reinstate the supplier: by the engine's rules, as if it were asked for."""
    if supplier.status != SupplierStatus.SUSPENDED:
        return Conflict(f"{supplier.name} is {supplier.status}: only a suspended supplier can be reinstated.")
    asked = Approval(id=0, kind="", subject_id=supplier.id or 0, permission=Permission.SUPPLIERS_APPROVE)
    who = rules.standing(session, user_id)
    parties = [(supplier.entered_by, "entered"), (supplier.last_edited_by, "edited")]
    parts = [(party, part) for party, part in parties if party is not None]
    named = who.named_in_refusals(asked.permission) if who else frozenset[int]()
    known = rules.Facts({0: parts}, {}, rules.full_names(session, {party for party, _ in parts} | named))
    answer = rules.judge(session, asked, known, who)
    return answer if isinstance(answer, AppError) else None


def has_ended(supplier: Supplier) -> bool:
    """Tell whether the last day of the supplier's approval is over (UTC)."""
    return supplier.valid_until is not None and supplier.valid_until < now().date()


def can_be_ordered_from() -> sa.ColumnElement[bool]:
    """Return the same rule as `why_not_order` as a condition, for offering suppliers."""
    in_date = sa.or_(col(Supplier.valid_until).is_(None), col(Supplier.valid_until) >= now().date())
    return sa.and_(col(Supplier.status) == SupplierStatus.APPROVED, in_date)


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
    #: The page of the other supplier that it is about.
    href: str = ""


def checks(session: Session, supplier: Supplier) -> list[Check]:
    """Compare the supplier with all others, and look at its bank accounts and documents where it has any."""
    found = [_name(session, supplier), _tax_id(session, supplier), _email(session, supplier)]
    return [*found, *_bank_account(session, supplier), *_documents(session, supplier)]


def must_be_explained(session: Session, supplier: Supplier) -> str:
    """Return the first check that failed, without what is only to be looked at; empty when none did."""
    same_name = sa.exists().where(col(Supplier.sort_key) == supplier.sort_key, col(Supplier.id) != supplier.id)
    if session.scalar(sa.select(same_name)):
        return _NAME
    rest = (_tax_id(session, supplier), _email(session, supplier), *_documents(session, supplier))
    return next(iter(failed(list(rest))), "")


def failed(found: list[Check]) -> list[str]:
    """Return the titles of the checks that failed."""
    return [check.title for check in found if check.outcome == "failed"]


def _check(title: str, outcome: Outcome, found: str, other: int | None = None) -> Check:
    return Check(title, found, outcome, _WORDS[outcome], f"/suppliers/{other}" if other else "")


def _name(session: Session, supplier: Supplier) -> Check:
    likeness = sa.func.similarity(col(Supplier.sort_key), supplier.sort_key)
    nearest = session.execute(
        sa.select(
            col(Supplier.name),
            col(Supplier.status),
            col(Supplier.sort_key) == supplier.sort_key,
            likeness,
            col(Supplier.id),
        )
        .where(col(Supplier.id) != supplier.id)
        # Equal first: trigrams see nothing in scripts that the server's locale does not know.
        .order_by((col(Supplier.sort_key) == supplier.sort_key).desc(), likeness.desc(), col(Supplier.id))
        .limit(1)
    ).first()
    title = _NAME
    if nearest is None:
        return _check(title, "passed", "There is no other supplier yet")
    name, status, same, alike, other = nearest
    if same:
        return _check(title, "failed", f"The same but for accents: {name}, {status}", other)
    if alike < _FAR:
        return _check(title, "passed", "No name is near it")
    return _check(title, "look" if alike >= ALIKE else "passed", f"Nearest: {name}, {status}", other)


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
        sa.select(col(Supplier.name), col(Supplier.status), sa.func.count().over(), col(Supplier.id))
        .where(same, col(Supplier.id) != supplier.id)
        .order_by(col(Supplier.id))
        .limit(1)
    ).first()
    if others is None:
        return _check(title, "passed", f"Nobody else uses {value}")
    name, status, number, other = others
    more = f" and {number - 1} more" if number > 1 else ""
    return _check(title, "failed", f"Also used by {name}, {status}{more}", other)


def _bank_account(session: Session, supplier: Supplier) -> list[Check]:
    """Point out an account that waits: who is asked to change one is often not asked by the supplier."""
    statuses = set(
        session.scalars(
            select(SupplierBankAccount.status).where(col(SupplierBankAccount.supplier_id) == supplier.id).distinct()
        )
    )
    title = "Bank account is released"
    if AccountStatus.PENDING in statuses:
        return [_check(title, "look", "A new one waits for its release. Call a number that was held before.")]
    return [_check(title, "passed", "Nothing of it waits")] if AccountStatus.RELEASED in statuses else []


def _documents(session: Session, supplier: Supplier) -> list[Check]:
    """Look whether the documents that end are in date."""
    ends = session.execute(
        sa.select(col(Document.name), col(Document.expires_on))
        .where(
            col(Document.subject_type) == "supplier",
            col(Document.subject_id) == supplier.id,
            col(Document.removed_at).is_(None),
            col(Document.expires_on).is_not(None),
        )
        .order_by(col(Document.expires_on), col(Document.id))
    ).all()
    if not ends:
        return []
    name, on = ends[0]
    title = "Documents in date"
    if on < now().date():
        return [_check(title, "failed", f"{name} ended on {on:%-d %b %Y}")]
    return [_check(title, "passed", f"The first one to end is {name}, on {on:%-d %b %Y}")]
