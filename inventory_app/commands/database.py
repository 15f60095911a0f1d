"""`inventory database start | stop | status`: the embedded server on its own, for `reflex run`, alembic and psql."""

import typer

from inventory_app.settings import Settings, get_settings

commands = typer.Typer(no_args_is_help=True, help="Start and stop the embedded database on its own.")


@commands.command()
def start() -> None:
    """Start the database and leave it running until `inventory database stop`."""
    from inventory_app.database import embedded

    settings = _embedded()
    server = embedded.start(settings.data_dir, pg_bin=settings.pg_bin, keep=True)
    server.stop()  # lets go of it; the mark that `keep` left makes it stay
    typer.echo(f"The database runs (process {server.pid}): {settings.owner_database_url}")


@commands.command()
def stop() -> None:
    """Stop the database, also one that a killed application left behind."""
    from inventory_app.database import embedded

    settings = _embedded()
    stopped = embedded.stop(settings.data_dir, pg_bin=settings.pg_bin)
    typer.echo("The database is stopped." if stopped else "The database was not running.")


@commands.command()
def status() -> None:
    """Say whether the database runs and where it is; exit status 3 if it does not."""
    from inventory_app.database import embedded

    settings = _embedded()
    running = embedded.is_running(settings.data_dir)
    typer.echo(f"The database of {settings.data_dir} {'runs' if running else 'does not run'}.")
    typer.echo(f"Its files: {settings.cluster.data}")
    typer.echo(f"As the application: {settings.app_database_url}")
    typer.echo(f"As the owner:       {settings.owner_database_url}")
    if not running:
        raise typer.Exit(3)


def _embedded() -> Settings:
    settings = get_settings()
    if not settings.is_embedded:
        from inventory_app.operator_error import OperatorError

        raise OperatorError("DATABASE_URL is set: that server is started and stopped where it lives, not here.")
    return settings
