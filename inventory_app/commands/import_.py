"""`inventory import suppliers | categories | locations | products | stock FILE`: look at a file, then bring it in."""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from inventory_app.operator_error import OperatorError
from inventory_app.settings import get_settings

if TYPE_CHECKING:
    from inventory_app.operations.import_runs import Kind
    from inventory_app.operations.import_views import Run

commands = typer.Typer(no_args_is_help=True, help="Bring in suppliers, products and stock from CSV or XLSX files.")

_File = Annotated[Path, typer.Argument(help="A CSV file or Excel workbook with a header.", exists=True, dir_okay=False)]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look: check everything and write nothing.")]
_OnlyAdd = Annotated[bool, typer.Option("--only-add", help="Refuse what is known instead of updating what differs.")]
_REFUSED = 1
_SHOWN = 8


@commands.command()
def suppliers(file: _File, *, dry_run: _DryRun = False, only_add: _OnlyAdd = False) -> None:
    """Bring in suppliers; each new one waits until a person approves it."""
    _run("suppliers", file, dry_run=dry_run, only_add=only_add)


@commands.command()
def categories(file: _File, *, dry_run: _DryRun = False, only_add: _OnlyAdd = False) -> None:
    """Bring in categories, or the names of those that came with products as numbers."""
    _run("categories", file, dry_run=dry_run, only_add=only_add)


@commands.command()
def locations(file: _File, *, dry_run: _DryRun = False, only_add: _OnlyAdd = False) -> None:
    """Bring in locations, and what they are part of."""
    _run("locations", file, dry_run=dry_run, only_add=only_add)


@commands.command()
def products(file: _File, *, dry_run: _DryRun = False, only_add: _OnlyAdd = False) -> None:
    """Bring in products with prices and opening stock."""
    _run("products", file, dry_run=dry_run, only_add=only_add)


@commands.command()
def stock(file: _File, *, dry_run: _DryRun = False, only_add: _OnlyAdd = False) -> None:
    """Bring in how much there is of what where, counted or for the first time."""
    _run("stock", file, dry_run=dry_run, only_add=only_add)


def _run(kind: "Kind", file: Path, *, dry_run: bool, only_add: bool) -> None:
    """Show what the file would do, import unless told not to; exit status 1 when refused, nothing written then."""
    from inventory_app import first_run, importing, logs, serve
    from inventory_app.context import Actor, acting_as
    from inventory_app.errors import AppError
    from inventory_app.operations.import_views import run_of
    from inventory_app.unit_of_work import read

    settings = get_settings()
    logs.configure("error", settings.log_format)
    _readable(file)
    with serve.application(settings), acting_as(Actor(kind="cli", name=f"cli:{_user()}")):
        first_run.check_and_prepare()
        try:
            with file.open("rb") as stream:
                run_id = importing.send(kind, stream, file.name)
            importing.check(run_id, importing.columns_of(run_id), "add" if only_add else "update").result()
            run = read(run_of, run_id=run_id)
            _show_or_refuse(run)
            if dry_run:
                importing.cancel(run_id)
                typer.echo("Dry run: nothing was written.")
                return
            importing.apply(run_id).result()
            run = read(run_of, run_id=run_id)
        except AppError as error:
            _refuse("\n".join(error.fields.values()) or str(error))
        if run.status != "applied":
            _refuse(run.problem)
        typer.echo(run.said)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return str(os.getuid())


def _readable(file: Path) -> None:
    """Say before anything is started that a file cannot be read."""
    try:
        file.open("rb").close()
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {os.strerror(error.errno or 0)}.") from error


def _show_or_refuse(run: "Run") -> None:
    from inventory_app import importing
    from inventory_app.operations._import_staging import MOST_FAULTS
    from inventory_app.operations.import_views import differences_of, faults_of
    from inventory_app.unit_of_work import read

    if run.status == "checked" and run.faulty_rows:
        rows = "row" if run.all_rows == 1 else "rows"
        sentence = f"{run.faulty_rows:,} of {run.all_rows:,} {rows} cannot be imported, so none will be."
        faults = read(faults_of, run_id=run.id, most=MOST_FAULTS)
        importing.cancel(run.id)
        _refuse("\n".join([sentence, *(f"  row {one.row}, {one.column}: {one.sentence}" for one in faults)]))
    if run.problem:
        importing.cancel(run.id)
        _refuse(run.problem)
    typer.echo(f"{run.file_name}: {run.all_rows:,} {'row' if run.all_rows == 1 else 'rows'} of {run.kind}")
    figures = [("New", run.new_rows), ("Changed", run.changed_rows), ("As before", run.same_rows)]
    lines = [(label, f"{number:,}") for label, number in figures if number]
    lines += [(total.label, f"{total.figure} {total.meaning}".rstrip()) for total in run.totals]
    for label, words in lines:
        typer.echo(f"  {label:<16}{words}")
    for one in read(differences_of, run_id=run.id, most=_SHOWN):
        typer.echo(f"  row {one.row} · {one.key} · " + ("added" if one.state == "new" else "; ".join(one.fields)))
    for sentence in run.notices:
        typer.echo(f"Note: {sentence}")


def _refuse(words: str) -> NoReturn:
    typer.echo(words, err=True)
    raise typer.Exit(_REFUSED)
