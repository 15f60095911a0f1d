"""`inventory unlock`: forget the failed sign-ins that slow somebody down."""

from typing import Annotated

import typer

from inventory_app.settings import get_settings


def unlock(username: Annotated[str, typer.Argument(help="The account that is slowed down.")]) -> None:
    """Let somebody try to sign in again at once, from any address."""
    import getpass

    from inventory_app import logs, serve
    from inventory_app.context import Actor, acting_as
    from inventory_app.operations import sessions
    from inventory_app.unit_of_work import transact

    settings = get_settings()
    logs.configure("error", settings.log_format)
    with serve.application(settings), acting_as(Actor("cli", f"cli:{getpass.getuser()}")):
        forgotten = transact(sessions.unlock, username=username)
    typer.echo(f"Forgot {forgotten} failed sign-ins of {username}.")
