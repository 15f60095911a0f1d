"""`inventory backup FILE` and `inventory restore FILE`."""

from pathlib import Path
from typing import Annotated

import typer

from inventory_app.settings import get_settings


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write the whole database, as of this moment, into one file; the application may be running."""
    from inventory_app import backup, serve

    settings = get_settings()
    with serve.database(settings):
        manifest = backup.write(settings, file, force=force)
    typer.echo(f"{file}: {file.stat().st_size} bytes, revision {manifest.revision}, sha256 {manifest.sha256}")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `inventory backup` has written.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the data there is now.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the database; the application must not be running."""
    from inventory_app import restore, serve
    from inventory_app.data_folder import exclusive_use

    settings = get_settings()
    with exclusive_use(settings.data_dir, "inventory restore"), serve.database(settings):
        backup = restore.examine(settings, file, replace=replace)
        if backup.replaces and not yes:
            typer.confirm(f"Replace the data there is now by the backup of {backup.manifest.created}?", abort=True)
        kept = restore.restore(settings, backup)
    typer.echo(f"Restored the backup of {backup.manifest.created}, revision {backup.manifest.revision}.")
    if kept:
        typer.echo(f"The data it replaced is kept as the database {kept} until the next restore.")
