"""`inventory reset-link`: let somebody choose a new password when no administrator can sign in."""

from typing import Annotated

import typer

from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings


def reset_link(username: Annotated[str, typer.Argument(help="The account that gets a new password.")]) -> None:
    """Print a one-time link to choose a new password: the old one and every session end now."""
    import getpass

    from inventory_app import logs, one_time_links, serve
    from inventory_app.context import Actor, acting_as
    from inventory_app.errors import AppError
    from inventory_app.operations import accounts
    from inventory_app.operations.sessions import hash_token
    from inventory_app.unit_of_work import transact

    settings = get_settings()
    logs.configure("error", settings.log_format)
    token = one_time_links.new_token()
    try:
        with serve.application(settings), acting_as(Actor("cli", f"cli:{getpass.getuser()}")):
            made = transact(accounts.make_reset_link_on_site, username=username, token_hash=hash_token(token))
    except AppError as error:
        raise OperatorError(str(error)) from error
    typer.echo(f"{made.username} chooses a new password here, within {settings.link_hours} hours:")
    typer.echo(one_time_links.address(token))
