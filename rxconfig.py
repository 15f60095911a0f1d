"""What Reflex is told: the database's name, who may connect, the theme. It starts nothing and connects to nothing."""

import os
import sys
from pathlib import Path

import reflex as rx

from inventory_app.operator_error import OperatorError
from inventory_app.same_origin import SameOriginPlugin
from inventory_app.settings import Settings, get_settings


def _reflex_command() -> str:
    """The word after `reflex` on the command line, if that is what is running."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.stem == "__main__" else program.stem
    return next(iter(sys.argv[1:]), "") if name == "reflex" else ""


def _database_url(settings: Settings) -> str:
    """The role a command needs: `reflex db ...` changes tables, which only their owner may."""
    if _reflex_command() in {"db", "run"}:
        from inventory_app.database import reachable  # noqa: PLC0415 - the server we start ourselves has checked it

        reachable.check(settings)
    return settings.owner_database_url if _reflex_command() == "db" else settings.app_database_url


try:
    settings = get_settings()
    database_url = _database_url(settings)
except OperatorError as error:
    # Whoever typed `reflex ...` reads a sentence and no traceback.
    sys.stderr.write(f"{error.sentence}\n")
    sys.exit(error.exit_code)

# Reflex lets REFLEX_* variables win over this file, where they would only contradict our own settings.
os.environ.pop("REFLEX_DB_URL", None)

config = rx.Config(
    app_name="inventory_app",
    db_url=database_url,
    cors_allowed_origins=settings.origins,
    trusted_proxy_hops=settings.trusted_proxy_hops,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    # No RadixThemesPlugin: the kit stands on Radix primitives and our own styles (components/README.md).
    plugins=[SameOriginPlugin()],
)
