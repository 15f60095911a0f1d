"""The `inventory` command: one line per command or group, each in a module of `inventory_app/commands/`."""

import errno
import sys

import typer

from inventory_app.commands import backup, books, database, doctor, import_, reset_factors, reset_link, run, unlock
from inventory_app.operator_error import OperatorError

_DISK_FULL = "53100"  # PostgreSQL's code for it

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Inventory: people, suppliers, stock and an audit trail that can be trusted.",
)

app.command()(run.run)
app.command()(run.migrate)
app.command()(run.create_admin)
app.command()(run.build_pages)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(doctor.doctor)
app.command()(books.books)
app.command()(unlock.unlock)
app.command()(reset_link.reset_link)
app.command()(reset_factors.reset_factors)
app.add_typer(database.commands, name="database")
app.add_typer(import_.commands, name="import")


def main() -> None:
    """Run a command; what the operator can do something about is one sentence and no traceback."""
    try:
        app()
    except OperatorError as error:
        _leave(error.sentence, error.exit_code)
    except Exception as error:  # a full disk shows as many errors, ours and the driver's; all others go on
        if not _means_disk_full(error):
            raise
        _leave("The disk is full: free some space and start again; nothing was damaged.", 1)


def _means_disk_full(error: Exception) -> bool:
    """Whether it is the disk's fault, ours or the database server's (behind SQLAlchemy's wrapper or not)."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(getattr(error, "orig", error), "sqlstate", None) == _DISK_FULL


def _leave(sentence: str, exit_code: int) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
