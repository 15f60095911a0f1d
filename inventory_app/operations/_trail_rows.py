"""A line of the trail: who did what, when, and in a few words why or to what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inventory_app.context import NOBODY
from inventory_app.models.access import UserPicture
from inventory_app.models.users import LocalUser, UserInfo
from inventory_app.operations._reasons import reason_labels
from inventory_app.operations._trail_labels import noun, operation_words, said_reason
from inventory_app.operations._trail_names import record_names
from inventory_app.operations.pictures import initials_of, picture_address

#: Of each operation so many changes are counted on the list.
MOST_COUNTED = 1_000
#: An operation with no more changes is about one record, and its line says which.
MOST_FOR_ONE_RECORD = 5
_LINKS = frozenset({"user_role", "role_permission"})

_COUNTED = sa.text("""
    SELECT o.id, c.table_name, count(*) AS n, count(DISTINCT c.pk) AS records, min(c.id) AS first,
           (array_agg(c.pk ORDER BY c.id))[1] AS pk
      FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS o (id, at)
     CROSS JOIN LATERAL (SELECT id, table_name, pk FROM audit_change
                          WHERE operation_id = o.id AND recorded_at = o.at LIMIT :most) AS c
     GROUP BY o.id, c.table_name
     ORDER BY records DESC, c.table_name
""")


@dataclass(frozen=True, slots=True)
class OperationRow:
    """A line of the trail; `actor` is the recorded name, `person` today's full name behind it."""

    id: str
    at: str
    at_text: str
    name: str
    #: What somebody did, in words: "Moved stock".
    words: str
    outcome: str
    summary: str
    actor: str
    person: str
    initials: str
    #: Where today's picture of that person is; empty when there is none.
    picture: str
    machine: bool
    changes: str


def operation_rows(session: Session, found: Sequence[sa.Row[Any]]) -> list[OperationRow]:
    """Make rows of operations: one statement for what they changed, one for the people, one per kind of record."""
    counts = _counted(session, found)
    main = {id_: min(tables, key=_leads) for id_, tables in counts.items() if _few(tables)}
    named = record_names(session, [(table.table_name, table.pk) for table in main.values()])
    people = _people(session, {_who(row) for row in found} - {None})
    labels = reason_labels(session)
    return [
        _operation_row(
            row,
            counts.get(row.id, ()),
            named.get((main[row.id].table_name, main[row.id].pk), "") if row.id in main else "",
            *people.get(_who(row), ("", "")),
            labels,
        )
        for row in found
    ]


def _leads(table: sa.Row[Any]) -> tuple[bool, int]:
    """Order the tables of an operation by which is its subject: a record before what links two."""
    return table.table_name in _LINKS, table.first


def _few(tables: Sequence[sa.Row[Any]]) -> bool:
    return sum(table.n for table in tables) <= MOST_FOR_ONE_RECORD


def _counted(session: Session, found: Sequence[sa.Row[Any]]) -> dict[UUID, list[sa.Row[Any]]]:
    """Count the changes and the records of each operation by table, the most first, and name the first one's key."""
    counts: dict[UUID, list[sa.Row[Any]]] = {}
    # The time leads to the one partition that holds the operation's changes.
    times = {row.id: row.recorded_at for row in found}
    arguments = {"ids": list(times), "times": list(times.values()), "most": MOST_COUNTED + 1}
    for row in session.execute(_COUNTED, arguments) if times else ():
        counts.setdefault(row.id, []).append(row)
    return counts


def _who(row: sa.Row[Any]) -> str | None:
    """Return the username behind an operation; None when nobody with an account stands behind it.

    Whoever signs in has no session yet, and so no number in the record: the password was right, so the name is.
    """
    by_a_person = row.actor_kind == "user" or (row.actor_kind == "anonymous" and row.actor_name != NOBODY)
    return row.actor_name if by_a_person else None


def _people(session: Session, usernames: Iterable[str | None]) -> dict[str | None, tuple[str, str]]:
    """Return what these people are called today, and where their pictures are."""
    rows = session.exec(
        select(LocalUser.username, LocalUser.id, UserInfo.full_name, UserPicture.sha256)
        .join(UserInfo, col(UserInfo.user_id) == col(LocalUser.id))
        .outerjoin(UserPicture, col(UserPicture.user_id) == col(LocalUser.id))
        .where(col(LocalUser.username).in_(usernames))
    )
    return {username: (name, picture_address(id_, sha256)) for username, id_, name, sha256 in rows}


def _operation_row(
    row: sa.Row[Any],
    tables: Sequence[sa.Row[Any]],
    about: str,
    full_name: str,
    picture: str,
    labels: Mapping[str, str],
) -> OperationRow:
    number = sum(table.n for table in tables)
    person = full_name or row.actor_name
    at: datetime = row.recorded_at
    return OperationRow(
        id=str(row.id),
        at=at.isoformat(),
        at_text=f"{at:%Y-%m-%d %H:%M} UTC",
        name=row.name,
        words=operation_words(row.name),
        outcome=row.outcome,
        summary=_summary(row, tables, about, labels),
        actor=row.actor_name,
        person=person,
        initials=initials_of(person),
        picture=picture,
        machine=row.actor_kind in ("system", "cli"),
        changes=f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}" if number else "",
    )


def _summary(row: sa.Row[Any], tables: Sequence[sa.Row[Any]], about: str, labels: Mapping[str, str]) -> str:
    """Say in a line why it was refused, why it was done, or what it changed."""
    reason = said_reason(row.name, row.reason, labels)
    if row.outcome != "succeeded":
        why = ": ".join(part for part in (row.error_class, row.detail or reason) if part)
        return f"{why} ({row.attempts} times)" if row.attempts > 1 else why
    more = "+" if sum(table.n for table in tables) > MOST_COUNTED else ""
    changed = ", ".join(
        f"{min(table.records, MOST_COUNTED):,}{more} {noun(table.table_name, table.records)}" for table in tables
    )
    return " · ".join(part for part in (about, reason or changed) if part) or "Nothing changed"
