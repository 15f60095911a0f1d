"""How the newest operations of a search are spread over outcomes, operations, people and tables.

Counted over at most `SAMPLE` operations, so the cost has a bound however long the trail is; each
facet leaves out its own choice, so that a second value can be chosen beside the first.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.context import NOBODY
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._trail_filter import conditions, names_like
from inventory_app.operations._trail_labels import noun
from inventory_app.operations._trail_search import OUTCOMES, Search, Term

SAMPLE = 5_000
MOST_VALUES = 6
#: Of an operation that changed very many records only so many are looked at.
_LOOKED_AT = 100

_OP = audit_operation.c
_TOTAL = "total"
_COLUMNS = {"outcome": _OP.outcome, "operation": _OP.name, "actor": _OP.actor_name}
_TITLES = {"outcome": "Outcome", "operation": "Operation", "actor": "Actor", "table": "What changed"}


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value one can choose; `search` is what the search becomes by choosing it, or by taking it off."""

    value: str
    label: str
    count: int
    chosen: bool
    search: str


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow the search down."""

    qualifier: str
    title: str
    values: list[FacetValue]


@dataclass(frozen=True, slots=True)
class Facets:
    """What the search found: how many ("1,244", or "2,000+" where counting stopped), and of what kinds."""

    total: str
    capped: bool
    facets: list[Facet]


def count_facets(session: Session, search: Search, zone: str, as_of: datetime | None) -> Facets:
    """Count the newest `SAMPLE` operations of `search` by each facet, as they were at `as_of`."""
    # Facets that leave out nothing share one sample, and so one statement.
    asked: dict[Search, list[str]] = {search: [_TOTAL]}
    for qualifier in _TITLES:
        asked.setdefault(search.without(*_chosen(search, qualifier)), []).append(qualifier)
    counts: dict[str, dict[str, int]] = {}
    for wanted, qualifiers in asked.items():
        counts |= _counts(session, qualifiers, _within(session, wanted, zone, as_of))
    total = counts[_TOTAL].get("", 0)
    facets = [_facet(session, search, qualifier, counts[qualifier]) for qualifier in _TITLES]
    return Facets(f"{total:,}{'+' if total == SAMPLE else ''}", total == SAMPLE, facets)


def _chosen(search: Search, qualifier: str) -> list[Term]:
    return [term for term in search.terms if term.qualifier == qualifier and not term.excluded]


def _within(session: Session, search: Search, zone: str, as_of: datetime | None) -> list[sa.ColumnElement[bool]]:
    # The look itself is recorded after the list was read: counted, it would be one more than is listed.
    return [*conditions(session, search, zone), *([] if as_of is None else [_OP.recorded_at <= as_of])]


def _counts(session: Session, qualifiers: list[str], within: list[sa.ColumnElement[bool]]) -> dict[str, dict[str, int]]:
    """Count the sample by each of `qualifiers`, the most frequent value first."""
    sample = (
        sa.select(_OP.id, _OP.recorded_at, *_COLUMNS.values())
        .where(*within)
        .order_by(_OP.recorded_at.desc(), _OP.id.desc())
        .limit(SAMPLE)
        .cte("sample")
    )
    parts: list[sa.Select[str, str, int]] = []
    for qualifier in qualifiers:
        source: sa.FromClause = sample
        if qualifier == _TOTAL:
            value: sa.ColumnElement[str] = sa.literal("")
        elif qualifier == "table":
            touched = _tables_of(sample)
            value, source = touched.c.table_name, sample.join(touched, sa.true())
        else:
            value = sample.c[_COLUMNS[qualifier].name]
        parts.append(sa.select(sa.literal(qualifier), value, sa.func.count()).select_from(source).group_by(value))
    counts: dict[str, dict[str, int]] = {qualifier: {} for qualifier in qualifiers}
    rows = session.execute(sa.union_all(*parts)).all()
    for qualifier, found, number in sorted(rows, key=lambda row: (-row[2], row[1])):
        counts[qualifier][found] = number
    return counts


def _facet(session: Session, search: Search, qualifier: str, counted: dict[str, int]) -> Facet:
    counts = dict(list(counted.items())[:MOST_VALUES])
    if qualifier == "outcome":
        counts = {outcome: counted.get(outcome, 0) for outcome in OUTCOMES}
    # What is chosen stays visible, so that it can be taken off where it was put on.
    for term in _chosen(search, qualifier):
        counts[term.value] = sum(counted[value] for value in names_like(counted, term.value))
    names = _people(session, counts) if qualifier == "actor" else {}
    if qualifier == "table":
        names = {table: noun(table, 2).capitalize() for table in counts}
    values = [_value(search, Term(qualifier, value), names.get(value, value), n) for value, n in counts.items()]
    return Facet(qualifier, _TITLES[qualifier], values)


def _value(search: Search, term: Term, label: str, counted: int) -> FacetValue:
    chosen = term in search.terms
    after = search.without(term) if chosen else search.adding(term)
    return FacetValue(term.value, label, counted, chosen, str(after))


def _tables_of(sample: sa.CTE) -> sa.FromClause:
    """Return the tables each operation of the sample touched, once each."""
    change = audit_change.c
    few = (
        sa.select(change.table_name)
        .where(change.operation_id == sample.c.id, change.recorded_at == sample.c.recorded_at)
        .limit(_LOOKED_AT)
        .correlate(sample)
        .subquery("few")
    )
    return sa.select(few.c.table_name).distinct().lateral("touched")


def _people(session: Session, usernames: dict[str, int]) -> dict[str, str]:
    rows = session.exec(
        select(LocalUser.username, UserInfo.full_name)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .where(col(LocalUser.username).in_(usernames), col(UserInfo.full_name) != "", LocalUser.username != NOBODY)
    )
    return dict(rows.all())
