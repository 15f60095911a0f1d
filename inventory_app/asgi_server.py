"""The ASGI server: one worker that dies with its parent, and a line when the pages really answer."""

import http.client
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from inventory_app.database.keeper import Keeper
from inventory_app.operator_error import OperatorError
from inventory_app.settings import Settings

DRAIN_SECONDS = 10
_TARGET = "inventory_app.inventory_app:app"
_POLL_SECONDS = 0.05
_HEADER_MILLISECONDS = 10_000


def serve(settings: Settings, *, keeper: Keeper | None = None) -> None:
    """Serve until a signal; the worker drains first. A worker that fails ends it with a sentence.

    `keeper` looks after our own database meanwhile.
    """
    # Forked, the worker shares the memory of the application we have imported. Python 3.14 and macOS would not fork.
    multiprocessing.set_start_method("fork" if sys.platform == "linux" else "spawn", force=True)
    server = _Server(
        _TARGET,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1,
        log_level=LogLevels.warning,
        workers_kill_timeout=DRAIN_SECONDS,
        # Slow bodies are ended by http/bodies.py, slow headers here.
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
    )
    server.settings, server.keeper = settings, keeper
    listening, our_end = os.pipe()
    try:
        server.serve(target_loader=_Loader(listening, our_end), wrap_loader=True)
    except SystemExit as error:
        raise OperatorError("The server stopped unexpectedly: the lines above say why.") from error
    finally:
        if keeper:
            keeper.stop()
        os.close(our_end)
        os.close(listening)


class _Server(MPServer):
    """Granian's server, which also says when it answers and stops when its terminal is closed."""

    settings: Settings
    keeper: Keeper | None

    def startup(self, spawn_target: object, target_loader: object) -> None:
        # Threads only after the fork: a fork copies the locks of other threads as they happen to be.
        super().startup(spawn_target, target_loader)
        if self.keeper:
            self.keeper.start()
        threading.Thread(target=_announce, args=(self.settings, self.main_loop_interrupt), daemon=True).start()

    def signal_handler_reload(self, *_: object) -> None:
        # Granian reloads on SIGHUP; to whoever closes a terminal it means stop.
        self.signal_handler_interrupt()


class _Loader:
    """Loads the application in the worker and ties the worker's life to its parent's."""

    def __init__(self, listening: int, our_end: int) -> None:
        self.listening = listening
        self.our_end = our_end

    def __call__(self, _target: str) -> Callable[..., Any]:
        if multiprocessing.get_start_method() == "fork":
            os.close(self.our_end)
            threading.Thread(target=self._die_with_parent, daemon=True).start()
        from inventory_app.inventory_app import app

        return app()

    def _die_with_parent(self) -> None:
        # The pipe ends when the parent is gone, however it went: a worker left alone would keep the port and the locks.
        # What it was doing is rolled back by the database; what it has answered is committed.
        os.read(self.listening, 1)
        os._exit(1)


def _announce(settings: Settings, stopping: threading.Event) -> None:
    """Print the address once the first page is served."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - where we connect to
    # Under any other name than people use, the answer is that this is not the place.
    headers = {"Host": urlsplit(settings.public_url).netloc}
    while not stopping.wait(_POLL_SECONDS):
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
        try:
            connection.request("GET", "/ping", headers=headers)
            if connection.getresponse().status == http.client.OK:
                sys.stdout.write(f"Inventory is ready at {settings.public_url} (Ctrl-C stops it)\n")
                sys.stdout.flush()
                return
        except (OSError, http.client.HTTPException) as error:
            logging.getLogger(__name__).debug("not answering yet: %s", error)
        finally:
            connection.close()
