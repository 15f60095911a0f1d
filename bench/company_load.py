"""Writing a made-up company into the database: COPY, 10,000 rows an operation of `system:bench`, every trigger on."""

import multiprocessing
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from bench import stage
from bench.company_data import COLUMNS, Chunk, Company, busiest, busiest_movements, categories, locations, suppliers
from inventory_app import first_run, jobs, logs, migrations
from inventory_app.context import acting_as, system_actor
from inventory_app.database.embedded import Server
from inventory_app.operations._operation import OPERATIONS, operation, operation_id
from inventory_app.operations.sessions import hash_token
from inventory_app.paths import DATABASE, SUPERUSER_ROLE
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, transact

ROWS_AN_OPERATION = 10_000
#: A process does so much at a time, so that all of them end together.
_CHUNKS_A_TASK = 50
_NUMBERED = ("location", "category", "supplier", "product", "lot", "inventory_item", "stock_movement")

Rows = Callable[[UUID], Iterable[str]]


@operation(machine=True, name="bench.load")
def _copy(session: Session, *, table: str, rows: Rows) -> int:
    """Copy rows into a table; they are made once the operation has an identifier."""
    session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    made = list(rows(operation_id(session)))
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy:
        copy.write("\n".join(made) + "\n")
    return len(made)


OPERATIONS.pop("bench.load")


def load(server: Server, items: int, processes: int = 4) -> float:
    """Fill the empty database of the environment with a company of so many items; returns the seconds it took."""
    began = time.perf_counter()
    migrations.upgrade(get_settings())
    first_run.mirror_permissions()
    with open_session() as session:
        last = session.scalar(sa.text("SELECT max(id) FROM location")) or 0
    _dispose()
    company = Company(items, currency=get_settings().currency, first_location=last + 1)
    _write({"location": locations(company), "category": categories(), "supplier": suppliers(company)})
    tasks = [range(company.chunks)[at : at + _CHUNKS_A_TASK] for at in range(0, company.chunks, _CHUNKS_A_TASK)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for number, _ in enumerate(pool.map(_part, [company] * len(tasks), tasks), 1):
            sys.stderr.write(f"[{time.perf_counter() - began:.0f} s] {number} of {len(tasks)} parts\n")
    _write_busiest(company)
    jobs.sum_days()
    _dispose()
    settle(server)
    return time.perf_counter() - began


def _write_busiest(company: Company) -> None:
    _write(busiest(company))
    with acting_as(system_actor("bench")):
        transact(_copy, table="stock_movement", rows=lambda id_: busiest_movements(company, id_))


def _dispose() -> None:
    with open_session() as session:
        engine = session.connection().engine
    engine.dispose()


def _part(company: Company, numbers: range) -> None:
    """Write some chunks: their catalogue, then their movements round by round."""
    logs.configure("warning", "json")
    os.environ.setdefault("SQLALCHEMY_POOL_SIZE", "1")
    chunks = [Chunk(company, number) for number in numbers]
    tables: dict[str, list[str]] = {}
    for chunk in chunks:
        for table, rows in chunk.catalogue().items():
            tables.setdefault(table, []).extend(rows)
    _write(tables)
    together = ROWS_AN_OPERATION // 1_000
    with acting_as(system_actor("bench")):
        for turn in range(company.rounds):
            for at in range(0, len(chunks), together):
                some = chunks[at : at + together]
                transact(
                    _copy,
                    table="stock_movement",
                    rows=lambda id_, some=some, turn=turn: chain.from_iterable(
                        one.movements(turn, id_) for one in some
                    ),
                )


def _write(tables: dict[str, list[str]]) -> None:
    with acting_as(system_actor("bench")):
        for table, rows in tables.items():
            for at in range(0, len(rows), ROWS_AN_OPERATION):
                transact(_copy, table=table, rows=lambda _, some=rows[at : at + ROWS_AN_OPERATION]: some)


def settle(server: Server) -> None:
    """Let identifiers go on after those that were given, and do now what autovacuum would begin in a measurement."""
    with psycopg.connect(stage.address(server, DATABASE, SUPERUSER_ROLE), autocommit=True) as connection:
        for table in _NUMBERED:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"  # noqa: S608  # our names
            )
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def sign_in(people: int) -> list[str]:
    """Let so many managers be signed in, made when they are not there yet; returns their sessions' tokens."""
    tokens = [secrets.token_urlsafe() for _ in range(people)]
    with acting_as(system_actor("bench")):
        transact(_sign_in, hashes=[hash_token(token) for token in tokens])
    _dispose()
    return tokens


@operation(machine=True, name="bench.sign_in")
def _sign_in(session: Session, *, hashes: list[str]) -> None:
    for statement in _PEOPLE:
        session.execute(sa.text(statement), {"hashes": hashes})


OPERATIONS.pop("bench.sign_in")

#: Managers whose password nobody knows.
_PEOPLE = (
    "WITH person AS (INSERT INTO local_user (username, password_hash, enabled, must_change_password, enabled_at, created_at)"
    " SELECT 'bench' || n, '!', true, false, now(), now() FROM generate_series(1, cardinality(CAST(:hashes AS text[]))) n"
    " WHERE NOT EXISTS (SELECT 1 FROM local_user WHERE username = 'bench' || n) RETURNING id, username),"
    " info AS (INSERT INTO user_info (user_id, email, full_name, sort_key, version)"
    " SELECT id, username || '@example.com', username, username, 1 FROM person RETURNING id)"
    " INSERT INTO user_role (user_id, role_id) SELECT info.id, role.id FROM info, role WHERE role.name = 'manager'",
    "INSERT INTO auth_session (user_id, token_hash, created_at, expires_at, idle_minutes, client_ip, reauthenticated_at)"
    " SELECT u.id, given.hash, now(), now() + interval '1 day', 1440, '127.0.0.1', now()"
    " FROM unnest(CAST(:hashes AS text[])) WITH ORDINALITY AS given(hash, n)"
    " JOIN local_user u ON u.username = 'bench' || given.n",
)
