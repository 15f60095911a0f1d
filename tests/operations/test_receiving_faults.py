"""Receiving breaks off between any two of its steps, or at any of its statements, and leaves nothing behind."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest
import sqlalchemy as sa
import structlog

from inventory_app import unit_of_work
from inventory_app.context import acting_as
from inventory_app.errors import DatabaseUnavailable, InvalidRows
from inventory_app.logs import _pin_context
from inventory_app.operations._receipt_lines import Back, Came
from tests.factories import item, location, product
from tests.operations.ordered import back, came, correct, ordered
from tests.operations.shelf import Ledger

#: Everything that is there, but for what tells of attempts.
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
_OF_ATTEMPTS = {"audit_operation", "auth_session", "audit_state"}


@pytest.fixture
def ledger(observer):
    return Ledger(observer)


@pytest.fixture(autouse=True)
def as_ann(ann, ledger, monkeypatch):
    """Let Ann do it without a pause between two attempts, and look at the books afterwards."""
    monkeypatch.setattr(unit_of_work, "_FIRST_PAUSE", 0.0001)
    with acting_as(ann):
        yield ann
    ledger.balances()


def everything(ledger) -> dict[str, list[str]]:
    """Return every row of every table that is not about attempts."""
    tables = sorted({row.table_name for row in ledger.rows(_TABLES)} - _OF_ATTEMPTS)
    return {table: [row[0] for row in ledger.rows(f'SELECT t::text FROM "{table}" t ORDER BY 1')] for table in tables}


class Trouble:
    """Something that can be done at the n-th thing which happens on this thread, once or every time."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at, self.always = -1, False
        self.do: Callable[[], None] | None = None
        self.thread = threading.current_thread()

    def happens(self, name: str) -> None:
        if threading.current_thread() is not self.thread:
            return
        self.names.append(name)
        due = len(self.names) - 1 == self.at or (self.always and name == self.wanted)
        if due and self.do is not None:
            self.do()

    wanted = ""


@contextmanager
def steps_of(trouble: Trouble) -> Iterator[None]:
    """Tell of every step that is logged, with the line whole: it carries the operation's id."""

    def seen(_: object, __: str, line: dict[str, object]) -> dict[str, object]:
        if line["event"] == "receiving_step":
            assert line["operation"], line
            assert line["operation_id"], line
            trouble.happens(str(line["step"]))
        return line

    def silent(*_: object) -> str:
        raise structlog.DropEvent

    before = structlog.get_config()["processors"]
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, _pin_context, seen, silent])
    try:
        yield
    finally:
        structlog.configure(processors=before)


@contextmanager
def statements_of(trouble: Trouble) -> Iterator[list[int]]:
    """Tell of every statement that has been run; yields the backends it ran on."""
    backends: list[int] = []

    def seen(connection: sa.Connection, _: object, statement: str, *__: object) -> None:
        if threading.current_thread() is trouble.thread:
            backends.append(connection.connection.driver_connection.info.backend_pid)  # pyright: ignore[reportOptionalMemberAccess]
            trouble.happens(statement)

    sa.event.listen(sa.Engine, "after_cursor_execute", seen)
    try:
        yield backends
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", seen)


class Unforeseen(Exception):
    """A fault of the code."""


def unforeseen() -> None:
    raise Unforeseen


def full() -> None:
    raise psycopg.errors.DiskFull


def unreadable() -> None:
    raise psycopg.errors.DataCorrupted


def an_order():
    """Place an order of everything: two products, one by lot, and what is not kept."""
    milk = product("MILK", name="Milk", lots_kept=True).id
    bolt = product("BOLT", name="Bolt").id
    item(bolt, location("NORTH").id, 3)
    return ordered(
        {"product_id": bolt, "quantity": Decimal(5)},
        {"product_id": milk, "quantity": Decimal(5)},
        {"quantity": Decimal(1)},
    )


def receiving(order):
    return lambda: came(order, 4, Came(order.lines[1], Decimal(2), lot_code="A1"), 1)


def returning(order):
    came(order, 4)
    (row,) = booked_items(order)
    return lambda: back(order, Back(order.lines[0], Decimal(4), row))


def correcting(order):
    done = came(order, 4, 0, 1)
    return lambda: correct(done.receipt_id)


def booked_items(order):
    from inventory_app.unit_of_work import open_session

    with open_session() as session:
        return list(
            session.execute(
                sa.text(
                    "SELECT DISTINCT r.item_id FROM goods_receipt_line r JOIN purchase_order_line l"
                    " ON l.id = r.order_line_id WHERE l.order_id = :id AND r.item_id IS NOT NULL"
                ),
                {"id": order.id},
            ).scalars()
        )


OPERATIONS = {"receive_goods": receiving, "return_goods": returning, "correct_receipt": correcting}
STEPS = {
    "receive_goods": (
        "order_locked",
        "products_locked",
        "lines_checked",
        "items_locked",
        "movements_posted",
        "costs_averaged",
        "order_updated",
        "invoices_matched",
        "receipt_numbered",
        "receipt_written",
    ),
    "return_goods": (
        "order_locked",
        "products_locked",
        "items_locked",
        "lines_checked",
        "movements_posted",
        "costs_averaged",
        "order_updated",
        "invoices_matched",
        "receipt_numbered",
        "receipt_written",
    ),
    "correct_receipt": (
        "order_locked",
        "lines_checked",
        "movements_taken_back",
        "order_updated",
        "invoices_matched",
        "receipt_numbered",
        "receipt_written",
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_fault_after_any_step_leaves_nothing_behind(name, ledger, trail):
    run = OPERATIONS[name](an_order())
    before = everything(ledger)
    for number, step in enumerate(STEPS[name]):
        trouble = Trouble()
        trouble.at, trouble.do = number, unforeseen
        with steps_of(trouble), pytest.raises(Unforeseen):
            run()
        assert trouble.names == list(STEPS[name][: number + 1])
        assert everything(ledger) == before, step
        last = trail.last()
        assert (last.name, last.outcome, last.error_class) == (f"receiving.{name}", "failed", "Unforeseen"), step
    trouble = Trouble()
    with steps_of(trouble):
        run()
    assert tuple(trouble.names) == STEPS[name]
    assert everything(ledger) != before


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_fault_at_any_statement_leaves_nothing_behind(name, ledger):
    run = OPERATIONS[name](an_order())
    before = everything(ledger)
    number, statements = 0, []
    while True:
        trouble = Trouble()
        trouble.at, trouble.do = number, unforeseen
        with statements_of(trouble):
            try:
                run()
            except Unforeseen:
                statements.append(trouble.names[number])
            else:
                break
        assert everything(ledger) == before, trouble.names[number]
        number += 1
    # It came by every statement that changes something.
    changing = ("INSERT INTO goods_receipt ", "INSERT INTO goods_receipt_line", "UPDATE purchase_order_line")
    for one in (*changing, "INSERT INTO stock_movement", "INSERT INTO number_series", "UPDATE purchase_order "):
        assert any(one in statement for statement in statements), one
    assert everything(ledger) != before


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_connection_that_is_lost_after_any_step_is_one_receipt_in_the_end(name, ledger, observer):
    """The operation is tried again under the same id: it is there once, not twice and not in parts.

    After the last one, only the answer to COMMIT is missing: that is looked up, and never tried again unseen.
    """
    make = OPERATIONS[name]
    for number, step in enumerate(STEPS[name][:-1]):
        run = make(fresh_order(number))
        papers, movements = counted(ledger)
        trouble = Trouble()
        with statements_of(Trouble()) as backends, steps_of(trouble):
            trouble.at, trouble.do = number, lambda: kill(observer, backends[-1])
            done = run()
        assert list(STEPS[name]) == trouble.names[number + 1 :], step
        assert [now - then for now, then in zip(counted(ledger), (papers, movements), strict=True)] == [
            1,
            sum(row.item_id is not None for row in lines_of(ledger, done)),
        ], step


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_database_that_never_comes_back_is_said_and_leaves_nothing_behind(name, ledger, observer, log_lines):
    run = OPERATIONS[name](an_order())
    before = everything(ledger)
    for step in STEPS[name]:
        trouble = Trouble()
        with statements_of(Trouble()) as backends, steps_of(trouble):
            trouble.wanted, trouble.always = step, True
            trouble.do = lambda backends=backends: kill(observer, backends[-1])
            with pytest.raises(DatabaseUnavailable) as raised:
                run()
        assert str(raised.value) == "The database cannot be reached. Nothing was changed; try again in a moment."
        assert everything(ledger) == before, step


def test_each_kind_of_failure_is_logged_as_what_it_is(ledger, log_lines, observer):
    """What was entered is a warning, a database that fails an error, and so is what nobody foresaw."""
    order = an_order()

    def level_of(kind: type[Exception], run: Callable[[], object]) -> tuple[str, str]:
        with pytest.raises(kind):
            run()
        (line,) = [line for line in log_lines if line["event"] == "operation_failed"]
        assert line["operation"] == "receiving.receive_goods"
        assert line["order_id"] == order.id
        operation_id = line["operation_id"]
        log_lines.clear()
        (found,) = ledger.rows("SELECT error_class FROM audit_operation WHERE id = %s::uuid", [operation_id])
        return line["log_level"], found.error_class

    assert level_of(InvalidRows, lambda: came(order, 6)) == ("warning", "InvalidRows")
    with at_statement("INSERT INTO goods_receipt_line", full):
        assert level_of(DatabaseUnavailable, lambda: came(order, 1)) == ("error", "DatabaseUnavailable")
    with at_statement("INSERT INTO goods_receipt_line", unreadable):
        assert level_of(sa.exc.DBAPIError, lambda: came(order, 1)) == ("error", "InternalError")
    with at_statement("INSERT INTO goods_receipt_line", unforeseen):
        assert level_of(Unforeseen, lambda: came(order, 1)) == ("error", "Unforeseen")


@contextmanager
def at_statement(fragment: str, do: Callable[[], None]) -> Iterator[None]:
    trouble = Trouble()

    def watch(name: str) -> None:
        if fragment in name:
            do()

    trouble.happens = watch  # pyright: ignore[reportAttributeAccessIssue]  # this one looks at what, not at when
    with statements_of(trouble):
        yield


def fresh_order(number: int):
    made = product(f"BOLT-{number}", name="Bolt").id
    milk = product(f"MILK-{number}", name="Milk", lots_kept=True).id
    return ordered(
        {"product_id": made, "quantity": Decimal(5)},
        {"product_id": milk, "quantity": Decimal(5)},
        {"quantity": Decimal(1)},
    )


def counted(ledger) -> tuple[int, int]:
    (row,) = ledger.rows(
        "SELECT (SELECT count(*) FROM goods_receipt) AS papers,"
        " (SELECT count(*) FROM stock_movement WHERE quantity <> 0) AS movements"
    )
    return row.papers, row.movements


def lines_of(ledger, done):
    return ledger.rows("SELECT item_id FROM goods_receipt_line WHERE receipt_id = %s", [done.receipt_id])


def kill(observer: psycopg.Connection, backend: int) -> None:
    """End a connection as an administrator would, and be sure that it has ended."""
    observer.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
