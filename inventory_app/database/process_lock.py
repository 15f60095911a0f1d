"""A lock that one process of many holds for as long as it lives: on a connection of its own, and gone with that."""

from typing import Any, LiteralString

import psycopg
import structlog

from inventory_app.database.reachable import CONNECT_TIMEOUT_SECONDS, libpq

log = structlog.get_logger(__name__)

#: A network that went away is noticed within a minute, and a statement never waits for long.
_CONNECTION: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": "-c statement_timeout=5s -c idle_session_timeout=0",
}
_HELD: LiteralString = """SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted
           AND pid = pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND classid = 0 AND objid = %s AND objsubid = 1)"""


class ProcessLock:
    """The advisory lock `key`, taken for the session; not for use by two threads at once."""

    def __init__(self, url: str, key: int, name: str) -> None:
        """Take the address of the database, the key, and the name the connection shows there."""
        self._url, self._key, self._name = libpq(url), key, name
        self._connection: psycopg.Connection | None = None

    def held(self) -> bool:
        """Tell whether this process has the lock, having tried to get it (back) if not; never waits for it."""
        if self._connection is not None:
            try:
                if self._ask(self._connection, _HELD):
                    return True
            except psycopg.Error as error:
                log.warning("process_lock_lost", lock=self._name, error_type=type(error).__name__)
            self.release()
        return self._take()

    def _take(self) -> bool:
        try:
            connection = psycopg.connect(self._url, autocommit=True, application_name=self._name, **_CONNECTION)
        except psycopg.OperationalError as error:
            log.warning("process_lock_unreachable", lock=self._name, error_type=type(error).__name__)
            return False
        try:
            taken = self._ask(connection, "SELECT pg_try_advisory_lock(%s)")
        except psycopg.Error as error:
            log.warning("process_lock_unreachable", lock=self._name, error_type=type(error).__name__)
            taken = False
        if not taken:
            connection.close()
            return False
        self._connection = connection
        log.info("process_lock_taken", lock=self._name)
        return True

    def _ask(self, connection: psycopg.Connection, statement: LiteralString) -> bool:
        row = connection.execute(statement, [self._key]).fetchone()
        return bool(row and row[0])

    def release(self) -> None:
        """Give the lock back; it goes with its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
