"""How our connections behave: time-outs, no JIT, pool and threads of one size."""

import os
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from inventory_app.settings import Settings

#: Waiting for a lock, a statement and an open transaction each end with a sentence for the person.
SESSION_SETTINGS = {
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "10s",
    # Compiling a plan costs more than running it for every query we have.
    "jit": "off",
    # What a list reads is in memory: an index is cheaper than the default, made for turning disks, has it.
    "random_page_cost": "1.1",
    "work_mem": "16MB",
    "timezone": "UTC",
}

#: libpq's own limits: for reaching the server, and for an answer once the network has swallowed a connection.
CONNECTION_PARAMETERS = {"connect_timeout": "5", "tcp_user_timeout": "20000", "keepalives_idle": "30"}


def size_pool(settings: Settings) -> None:
    """Give Reflex's engine one connection per database thread; call before the first session.

    A ping before each use would be a round trip per transaction: a dead connection is retried instead.
    """
    os.environ.setdefault("SQLALCHEMY_POOL_SIZE", str(settings.db_threads))
    os.environ.setdefault("SQLALCHEMY_MAX_OVERFLOW", "0")
    os.environ.setdefault("SQLALCHEMY_POOL_PRE_PING", "0")


def prepare(engine: sa.Engine) -> sa.Engine:
    """Make every new connection of `engine` carry `SESSION_SETTINGS`; idempotent."""
    if not event.contains(engine, "connect", _set_session):
        event.listen(engine, "do_connect", _give_up_in_time)
        event.listen(engine, "connect", _set_session)
        # An error's text holds the statement's values otherwise, and errors are logged.
        engine.hide_parameters = True
    return engine


def _give_up_in_time(_: object, __: object, ___: object, parameters: dict[str, Any]) -> None:
    """Let nobody wait for minutes for a server that has vanished from the network; an address may say otherwise."""
    for name, value in CONNECTION_PARAMETERS.items():
        parameters.setdefault(name, value)


def _set_session(connection: Any, _: object) -> None:
    connection.execute(
        "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SESSION_SETTINGS.items())
    )
    connection.commit()
