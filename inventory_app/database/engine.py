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
    "timezone": "UTC",
}


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
        event.listen(engine, "connect", _set_session)
        # An error's text holds the statement's values otherwise, and errors are logged.
        engine.hide_parameters = True
    return engine


def _set_session(connection: Any, _: object) -> None:
    connection.execute(
        "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SESSION_SETTINGS.items())
    )
    connection.commit()
