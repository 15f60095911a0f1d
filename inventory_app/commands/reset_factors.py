"""`inventory reset-factors`: let somebody in again who has lost every second factor."""

from typing import Annotated

import typer

from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings


def reset_factors(
    username: Annotated[str, typer.Argument(help="The account whose second factors are lost.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")] = "lost, reset on the command line",
) -> None:
    """Take all second factors from somebody and end their sessions: the password alone opens the account again."""
    import getpass

    from inventory_app import logs, serve
    from inventory_app.context import Actor, acting_as
    from inventory_app.errors import AppError
    from inventory_app.operations import devices, factors
    from inventory_app.unit_of_work import read, transact

    settings = get_settings()
    logs.configure("error", settings.log_format)
    with serve.application(settings), acting_as(Actor("cli", f"cli:{getpass.getuser()}")):
        try:
            user_id = read(devices.number_of, username=username)
            name = transact(factors.reset_factors, user_id=user_id, reason=reason)
        except AppError as error:
            raise OperatorError("; ".join(error.fields.values()) or str(error)) from error
    typer.echo(f"{name} has no second factor any more, and is signed out everywhere.")
