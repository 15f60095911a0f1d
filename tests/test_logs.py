"""The log: JSON, UTC, in the name of who really acts, and without anything secret."""

import contextlib
import io
import json
import logging
from datetime import datetime

import pytest
import structlog

from inventory_app import logs
from inventory_app.context import Actor, acting_as, generate_operation_id, operation_in_progress

ANN = Actor(kind="user", name="ann", id=7, client_ip="192.0.2.1", request_id="r1")


class Output:
    """What was written, line by line."""

    def __init__(self) -> None:
        self._stream = io.StringIO()

    def configure(self, level: str = "info", style: str = "json") -> None:
        # Not by monkeypatch: pytest puts its own stream in place again between set-up and call.
        with contextlib.redirect_stdout(self._stream):
            logs.configure(level, style)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def line(self) -> dict:
        (only,) = self.lines
        return only


@pytest.fixture
def written():
    """Configure the log as in production, and put everything back as it was."""
    loggers = [logging.getLogger(name) for name in ("", "reflex", "reflex_base")]
    before = [(log, log.handlers[:], log.level, log.propagate) for log in loggers]
    output = Output()
    output.configure()
    yield output
    structlog.reset_defaults()
    for log, handlers, level, propagate in before:
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


def test_a_line_is_json_with_a_time_in_utc(written):
    structlog.get_logger("test").info("something_happened", count=3, name="Zoë")
    line = written.line
    assert (line["event"], line["level"], line["count"], line["name"]) == ("something_happened", "info", 3, "Zoë")
    assert line["at"].endswith("Z")
    assert datetime.fromisoformat(line["at"]).utcoffset().total_seconds() == 0
    assert "Zoë" in written.text


@pytest.mark.parametrize("style", ["json", "console"])
def test_what_no_file_can_hold_is_written_all_the_same(written, style):
    written.configure("info", style)
    structlog.get_logger("test").info("something_happened", code="half a pair \ud800")
    assert written.text.encode("utf-8")
    assert "half a pair" in written.text


def test_below_the_level_nothing_is_written(written):
    structlog.get_logger("test").debug("detail")
    assert written.text == ""


def test_who_acts_and_in_which_operation_is_on_every_line(written):
    identity = generate_operation_id()
    with acting_as(ANN), operation_in_progress("stock.transfer_inventory", identity):
        structlog.get_logger("test").info("something_happened")
        logging.getLogger("library").warning("something else")
    for line in written.lines:
        assert (line["actor"], line["actor_kind"], line["actor_id"]) == ("ann", "user", "7")
        assert (line["client_ip"], line["request_id"]) == ("192.0.2.1", "r1")
        assert (line["operation"], line["operation_id"]) == ("stock.transfer_inventory", str(identity))


def test_nobody_logs_under_another_name(written):
    structlog.contextvars.bind_contextvars(actor="bound")
    with acting_as(ANN), operation_in_progress("real", generate_operation_id()):
        log = structlog.get_logger("test").bind(actor="other")
        log.info("a", actor="somebody else", operation="fake", client_ip="10.0.0.1", request_id="forged")
    structlog.contextvars.clear_contextvars()
    line = written.line
    assert (line["actor"], line["operation"], line["client_ip"], line["request_id"]) == (
        "ann",
        "real",
        "192.0.2.1",
        "r1",
    )


def test_outside_every_operation_nobody_is_named(written):
    structlog.get_logger("test").info("idle")
    assert not {"actor", "operation", "request_id"} & written.line.keys()


def _fail_with_secrets() -> None:
    password = "hunter2-in-a-local"
    raise ValueError(len(password))


@pytest.mark.parametrize(
    "logger", [structlog.get_logger("ours"), logging.getLogger("a.library")], ids=["ours", "library"]
)
def test_a_traceback_shows_no_locals(written, logger):
    try:
        _fail_with_secrets()
    except ValueError:
        logger.exception("it_failed")
    assert "hunter2" not in written.text
    assert "_fail_with_secrets" in written.text
    exception = written.line["exception"][0]
    assert exception["exc_type"] == "ValueError"
    assert not [frame for frame in exception["frames"] if frame.get("locals")]


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("headers: {'cookie': '__Host-session=SECRET; a=b', 'host': 'x'}", ()),
        ('headers: {"cookie": "__Host-session=SECRET", "host": "x"}', ()),
        ("Cookie: session=SECRET", ()),
        ("headers %s", ({"Authorization": "Bearer SECRET", "host": "x"},)),
        ("authorization=SECRET", ()),
        ("set-cookie: session=SECRET; HttpOnly", ()),
        ("headers [(b'cookie', b'session=SECRET'), (b'host', b'x')]", ()),
        ("%r", ([(b"cookie", b"session=SECRET"), (b"authorization", b"Bearer SECRET")],)),
        ("environ {'HTTP_COOKIE': 'session=SECRET; b=SECRET', 'X': 1}", ()),
        ("Cookie: a=1; session=SECRET", ()),
        ("Authorization: Bearer SECRET", ()),
        ("Unknown event. Event data: {'name': 'state.sign_in', 'payload': {'password': 'SECRET'}}", ()),
        ("Received an event x with value {'password': 'SECRET'}", ()),
        ("Event(token='t', name='x', payload={'form': {'password': 'SECRET'}})", ()),
        ("Failed to deserialize event data: {'password': 'SECRET'}.", ()),
        ("Event data must be a dictionary, but received ['SECRET'] of type list", ()),
    ],
    ids=range(16),
)
def test_a_librarys_line_loses_cookies_credentials_and_what_people_typed(written, message, arguments):
    logging.getLogger("reflex.anything").warning(message, *arguments)
    assert "SECRET" not in written.text
    assert "left out" in written.text


def _read_event() -> None:
    from reflex_base.utils.exceptions import EventDeserializationError

    raise EventDeserializationError("Failed to deserialize event data: {'password': 'SECRET'}.")


def _fail_like_reflex() -> None:
    try:
        _read_event()
    except ValueError as error:
        raise RuntimeError("headers {'cookie': 'session=SECRET'}") from error


@pytest.mark.parametrize("logger", ["asyncio", "engineio.server"])
def test_the_text_of_a_librarys_error_loses_them_too(written, logger):
    try:
        _fail_like_reflex()
    except RuntimeError:
        logging.getLogger(logger).exception("it failed")
    assert "SECRET" not in written.text
    assert [error["exc_type"] for error in written.line["exception"]] == ["RuntimeError", "EventDeserializationError"]


def test_a_librarys_harmless_line_stays_as_it_is(written):
    logging.getLogger("granian").warning("Worker %s stopped after %d s", "one", 3)
    assert written.line["event"] == "Worker one stopped after 3 s"
    assert written.line["logger"] == "granian"
    assert written.line["level"] == "warning"


def test_a_librarys_chatter_is_not_written(written):
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    logging.getLogger("reflex").info("starting")
    assert written.text == ""


def test_configuring_again_does_not_write_twice(written):
    written.configure()
    logging.getLogger("reflex").warning("once")
    assert len(written.lines) == 1


def test_in_a_terminal_it_is_readable(written):
    written.configure("debug", "console")
    with acting_as(ANN):
        structlog.get_logger("test").debug("something_happened", count=3)
    assert "something_happened" in written.text
    assert "ann" in written.text
    assert not written.text.startswith("{")


def test_a_statements_values_are_in_no_error(database, written):
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError

    from inventory_app.unit_of_work import open_session

    with open_session() as session, pytest.raises(DBAPIError) as raised:
        session.execute(sa.text("SELECT CAST(:n AS int) / 0, :secret").bindparams(n=1, secret="SECRET"))
    assert "SECRET" not in str(raised.value)
