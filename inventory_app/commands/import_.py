"""`inventory import suppliers | categories | products FILE`: look at a file, then bring it in as a whole."""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings

if TYPE_CHECKING:
    from inventory_app.operations.imports import Kind, Preview

commands = typer.Typer(no_args_is_help=True, help="Bring in suppliers, categories and products from CSV files.")

_File = Annotated[Path, typer.Argument(help="A CSV file with a header.", exists=True, dir_okay=False)]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look: check everything and write nothing.")]
_REFUSED = 1


@commands.command()
def suppliers(file: _File, *, dry_run: _DryRun = False) -> None:
    """Bring in suppliers; each waits until a person approves it."""
    _run("suppliers", file, dry_run=dry_run)


@commands.command()
def categories(file: _File, *, dry_run: _DryRun = False) -> None:
    """Bring in categories, or the names of those that came with products as numbers."""
    _run("categories", file, dry_run=dry_run)


@commands.command()
def products(file: _File, *, dry_run: _DryRun = False) -> None:
    """Bring in products with prices and opening stock, at the default location."""
    _run("products", file, dry_run=dry_run)


def _run(kind: "Kind", file: Path, *, dry_run: bool) -> None:
    """Show the preview, import unless told not to; exit status 1 when refused, nothing written then."""
    from inventory_app import first_run, logs, serve
    from inventory_app.context import Actor, acting_as
    from inventory_app.errors import AppError, InvalidRows
    from inventory_app.operations import imports
    from inventory_app.unit_of_work import read, transact

    settings = get_settings()
    logs.configure("error", settings.log_format)
    content = _content(file, imports.LARGEST_FILE)
    with serve.application(settings), acting_as(Actor(kind="cli", name=f"cli:{_user()}")):
        first_run.check_and_prepare()
        try:
            found = imports.read_file(kind, content, file.name)
            preview = read(imports.PREVIEWS[kind], file=found)
            if not preview.ready:
                _refuse(preview.refusal, [(fault.row, fault.column, fault.sentence) for fault in preview.faults])
            _show(preview)
            if dry_run:
                typer.echo("Dry run: nothing was written.")
            else:
                typer.echo(transact(imports.IMPORTS[kind], file=found).sentence)
        except InvalidRows as error:
            _refuse(str(error), error.rows)
        except AppError as error:
            _refuse(str(error), [])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return str(os.getuid())


def _content(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {os.strerror(error.errno or 0)}.") from error


def _show(preview: "Preview") -> None:
    typer.echo(f"{preview.file_name}: {preview.counted}")
    for figure in preview.figures:
        words = " ".join(filter(None, (figure.figure, figure.unit, figure.meaning)))
        typer.echo(f"  {figure.label:<16}{words}")
    for row in preview.first_rows:
        quantity = " ".join(filter(None, (row.quantity, row.unit)))
        parts = (f"row {row.row}", row.key, row.name, row.where, quantity, row.price, row.state)
        typer.echo("  " + " · ".join(filter(None, parts)))
    if preview.rows > len(preview.first_rows):
        typer.echo(f"  … and {preview.rows - len(preview.first_rows):,} more")
    for sentence in preview.notices:
        typer.echo(f"Note: {sentence}")
    for sentence in preview.warnings:
        typer.echo(f"Look: {sentence}")


def _refuse(sentence: str, rows: "list[tuple[int, str, str]] | tuple[tuple[int, str, str], ...]") -> None:
    typer.echo(sentence, err=True)
    for row, column, what in rows:
        typer.echo(f"  row {row}, {column}: {what}", err=True)
    raise typer.Exit(_REFUSED)
