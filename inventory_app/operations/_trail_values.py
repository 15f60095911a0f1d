"""What a recorded change shows to one viewer: fields before and after, and what stays hidden.

Prices need `prices:view`, secrets are never shown (their hashes neither), personal values come
from `audit_personal` as long as they have not been erased.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.audit.tables import audit_erasure, audit_operation, audit_personal
from inventory_app.operations._operation import current_viewer
from inventory_app.operations._trail_labels import labels
from inventory_app.operations._trail_search import Search, Term, spelled_key, tables
from inventory_app.permissions import Permission

#: Columns that hold costs and prices, whatever their table.
PRICE_FIELDS = frozenset({"unit_cost", "unit_price", "value", "old_price", "new_price"})
HIDDEN = "hidden"
ERASED = "erased"
LONGEST_VALUE = 1_000

_SECRET = re.compile(r"sha256:[0-9a-f]{64}")
_SALTED = re.compile(r"salted:[0-9a-f]{64}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?\+00:00")
_WORDS = {"insert": "new", "update": "", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field, before and after as text; an empty side means that there was, or is, nothing."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """What happened to one record; `what` is "new", "deleted" or empty.

    `search`, spelled as in addresses, finds every operation on the record.
    """

    id: int
    table: str
    record: str
    label: str
    kind: str
    what: str
    search: str
    fields: list[FieldRow]


def change_rows(session: Session, changes: Sequence[sa.Row[Any]]) -> list[ChangeRow]:
    """Make rows of `changes` (rows of `audit_change`) for the person of the running query."""
    personal, erased = _personal_values(session, changes), _erasures(session, changes)
    named = labels(session, [(change.table_name, change.pk) for change in changes])
    prices = Permission.PRICES_VIEW in current_viewer(session).permissions
    return [
        ChangeRow(
            id=change.id,
            table=change.table_name,
            record=spelled_key(change.pk),
            label=named.get((change.table_name, change.pk), ""),
            kind=change.kind,
            what=_WORDS.get(str(change.kind), str(change.kind)),
            search=quote(record_search(change.table_name, change.pk), safe="/:,"),
            fields=_fields(change, personal, erased.get((change.table_name, change.pk), ERASED), prices=prices),
        )
        for change in changes
    ]


def record_search(table: str, pk: str) -> str:
    """Return the search that finds everything that happened to a record."""
    return str(Search((Term("record", f"{table}/{spelled_key(pk)}"),)))


def _personal_values(
    session: Session, changes: Sequence[sa.Row[Any]]
) -> dict[tuple[int, str], tuple[str | None, str | None]]:
    held = [change.id for change in changes if "salted:" in f"{change.before}{change.after}"]
    if not held:
        return {}
    table = audit_personal.c
    rows = session.execute(
        sa.select(table.change_id, table.field, table.before, table.after).where(table.change_id.in_(held))
    )
    return {(row.change_id, row.field): (row.before, row.after) for row in rows}


def _erasures(session: Session, changes: Sequence[sa.Row[Any]]) -> dict[tuple[str, str], str]:
    """Say of each record whose personal values were erased when and by whom: the newest erasure counts."""
    records = {(change.table_name, change.pk) for change in changes if "salted:" in f"{change.before}{change.after}"}
    if not records:
        return {}
    erasure, operation = audit_erasure.c, audit_operation.c
    rows = session.execute(
        sa.select(erasure.table_name, erasure.pk, erasure.recorded_at, operation.actor_name)
        .join_from(audit_erasure, audit_operation, operation.id == erasure.operation_id)
        .where(sa.tuple_(erasure.table_name, erasure.pk).in_(records))
        .order_by(erasure.recorded_at)
    )
    return {(row.table_name, row.pk): f"{ERASED} on {row.recorded_at:%Y-%m-%d} by {row.actor_name}" for row in rows}


def _fields(
    change: sa.Row[Any],
    personal: Mapping[tuple[int, str], tuple[str | None, str | None]],
    erased: str,
    *,
    prices: bool,
) -> list[FieldRow]:
    """Compare the payloads: only changed fields of an update, everything of a new or deleted record."""
    before, after = _payload(change.before), _payload(change.after)
    secret, derived, order = _declared(change.table_name)
    names = before if change.kind == "update" else before | after
    # What is computed from another field says nothing new, unless it is all there is.
    shown = [name for name in names if name not in derived] or list(names)
    if change.kind != "update":
        # The heading says both: which record it is, and which operation.
        shown = [name for name in shown if name not in ("id", "operation_id")]
    rows: list[FieldRow] = []
    for name in sorted(shown, key=lambda name: order.get(name, len(order))):
        old, new = before.get(name), after.get(name)
        if change.kind != "update" and old is None and new is None:
            continue
        if name in PRICE_FIELDS and not prices:
            rows.append(FieldRow(name, HIDDEN if name in before else "", HIDDEN if name in after else ""))
        elif name in secret or _is(_SECRET, old) or _is(_SECRET, new):
            # That it was set, changed or taken away is no secret; its hash would invite guessing.
            word = "changed" if change.kind == "update" else "set"
            rows.append(FieldRow(name, "" if old is None or new is not None else word, "" if new is None else word))
        else:
            then, now = personal.get((change.id, name), (None, None))
            rows.append(FieldRow(name, _shown(old, then, erased), _shown(new, now, erased)))
    return rows


def _payload(text: str | None) -> dict[str, Any]:
    # Numbers stay as they were written: a float would round them.
    return json.loads(text, parse_float=_trimmed) if text else {}


def _trimmed(number: str) -> str:
    return number if "e" in number.lower() else number.rstrip("0").rstrip(".").replace("-", "−")


def _declared(table: str) -> tuple[tuple[str, ...], set[str], dict[str, int]]:
    """Return a table's secret and derived columns and the place of each; nothing is known of one that is gone."""
    known = tables().get(table)
    if known is None:
        return (), set(), {}
    derived = {column.name for column in known.columns if "sort_key_of" in column.info}
    return known.info["audit"]["secret"], derived, {name: place for place, name in enumerate(known.columns.keys())}


def _is(shape: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and shape.fullmatch(value) is not None


def _shown(value: object, personal: str | None, erased: str) -> str:
    if value is None:
        return ""
    if _is(_SALTED, value):
        return erased if personal is None else _clipped(personal)
    if isinstance(value, str):
        instant = _INSTANT.fullmatch(value)
        return " ".join([*instant.groups(), "UTC"]) if instant else _clipped(value) or "“”"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).replace("-", "−")
    return _clipped(json.dumps(value, ensure_ascii=False))


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
