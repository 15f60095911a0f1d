"""The reasons people can give: added, renamed, put in order, switched off; the ledger keeps their codes for ever."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.database.locks import REASONS, lock_rule
from inventory_app.errors import Conflict, Invalid, NotFound, Stale
from inventory_app.models.stock import ReasonCode, ReasonUse
from inventory_app.operations._operation import operation, query
from inventory_app.operations._reasons import reasons_offered
from inventory_app.permissions import Permission

_STEP = 10
_USES = {use.value for use in ReasonUse}


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason as its settings show it."""

    code: str
    label: str
    uses: list[str]
    built_in: bool
    active: bool
    version: int


@query(Permission.SETTINGS_MANAGE)
def list_reasons(session: Session) -> list[ReasonRow]:
    """Return every reason in its order, those out of use included."""
    rows = session.scalars(sa.select(ReasonCode).order_by(col(ReasonCode.position), col(ReasonCode.code)))
    return [ReasonRow(row.code, row.label, list(row.uses), row.built_in, row.active, row.version) for row in rows]


@query(Permission.INVENTORY_VIEW)
def offered(session: Session) -> dict[str, list[tuple[str, str]]]:
    """Return the reasons in use as (code, label), by what they are given for."""
    return reasons_offered(session)


@operation(Permission.SETTINGS_MANAGE, log=("label", "uses"))
def add_reason(session: Session, *, label: str, uses: Sequence[str]) -> str:
    """Add a reason at the end of the list; returns what people read."""
    lock_rule(session, REASONS)
    name = _usable(session, label, uses)
    code = re.sub(r"[^a-z0-9]+", "_", _plain(name)).strip("_")[:40] or "reason"
    if session.get(ReasonCode, code):
        message = f"There is a reason with the code “{code}” already. Call this one something else."
        raise Invalid(fields={"label": message})
    last = session.scalar(sa.select(sa.func.max(col(ReasonCode.position)))) or 0
    session.add(ReasonCode(code=code, label=name, uses=sorted(uses), position=last + _STEP))
    return name


@operation(Permission.SETTINGS_MANAGE, log=("code", "label", "uses"))
def change_reason(session: Session, *, code: str, label: str, uses: Sequence[str], version: int) -> str:
    """Call a reason something else, or change for what it can be given; what was booked with it stays."""
    row = _locked(session, code)
    if row.version != version:
        raise Stale
    row.label = _usable(session, label, uses, code)
    if row.built_in and (gone := set(row.uses) - set(uses)):
        message = (
            f"“{row.label}” comes with the application and is booked with: it stays for {', '.join(sorted(gone))}."
        )
        raise Invalid(fields={"uses": message})
    row.uses = sorted(uses)
    row.version += 1
    return row.label


@operation(Permission.SETTINGS_MANAGE, log=("code", "up"))
def move_reason(session: Session, *, code: str, up: bool) -> str:
    """Put a reason one place higher or lower in every list that offers it."""
    lock_rule(session, REASONS)
    rows = list(
        session.scalars(
            sa.select(ReasonCode).order_by(col(ReasonCode.position), col(ReasonCode.code)).with_for_update()
        )
    )
    here = next((number for number, row in enumerate(rows) if row.code == code), None)
    if here is None:
        raise NotFound
    there = here - 1 if up else here + 1
    if not 0 <= there < len(rows):
        message = "It stands at the end of the list already."
        raise Conflict(message)
    rows[here], rows[there] = rows[there], rows[here]
    for number, row in enumerate(rows, start=1):
        if row.position != number * _STEP:
            row.position = number * _STEP
            row.version += 1
    return rows[there].label


@operation(Permission.SETTINGS_MANAGE, log=("code", "active"))
def switch_reason(session: Session, *, code: str, active: bool) -> str:
    """Offer a reason again, or no longer; what was booked with it stays."""
    row = _locked(session, code)
    if row.built_in and not active:
        message = f"“{row.label}” comes with the application and is booked with. It can be called something else."
        raise Conflict(message)
    if row.active == active:
        message = f"“{row.label}” is {'in use' if active else 'out of use'} already."
        raise Conflict(message)
    row.active = active
    row.version += 1
    return row.label


def _locked(session: Session, code: str) -> ReasonCode:
    row = session.get(ReasonCode, code, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def _usable(session: Session, label: str, uses: Sequence[str], code: str = "") -> str:
    """Return the tidied label when it and the uses can be, say what is wrong otherwise."""
    name, fields = label.strip(), dict[str, str]()
    if not name or len(name) > 60:  # noqa: PLR2004  # said in the sentence
        fields["label"] = "Enter what people read, at most 60 characters."
    elif session.scalar(
        sa.select(sa.exists().where(sa.func.lower(col(ReasonCode.label)) == name.lower(), col(ReasonCode.code) != code))
    ):
        fields["label"] = "There is a reason of this name already."
    if not uses or set(uses) - _USES:
        fields["uses"] = "Choose at least one thing it can be given for."
    if fields:
        raise Invalid(fields=fields)
    return name


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
