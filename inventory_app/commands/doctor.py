"""`inventory doctor`: what this installation consists of and whether its parts are well."""

import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

import typer

from inventory_app import __version__
from inventory_app.operator_error import OperatorError
from inventory_app.settings import Settings, get_settings


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that works, and that the operator should know and may want to change."""

    sentence: str


def doctor() -> None:
    """Check settings, data folder, database and pages; changes nothing, exit status 1 if something is wrong."""
    settings = get_settings()
    typer.echo(
        f"ok    Inventory {__version__}, Python {platform.python_version()}, Reflex {metadata.version('reflex')}"
    )
    wrong = 0
    for name, check in _checks(settings):
        try:
            found = check()
            typer.echo(f"note  {name}: {found.sentence}" if isinstance(found, Doubt) else f"ok    {name}: {found}")
        except OperatorError as error:
            wrong += 1
            typer.echo(f"WRONG {name}: {error.sentence}")
    if wrong:
        raise typer.Exit(1)


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str | Doubt]]]:
    yield "address", lambda: f"{settings.public_url}, listening on {settings.host} port {settings.port}"
    yield "data folder", lambda: _data_folder(settings)
    if settings.is_embedded:
        yield "PostgreSQL", lambda: _programs(settings)
    if settings.is_embedded and (resting := _resting(settings)):
        yield "database", lambda: resting
    else:
        yield "database", lambda: _database(settings)
        yield "jobs", lambda: _jobs(settings)
    yield "pages", _pages


def _data_folder(settings: Settings) -> str:
    from inventory_app import data_folder

    if not settings.data_dir.exists():
        return f"{settings.data_dir}, which the first start makes"
    data_folder.check(settings.data_dir)
    free = shutil.disk_usage(settings.data_dir).free // 2**20
    return f"{settings.data_dir}, {free} MiB free"


def _programs(settings: Settings) -> str:
    from inventory_app.database._postgres import find_programs

    programs = find_programs(settings.pg_bin)
    return f"{programs.major} in {programs.bin}, as the user {programs.account.name}, data in {settings.cluster.data}"


def _resting(settings: Settings) -> str:
    """Say why the embedded database does not run, if that is as it should be; empty when it runs or has crashed."""
    from inventory_app.database import embedded

    if not (settings.cluster.data / "PG_VERSION").exists():
        return "not made yet, the first `inventory run` makes it"
    # A server that was stopped takes this file with it; one that died leaves it behind.
    if embedded.is_running(settings.data_dir) or (settings.cluster.data / "postmaster.pid").exists():
        return ""
    return "stopped, as it should be while Inventory does not run; `inventory run` starts it"


def _database(settings: Settings) -> str | Doubt:
    from inventory_app import migrations
    from inventory_app.database import reachable

    reachable.check(settings)
    schema = migrations.state(settings)
    role = reachable.role_of(settings.app_database_url)
    way_out = "set MIGRATION_DATABASE_URL to the owner and DATABASE_URL to a role that owns nothing (docs/operating.md)"
    if role.superuser:
        return Doubt(f"{role.name} is a superuser, for whom the trail is not protected: {way_out}.")
    if role.owns or settings.owner_database_url == settings.app_database_url:
        return Doubt(f"answers, schema {schema}; {role.name} owns the tables and could change the record: {way_out}.")
    return f"answers, schema {schema}, as {role.name}, which owns nothing"


def _jobs(settings: Settings) -> str:
    import psycopg

    from inventory_app.database import reachable

    reachable.check(settings)
    statement = "SELECT name, coalesce(finished_at, started_at), error_class FROM job ORDER BY name"
    try:
        with psycopg.connect(reachable.libpq(settings.app_database_url)) as connection:
            found = connection.execute(statement).fetchall()
    except psycopg.errors.UndefinedTable:
        found = []
    if failed := [f"{name} failed with {error} at {at:%-d %b %Y, %H:%M %Z}" for name, at, error in found if error]:
        raise OperatorError(f"{'; '.join(failed)}. It is tried again by itself; the log says more under job_failed.")
    return ", ".join(f"{name} at {at:%-d %b %H:%M}" for name, at, _ in found) or "none has run yet"


def _pages() -> str:
    from inventory_app import pages_build

    build = pages_build.BUILD / f"pages-{pages_build.key()}"
    return f"built ({build.name})" if build.is_dir() else "their sources have changed, the next start builds them"
