"""Who may decide about a supplier and what the checks say: used to decide and to show, the same functions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.errors import AlreadyDecided, AppError, NotAllowed
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.models.users import LocalUser, Permission, Role, RolePermission, UserInfo, UserRole

Outcome = Literal["passed", "look", "failed"]

#: Trigram similarity (0 to 1) of two names from which one may be the other mistyped.
ALIKE = 0.55
#: Below this there is nothing near enough to be worth a name.
_FAR = 0.25
_WORDS: dict[Outcome, str] = {"passed": "Passed", "look": "Look at this", "failed": "Failed"}


def why_not_decide(session: Session, supplier: Supplier, user_id: int | None, *, whom: str = "You") -> AppError | None:
    """Return why this person cannot decide about the supplier; None when they can. `whom` is who reads or is meant."""
    if supplier.status != SupplierStatus.PENDING:
        by = full_name(session, supplier.decided_by) or "An import"
        at = f" on {supplier.decided_at:%-d %b %Y, %H:%M} UTC" if supplier.decided_at else ""
        return AlreadyDecided(f"{by} {supplier.status} this supplier{at}.")
    if user_id is not None and user_id == supplier.entered_by:
        return NotAllowed(f"{whom} entered this supplier, so somebody else must approve it.")
    if user_id is not None and user_id == supplier.last_edited_by:
        return NotAllowed(f"{whom} last edited this supplier, so somebody else must approve it.")
    return None


def may_be_decided_by(user_id: int | None) -> sa.ColumnElement[bool]:
    """Return the same rule as a condition, for counting: waiting, and neither entered nor edited by them."""
    return sa.and_(
        col(Supplier.status) == SupplierStatus.PENDING,
        col(Supplier.entered_by).is_distinct_from(user_id),
        col(Supplier.last_edited_by).is_distinct_from(user_id),
    )


def who_can_decide(session: Session, supplier: Supplier, permission: str) -> list[str]:
    """Return the names of the enabled people who hold `permission` and did not enter or edit the supplier."""
    touched = [id_ for id_ in (supplier.entered_by, supplier.last_edited_by) if id_ is not None]
    holds = (
        sa.select(col(UserRole.user_id))
        .join(Role, col(Role.id) == col(UserRole.role_id))
        .join(RolePermission, col(RolePermission.role_id) == col(Role.id))
        .join(Permission, col(Permission.id) == col(RolePermission.permission_id))
        .where(col(Role.active), col(Permission.name) == permission)
    )
    return list(
        session.scalars(
            select(UserInfo.full_name)
            .join(LocalUser, col(LocalUser.id) == col(UserInfo.user_id))
            .where(col(LocalUser.enabled), col(UserInfo.id).in_(holds), col(LocalUser.id).not_in(touched))
            .order_by(col(UserInfo.sort_key), col(UserInfo.id))
        )
    )


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
