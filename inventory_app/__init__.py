"""Inventory: people, suppliers, stock and an audit trail that can be trusted."""

import sys

__version__ = "0.1.0"

# The first of our lines that any command, Reflex and alembic run: an older Python would fail later with a traceback.
if sys.version_info < (3, 11):  # noqa: UP036 - see above
    sys.exit(  # pyright: ignore[reportUnreachable] - the checker believes requires-python
        f"Inventory needs Python 3.11 or newer and this is {sys.version.split()[0]}: install one and run `make run`."
    )
