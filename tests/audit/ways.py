"""Every way there is to write a row, doing the same thing: the matrix of `docs/architecture.md`, audit.

Each inserts the location NEW, deactivates the location SHELF, or takes the role `employee` from everybody.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Session, col, select

from inventory_app.models.catalog import Location
from inventory_app.models.users import UserRole

Write = Callable[[Session], Any]

_table: sa.Table = Location.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper
_links: sa.Table = UserRole.__table__  # pyright: ignore[reportAttributeAccessIssue]  # set by the mapper

NEW = {"code": "NEW", "name": "New place", "sort_key": "new place", "kind": "storage", "parent_id": None}
_VALUES = "'NEW', 'New place', 'new place', 'storage', true"
_COLUMNS = "code, name, sort_key, kind, active"
_INSERT = f"INSERT INTO location ({_COLUMNS}) VALUES ({_VALUES})"
_UPDATE = "UPDATE location SET active = false WHERE code = 'SHELF'"
_DELETE = "DELETE FROM user_role"
_MERGE = (
    "MERGE INTO location l USING (VALUES ('{0}')) v(code) ON l.code = v.code"
    " WHEN MATCHED THEN UPDATE SET active = false"
    f" WHEN NOT MATCHED THEN INSERT ({_COLUMNS}) VALUES ({_VALUES})"
)


def driver(session: Session) -> Any:
    """Return psycopg's own connection under the session."""
    return session.connection().connection.driver_connection


def _copy(session: Session) -> None:
    with driver(session).cursor().copy(f"COPY location ({_COLUMNS}) FROM STDIN") as copy:
        copy.write_row(("NEW", "New place", "new place", "storage", True))


def _orm_insert(session: Session) -> None:
    session.add(Location(code="NEW", name="New place"))
    session.flush()


def _orm_update(session: Session) -> None:
    session.exec(select(Location).where(Location.code == "SHELF")).one().active = False
    session.flush()


def _orm_delete(session: Session) -> None:
    for link in session.exec(select(UserRole)).all():
        session.delete(link)
    session.flush()


def _bulk_objects(session: Session) -> None:
    session.bulk_save_objects([Location(code="NEW", name="New place")])


def _bulk_mappings(session: Session) -> None:
    found = session.exec(select(Location.id).where(Location.code == "SHELF")).one()
    session.bulk_update_mappings(sa.inspect(Location), [{"id": found, "active": False}])


def _upsert(code: str) -> Write:
    statement = upsert(_table).values({**NEW, "code": code, "active": True})
    # The unique index is on lower(code).
    return lambda session: session.execute(
        statement.on_conflict_do_update(index_elements=[sa.text("lower(code)")], set_={"active": False})
    )


INSERTS: dict[str, Write] = {
    "ORM": _orm_insert,
    "ORM, bulk objects": _bulk_objects,
    "ORM, bulk insert": lambda s: s.execute(sa.insert(Location), [{"code": "NEW", "name": "New place"}]),
    "Core": lambda s: s.execute(_table.insert().values(code="NEW", name="New place", kind="storage", active=True)),
    "text": lambda s: s.execute(sa.text(_INSERT)),
    "driver": lambda s: driver(s).execute(_INSERT),
    "driver, many": lambda s: (
        driver(s).cursor().executemany(f"INSERT INTO location ({_COLUMNS}) VALUES (%s, {_VALUES[7:]})", [("NEW",)])
    ),
    "upsert that inserts": _upsert("NEW"),
    "COPY": _copy,
    "MERGE that inserts": lambda s: s.execute(sa.text(_MERGE.format("NEW"))),
    "writable CTE": lambda s: s.execute(sa.text(f"WITH made AS ({_INSERT} RETURNING id) SELECT * FROM made")),
    "function": lambda s: s.execute(sa.text(f"DO $$ BEGIN {_INSERT}; END $$")),
}

UPDATES: dict[str, Write] = {
    "ORM": _orm_update,
    "ORM, bulk mappings": _bulk_mappings,
    "ORM, bulk update": lambda s: s.execute(
        sa.update(Location).where(col(Location.code) == "SHELF").values(active=False)
    ),
    "Core": lambda s: s.execute(_table.update().where(_table.c.code == "SHELF").values(active=False)),
    "text": lambda s: s.execute(sa.text(_UPDATE)),
    "driver": lambda s: driver(s).execute(_UPDATE),
    "upsert that updates": _upsert("SHELF"),
    "MERGE that updates": lambda s: s.execute(sa.text(_MERGE.format("SHELF"))),
    "writable CTE": lambda s: s.execute(sa.text(f"WITH changed AS ({_UPDATE} RETURNING id) SELECT * FROM changed")),
    "function": lambda s: s.execute(sa.text(f"DO $$ BEGIN {_UPDATE}; END $$")),
}

DELETES: dict[str, Write] = {
    "ORM": _orm_delete,
    "ORM, bulk delete": lambda s: s.execute(sa.delete(UserRole)),
    "Core": lambda s: s.execute(_links.delete()),
    "text": lambda s: s.execute(sa.text(_DELETE)),
    "driver": lambda s: driver(s).execute(_DELETE),
    "MERGE that deletes": lambda s: s.execute(
        sa.text("MERGE INTO user_role u USING role r ON r.id = u.role_id WHEN MATCHED THEN DELETE")
    ),
    "writable CTE": lambda s: s.execute(sa.text(f"WITH gone AS ({_DELETE} RETURNING *) SELECT * FROM gone")),
}
