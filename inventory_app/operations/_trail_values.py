"""What a recorded change shows to one viewer: fields before and after, and what stays hidden.

Prices need `prices:view`, secrets are never shown (their hashes neither), personal values come
from `audit_personal` as long as they have not been erased. Values read as on the pages: money with
its currency, quantities with their unit, times by the viewer's clock, other records by name.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app.audit.tables import audit_erasure, audit_operation, audit_personal
from inventory_app.models._base import MONEY, QUANTITY
from inventory_app.operations import _iban, _zones
from inventory_app.operations._operation import current_viewer
from inventory_app.operations._reasons import reason_labels
from inventory_app.operations._trail_labels import CODES, column_label, is_internal, noun
from inventory_app.operations._trail_names import Record, record_names, units
from inventory_app.operations._trail_search import Search, Term, spelled_key, tables
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings

#: Columns that hold costs and prices, whatever their table.
PRICE_FIELDS = frozenset(
    {
        "amount",
        "cost",
        "gross",
        "minimum_order",
        "net",
        "new_price",
        "old_price",
        "paid",
        "tax",
        "total",
        "unit_cost",
        "unit_price",
        "value",
    }
)
#: Those of them that are in the base currency, whatever currency the record names.
_IN_BASE_CURRENCY = frozenset({"unit_cost", "value"})
HIDDEN = "hidden"
ERASED = "erased"
LONGEST_VALUE = 1_000

_SECRET = re.compile(r"sha256:[0-9a-f]{64}")
_SALTED = re.compile(r"salted:[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
#: What is said of a change of a table's form, which is of no record: the fields say which column.
_COLUMN_ADDED = "a column was added"
_WORDS = {"insert": "new", "update": "", "delete": "deleted"}
_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field, before and after as text; an empty side means that there was, or is, nothing."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """What happened to one record; `what` is "new", "deleted" or empty, `noun` what such a record is called.

    `search`, spelled as in addresses, finds every operation on the record. `technical` are the fields that say
    nothing a person asks about, under the names they have in the database.
    """

    id: int
    table: str
    noun: str
    record: str
    label: str
    kind: str
    what: str
    search: str
    fields: list[FieldRow]
    technical: list[FieldRow]


@dataclass(frozen=True, slots=True)
class _Reader:
    """For whom values are written, and what is known about the records they are of."""

    prices: bool = False
    #: Whether they see whole numbers of bank accounts.
    accounts: bool = False
    zone: str = _zones.UTC_NAME
    names: Mapping[Record, str] = field(default_factory=dict)
    units: Mapping[Record, str] = field(default_factory=dict)
    #: What people read for the reason of a movement, by its code.
    reasons: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[tuple[int, str], tuple[str | None, str | None]] = field(default_factory=dict)
    #: What stands in place of values that were erased, by record.
    erased: Mapping[Record, str] = field(default_factory=dict)


def change_rows(session: Session, changes: Sequence[sa.Row[Any]], zone: str = _zones.UTC_NAME) -> list[ChangeRow]:
    """Make rows of `changes` (rows of `audit_change`) for the person of the running query."""
    records = [(change.table_name, change.pk) for change in changes]
    reader = _Reader(
        prices=Permission.PRICES_VIEW in current_viewer(session).permissions,
        accounts=Permission.PAYMENTS_VIEW in current_viewer(session).permissions,
        zone=zone,
        names=record_names(session, {*records, *(found for change in changes for found in _referred_to(change))}),
        units=units(session, records),
        reasons=reason_labels(session),
        personal=_personal_values(session, changes),
        erased=_erasures(session, changes, zone),
    )
    rows: list[ChangeRow] = []
    for change in changes:
        shown, technical = _fields(change, reader)
        rows.append(
            ChangeRow(
                id=change.id,
                table=change.table_name,
                noun=noun(change.table_name).capitalize(),
                record=spelled_key(change.pk),
                label=_COLUMN_ADDED
                if change.kind == "schema"
                else reader.names.get((change.table_name, change.pk), ""),
                kind=change.kind,
                what=_WORDS.get(str(change.kind), str(change.kind)),
                search=quote(record_search(change.table_name, change.pk), safe="/:,"),
                fields=shown,
                technical=technical,
            )
        )
    return rows


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


def _erasures(session: Session, changes: Sequence[sa.Row[Any]], zone: str) -> dict[Record, str]:
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
    return {
        (row.table_name, row.pk): f"{ERASED} on {_zones.clock(row.recorded_at, zone):%-d %b %Y} by {row.actor_name}"
        for row in rows
    }


def _referred_to(change: sa.Row[Any]) -> list[Record]:
    """Return the records that the values of a change point to."""
    known = tables().get(change.table_name)
    if known is None:
        return []
    found: list[Record] = []
    for payload in (_payload(change.before), _payload(change.after)):
        for name, value in payload.items():
            if value is not None and name in known.columns and (record := _reference(known.columns[name], value)):
                found.append(record)
    return found


def _reference(column: sa.Column[Any], value: object) -> Record | None:
    """Return which record a value names, as `audit_change.pk` spells it; None when the column names none."""
    for key in column.foreign_keys:
        return key.column.table.name, str(value) if isinstance(value, int) else json.dumps([value])
    return None


def _fields(change: sa.Row[Any], reader: _Reader) -> tuple[list[FieldRow], list[FieldRow]]:
    """Compare the payloads: only changed fields of an update, everything of a new or deleted record.

    Returns what people read, and what is only of technical interest.
    """
    before, after = _payload(change.before), _payload(change.after)
    table = tables().get(change.table_name)
    order = {} if table is None else {name: place for place, name in enumerate(table.columns.keys())}
    whole = change.kind != "update"
    shown: list[FieldRow] = []
    technical: list[FieldRow] = []
    for name in sorted(before | after if whole else before, key=lambda name: order.get(name, len(order))):
        old, new = before.get(name), after.get(name)
        if whole and old in (None, "") and new in (None, ""):
            continue
        # A column that is gone: its values are shown as they were recorded.
        column = None if table is None else table.columns.get(name)
        then, now = _sides(change, name, old, new, column, _Of(reader, change, before | after))
        internal = is_internal(change.table_name, name)
        label = name if internal else column_label(change.table_name, name)
        (technical if internal else shown).append(FieldRow(name, label, then, now))
    return shown, technical


@dataclass(frozen=True, slots=True)
class _Of:
    """The record that a value belongs to."""

    reader: _Reader
    change: sa.Row[Any]
    row: Mapping[str, Any]


def _sides(
    change: sa.Row[Any], name: str, old: object, new: object, column: sa.Column[Any] | None, of: _Of
) -> tuple[str, str]:
    secret = column is not None and name in column.table.info["audit"]["secret"]
    if _is_price(name, of) and not of.reader.prices:
        return "" if old is None else HIDDEN, "" if new is None else HIDDEN
    if name == "iban" and not of.reader.accounts:
        return _iban.masked(str(old)) if old else "", _iban.masked(str(new)) if new else ""
    if secret or _is(_SECRET, old) or _is(_SECRET, new):
        # That it was set, changed or taken away is no secret; its hash would invite guessing.
        word = "changed" if change.kind == "update" else "set"
        return "" if old is None or new is not None else word, "" if new is None else word
    then, now = of.reader.personal.get((change.id, name), (None, None))
    sides = _shown(old, then, column, of), _shown(new, now, column, of)
    # Nothing and an empty text are two things only where one became the other.
    return sides if any(sides) else ("" if old is None else "“”", "" if new is None else "“”")


def _is_price(name: str, of: _Of) -> bool:
    """Tell whether a value is a cost or a price: by its column, or by the field that a row of a set changes."""
    in_a_set = of.change.table_name == "change_set_row" and name in ("before", "after")
    return name in PRICE_FIELDS or (in_a_set and of.row.get("field") in PRICE_FIELDS)


def _payload(text: str | None) -> dict[str, Any]:
    # Numbers stay exactly as they were written: a float would round them.
    return json.loads(text, parse_float=Decimal) if text else {}


def _is(shape: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and shape.fullmatch(value) is not None


def _shown(value: object, personal: str | None, column: sa.Column[Any] | None, of: _Of) -> str:
    if value is None:
        return ""
    if _is(_SALTED, value):
        if personal is not None:
            return _clipped(personal)
        return of.reader.erased.get((of.change.table_name, of.change.pk), ERASED)
    return _clipped((_meaning(value, column, of.reader) if column is not None else "") or _plain(value, column, of))


def _meaning(value: object, column: sa.Column[Any], reader: _Reader) -> str:
    """Return what a key or a code stands for; empty when the value stands for itself."""
    if (record := _reference(column, value)) is not None:
        return reader.names.get(record) or (f"#{value}" if isinstance(value, int) else "")
    if (column.table.name, column.name) == ("stock_movement", "reason_code"):
        return reader.reasons.get(str(value), "")
    return CODES.get((column.table.name, column.name), {}).get(str(value), "")


def _plain(value: object, column: sa.Column[Any] | None, of: _Of) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return _number(Decimal(value), column, of)
    if isinstance(value, str):
        return _time(value, column, of.reader.zone) or value
    return json.dumps(value, ensure_ascii=False, default=str)


def _number(value: Decimal, column: sa.Column[Any] | None, of: _Of) -> str:
    plain = value.normalize()
    if column is None or not isinstance(column.type, sa.Numeric):
        text, unit = f"{plain:f}", ""
    elif column.type.scale == MONEY.scale:
        # Two decimals, and more only where there are more: what is recorded is not rounded.
        text = f"{value.quantize(_CENTS) if value == value.quantize(_CENTS) else plain:,f}"
        unit = get_settings().currency if column.name in _IN_BASE_CURRENCY else str(of.row.get("currency") or "")
    else:
        text = f"{plain:,f}"
        unit = (
            of.reader.units.get((of.change.table_name, of.change.pk), "") if column.type.scale == QUANTITY.scale else ""
        )
    return f"{text.replace('-', '−')} {unit}".strip()


def _time(value: str, column: sa.Column[Any] | None, zone: str) -> str:
    """Write a moment or a day as people do; empty when it is none."""
    if _INSTANT.fullmatch(value):
        moment = _zones.clock(datetime.fromisoformat(value).astimezone(UTC), zone)
        return f"{moment:%-d %b %Y, %H:%M:%S}{' UTC' if zone == _zones.UTC_NAME else ''}"
    if column is not None and isinstance(column.type, sa.Date):
        return f"{date.fromisoformat(value):%-d %b %Y}"
    return ""


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
