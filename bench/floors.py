"""The floors: the same transfer without the application, on a copy of the database that records nothing.

pgbench sends the SQL of the steps, or of the one statement; psycopg, SQLAlchemy Core and the ORM do the steps from
threads. No permission, no audit, no framework: what is lost above these is ours.
"""

import random
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from sqlmodel import Session, col, select

from bench.load import Samples
from bench.stage import address
from bench.stock_data import Data
from inventory_app.database.embedded import Server
from inventory_app.models.catalog import Location, Product, Unit
from inventory_app.models.stock import InventoryItem, StockMovement
from inventory_app.paths import APP_ROLE, DATABASE, SUPERUSER_ROLE

COPY = "floors"
Pair = tuple[int, int]
Transfer = Callable[[Any, int, int], None]


def make_copy(server: Server) -> None:
    """Copy the loaded database and take its triggers off; nobody may be connected to it."""
    server.create_database(COPY, template=DATABASE)
    with psycopg.connect(address(server, COPY, SUPERUSER_ROLE)) as connection:
        for table in ("inventory_item", "stock_movement", "product"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # the names are ours


def pgbench(server: Server, data: Data, script: str, clients: int, seconds: float) -> Samples:
    """Run a script of `bench/sql` with prepared statements; only rate and mean are known of it."""
    arguments = [
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={clients}",
        f"--jobs={min(clients, 4)}",
        f"--time={max(1, round(seconds))}",
        f"--define=products={data.products}",
        f"--define=pairs={len(data.pairs)}",
        "--file=-",
        address(server, COPY),
    ]
    # Read by us: the user the programs run as may not be allowed to read our folder.
    with (Path(__file__).parent / "sql" / script).open("rb") as file:
        result = server.programs.run("pgbench", *arguments, stdin=file)
    done = re.search(r"transactions actually processed: (\d+)", result.stdout)
    mean = re.search(r"latency average = ([\d.]+) ms", result.stdout)
    if not done or not mean:
        raise RuntimeError(result.stdout + result.stderr)
    count = int(done[1])
    return Samples([float(mean[1]) / 1e3] * count, elapsed=count * float(mean[1]) / 1e3 / clients)


class Threads:
    """Runs a transfer from so many threads, each with a connection of its own."""

    def __init__(self, server: Server, threads: int, pairs: list[Pair]) -> None:
        """Connect to the copy."""
        self.threads, self.pairs = threads, pairs
        self.engine = sa.create_engine(server.url(APP_ROLE, COPY), pool_size=threads, max_overflow=0)

    def run(self, transfer: Transfer, connect: Callable[[], Any], seconds: float) -> Samples:
        """Transfer between random items, one way or the other, until the time is over."""
        samples, lock = Samples(), threading.Lock()
        together = threading.Barrier(self.threads + 1)

        def work() -> None:
            mine, choose = list[float](), random.Random()  # noqa: S311  # no secret
            target = connect()
            together.wait()
            until = time.perf_counter() + seconds
            while (began := time.perf_counter()) < until:
                one, other = choose.sample(choose.choice(self.pairs), 2)
                transfer(target, one, other)
                mine.append(time.perf_counter() - began)
            with lock:
                samples.seconds.extend(mine)

        running = [threading.Thread(target=work) for _ in range(self.threads)]
        for thread in running:
            thread.start()
        together.wait()
        began = time.perf_counter()
        for thread in running:
            thread.join()
        samples.elapsed = time.perf_counter() - began
        return samples

    def orm(self, seconds: float) -> Samples:
        """Transfer through the ORM, as a handler without this application's mechanisms would."""
        return self.run(_orm, lambda: self.engine, seconds)

    def core(self, seconds: float) -> Samples:
        """Transfer through SQLAlchemy Core, its statements built once."""
        return self.run(_core, lambda: self.engine, seconds)

    def driver(self, seconds: float) -> Samples:
        """Transfer through psycopg alone."""
        url = self.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql", 1)
        open_ = list[psycopg.Connection]()

        def connect() -> psycopg.Connection:
            open_.append(psycopg.connect(url))
            return open_[-1]

        try:
            return self.run(_driver, connect, seconds)
        finally:
            for connection in open_:
                connection.close()

    def close(self) -> None:
        """Disconnect."""
        self.engine.dispose()


def _orm(engine: sa.Engine, one: int, other: int) -> None:
    with Session(engine) as session:
        found = session.exec(
            select(InventoryItem)
            .where(col(InventoryItem.id).in_([one, other]))
            .order_by(col(InventoryItem.id))
            .with_for_update()
        )
        items = {item.id: item for item in found}
        names = session.execute(
            sa.select(
                col(Product.name),
                col(Product.unit_cost),
                col(Unit.code),
                col(Unit.decimals),
                col(Location.name),
                col(Location.active),
            )
            .select_from(InventoryItem)
            .join(Product, col(Product.id) == col(InventoryItem.product_id))
            .join(Location, col(Location.id) == col(InventoryItem.location_id))
            .join(Unit, col(Unit.code) == col(Product.unit_code))
            .where(col(InventoryItem.id).in_([one, other]))
        ).all()
        cost, when, id_ = names[0][1], datetime.now(UTC), uuid4()
        for item, quantity in ((items[one], Decimal(-1)), (items[other], Decimal(1))):
            if item.quantity + quantity < 0:
                raise ValueError
            item.quantity += quantity
            item.sequence += 1
            item.changed_at, item.changed_by = when, "floor"
            session.add(
                StockMovement(
                    item_id=item.id or 0,
                    sequence=item.sequence,
                    kind="transfer",
                    quantity=quantity,
                    unit_cost=cost,
                    value=quantity * cost,
                    operation_id=id_,
                    occurred_at=when,
                    recorded_at=when,
                )
            )
        session.commit()


_ITEMS = "SELECT id, product_id, quantity, sequence FROM inventory_item WHERE id IN ({0}, {1}) ORDER BY id FOR UPDATE"
_PLACES = (
    "SELECT i.id, p.name, u.code, u.decimals, l.name, l.active FROM inventory_item i"
    " JOIN product p ON p.id = i.product_id JOIN location l ON l.id = i.location_id"
    " JOIN unit u ON u.code = p.unit_code WHERE i.id IN ({0}, {1})"
)
_COST = "SELECT id, unit_cost FROM product WHERE id = {0}"
_UPDATE = (
    "UPDATE inventory_item SET quantity = quantity + {0}, sequence = sequence + 1, changed_at = {1},"
    " changed_by = 'floor' WHERE id = {2}"
)
_INSERT = (
    "INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id, occurred_at,"
    " recorded_at) VALUES ({0}, {1}, 'transfer', -1, {2}, -{2}, {3}, {4}, {4}),"
    " ({5}, {6}, 'transfer', 1, {2}, {2}, {3}, {4}, {4})"
)
_STATEMENTS = {"items": _ITEMS, "places": _PLACES, "cost": _COST, "update": _UPDATE, "insert": _INSERT}
_CORE = {name: sa.text(text.format(*(f":{letter}" for letter in "abcdefg"))) for name, text in _STATEMENTS.items()}
_NAMED = {name: text.format(*(f"%({letter})s" for letter in "abcdefg")) for name, text in _STATEMENTS.items()}


def _steps(execute: Callable[[str, dict[str, Any]], Any], one: int, other: int) -> None:
    both = {"a": one, "b": other}
    items = {row[0]: row for row in execute("items", both).fetchall()}
    execute("places", both).fetchall()
    cost = execute("cost", {"a": items[one][1]}).fetchone()[1]
    when = datetime.now(UTC)
    execute("update", {"a": -1, "b": when, "c": one})
    execute("update", {"a": 1, "b": when, "c": other})
    sequences = items[one][3] + 1, items[other][3] + 1
    values = dict(zip("abcdefg", (one, sequences[0], cost, uuid4(), when, other, sequences[1]), strict=True))
    execute("insert", values)


def _core(engine: sa.Engine, one: int, other: int) -> None:
    with engine.begin() as connection:
        _steps(lambda name, values: connection.execute(_CORE[name], values), one, other)


def _driver(connection: psycopg.Connection, one: int, other: int) -> None:
    with connection.transaction():
        _steps(lambda name, values: connection.execute(_NAMED[name].encode(), values), one, other)
