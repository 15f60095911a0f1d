"""`inventory run`: everything from an empty folder to pages that answer, and back again in order."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inventory_app import migrations, pages_build, sealing
from inventory_app.data_folder import exclusive_use
from inventory_app.database import embedded, reachable
from inventory_app.database.keeper import Keeper
from inventory_app.operator_error import OperatorError
from inventory_app.paths import PROJECT
from inventory_app.settings import Settings

STOPPED_BY_SIGNAL = 128


def run(settings: Settings) -> None:
    """Start what is needed, serve until told to stop, stop what was started."""
    if not (PROJECT / "rxconfig.py").exists():
        raise OperatorError(f"{PROJECT} is not Inventory's project folder: run it from a checkout (`make run`).")
    os.chdir(PROJECT)  # Reflex looks for its configuration and its pages from here
    with _signals_unwind(), exclusive_use(settings.data_dir, "inventory run"):
        refuse_taken_port(settings)
        sealing.prepare(settings)
        with database(settings) as server:
            prepare_schema(settings)
            pages = pages_build.ensure()
            _enter_production(pages)
            _first_administrator(settings)
            from inventory_app import asgi_server

            asgi_server.serve(settings, keeper=None if server is None else Keeper(server))


@contextmanager
def database(settings: Settings) -> Iterator[embedded.Server | None]:
    """The database of these settings: our own server, started or joined, or None and the given one once it answers."""
    if not settings.is_embedded:
        reachable.check(settings)
        yield None
        return
    with embedded.running(settings) as server:
        try:
            yield server
        finally:
            # A second Ctrl-C must not cut the database's own orderly stop short.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)


@contextmanager
def application(settings: Settings) -> Iterator[None]:
    """The database at this code's revision, and Reflex, whose sessions commands use, finding its configuration."""
    with database(settings):
        os.chdir(PROJECT)
        prepare_schema(settings)
        yield


def prepare_schema(settings: Settings) -> None:
    """Migrate our own database; another one only after `inventory migrate` was asked for."""
    if settings.is_embedded:
        migrations.upgrade(settings)
    else:
        migrations.require_current(settings)


def refuse_taken_port(settings: Settings) -> None:
    """Say so before anything is started if another program has the port."""
    sentence = (
        f"Port {settings.port} on {settings.host} is taken by another program: "
        "stop that, or choose another with PORT=3001."
    )
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server does: an address in TIME_WAIT after our own last stop is not taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except PermissionError as error:
        raise OperatorError(f"This user may not listen on port {settings.port}: choose a PORT above 1023.") from error
    except socket.gaierror as error:
        raise OperatorError(f"INVENTORY_HOST {settings.host} is no address of this machine.", exit_code=2) from error
    except OSError as error:
        raise OperatorError(sentence) from error


def _enter_production(pages: Path) -> None:
    """Tell Reflex to serve the finished pages and to compile nothing; it reads this when it is first imported."""
    os.environ.update(
        {
            "REFLEX_ENV_MODE": "prod",
            "REFLEX_WEB_WORKDIR": str(pages),
            "REFLEX_TELEMETRY_ENABLED": "false",
            # Internal names of Reflex 0.10.1, which is pinned; what its own production command sets.
            "__REFLEX_SKIP_COMPILE": "true",
            "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        }
    )


def _first_administrator(settings: Settings) -> None:
    """Make the first account, and leave no connection open that the forked worker would share."""
    from inventory_app import first_run, logs
    from inventory_app.unit_of_work import open_session

    logs.configure(settings.log_level, settings.log_format)
    line = first_run.ensure_first_administrator()
    with open_session() as session:
        session.get_bind().engine.dispose()
    if line:
        _say(line)


@contextmanager
def _signals_unwind() -> Iterator[None]:
    """Let SIGTERM end the process as Ctrl-C does: through every `finally` on the way out."""

    def leave(number: int, _: object) -> None:
        sys.exit(STOPPED_BY_SIGNAL + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
