"""Keeping the embedded server alive while the application serves: one that died is started again, and it is logged."""

import threading
import time

import structlog

from inventory_app.database.embedded import Server
from inventory_app.operator_error import OperatorError

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


class Keeper:
    """A thread that looks after the server; started after the worker was forked, stopped before the server is."""

    def __init__(self, server: Server) -> None:
        """Look after `server` between `start` and `stop`."""
        self._server = server
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="database-keeper", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End in order: a start that is under way is waited for, and none begins afterwards."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            if self._server.pid is None:
                self._bring_back()

    def _bring_back(self) -> None:
        """Start the server until it runs; the pause after a failure doubles up to half a minute."""
        gone, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
        log.error("database_died", hint="The embedded database ended without being asked to; it is started again.")
        while not self._stopping.is_set():
            try:
                self._server.revive()
            except (OperatorError, OSError) as error:
                log.critical("database_not_restarted", reason=str(error), next_try_seconds=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                log.warning("database_restarted", away_seconds=round(time.monotonic() - gone, 1))
                return
