"""`inventory books`: check whether everything beside the ledger is what the ledger says, and put it right."""

from typing import Annotated

import typer

from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings


def books(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Write what the movements say over what differs.")] = False,  # noqa: FBT002  # an option
    reason: Annotated[str, typer.Option(help="Why; it stays on record. Needed to rebuild.")] = "",
) -> None:
    """Recompute everything from the movements and name the first entry that disagrees.

    Ends with 1 when something does.
    """
    import getpass

    from inventory_app import jobs, logs, serve
    from inventory_app.context import Actor, acting_as
    from inventory_app.errors import AppError
    from inventory_app.operations import books as rules
    from inventory_app.unit_of_work import read, transact

    if rebuild and not reason.strip():
        raise OperatorError("Say why with --reason: it stays on record.")
    settings = get_settings()
    logs.configure("error", settings.log_format)

    def checked() -> rules.Check:
        check_id = transact(rules.begin_check)
        while jobs.check_next(check_id):
            found = read(rules.last_check)
            typer.echo(f"{found.done} of {found.total} parts, {found.movements} movements", err=True)
        return read(rules.last_check)

    try:
        with serve.application(settings), acting_as(Actor("cli", f"cli:{getpass.getuser()}")):
            found = checked()
            if rebuild and found.faults:
                typer.echo(transact(rules.rebuild_books, check_id=found.id, reason=reason).said + ".")
                found = checked()
    except AppError as error:
        raise OperatorError(str(error)) from error
    if found.note:
        typer.echo(found.note)
    if not found.faults:
        typer.echo(f"The books balance: {found.movements} movements.")
        return
    typer.echo(f"The books do not balance: {found.faults} things disagree. The first:")
    for row in found.shown:
        number = f", movement {row.sequence}" if row.sequence else ""
        deed = f", operation {row.operation_id}" if row.operation_id else ""
        at = f", {row.at}" if row.at else ""
        typer.echo(f"{row.title}{number}{deed}{at}: {row.said}")
    raise typer.Exit(1)
