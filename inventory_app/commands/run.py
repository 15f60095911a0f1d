"""`inventory run`, `migrate`, `create-admin`, `build-pages`: from a checkout to pages that answer."""

from typing import Annotated

import typer

from inventory_app.settings import get_settings


def run() -> None:
    """Start everything and serve the application until Ctrl-C."""
    from inventory_app import serve

    serve.run(get_settings())


def migrate() -> None:
    """Bring the database's tables up to date, as the role that owns them."""
    from inventory_app import migrations, serve

    settings = get_settings()
    with serve.database(settings):
        changed = migrations.upgrade(settings)
    typer.echo(f"The database is {'now ' if changed else ''}at revision {migrations.head()}.")


def create_admin() -> None:
    """Create the first administrator if nobody has an account yet."""
    from inventory_app import first_run, serve

    settings = get_settings()
    with serve.application(settings):
        line = first_run.ensure_first_administrator()
    typer.echo(line or "There are accounts already: an administrator gives roles under Control, People.")


def build_pages(
    *,
    update_lock: Annotated[
        bool, typer.Option("--update-lock", help="Choose the packages anew and write reflex.lock/.")
    ] = False,
) -> None:
    """Build the pages now, if their sources have changed, instead of at the next start."""
    from inventory_app import pages_build

    if update_lock:
        pages_build.update_lock()
    else:
        typer.echo(pages_build.ensure())
