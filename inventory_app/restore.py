"""Putting a backup in the place of the database: loaded beside it, checked, and swapped by name in one transaction.

A dump is loaded before its triggers exist (PostgreSQL's own order: tables, data, then indexes, constraints and
triggers), so that the audit triggers neither fire nor refuse; nothing is switched off for it.
"""

import hashlib
import subprocess
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from inventory_app import backup, migrations
from inventory_app.backup import DUMP, FORMAT, Manifest
from inventory_app.data_folder import disk_errors, disk_full
from inventory_app.database import _provision
from inventory_app.database._cluster import names_full_disk
from inventory_app.database._postgres import Programs
from inventory_app.database.reachable import libpq
from inventory_app.operator_error import OperatorError
from inventory_app.paths import OWNER_ROLE
from inventory_app.settings import Settings

_CHUNK = 1 << 20
_LEAVING_SECONDS = 2
_KNOWS_TRANSACTION_TIMEOUT = 17


@dataclass(frozen=True)
class Backup:
    """A backup that was examined and may be restored."""

    file: Path
    manifest: Manifest
    replaces: bool


def examine(settings: Settings, file: Path, *, replace: bool) -> Backup:
    """Check the file and the place it is to go to; changes nothing."""
    with backup.opened(file) as (archive, manifest):
        if manifest.format != FORMAT:
            raise OperatorError(
                f"{file} was made by Inventory {manifest.app_version}: restore it with that version or a newer one."
            )
        if _digest(archive) != manifest.sha256:
            raise OperatorError(f"{file} is damaged (its SHA-256 does not match): use another backup.")
    migrations.refuse_unknown(manifest.revision)
    _refuse_other_server(settings, manifest)
    with psycopg.connect(libpq(backup.administration_url(settings))) as connection:
        _refuse_while_used(connection)
        replaces = _has_tables(connection)
    if replaces and not replace:
        raise OperatorError("The database holds data: add --replace to put the backup in its place.")
    return Backup(file, manifest, replaces)


def restore(settings: Settings, chosen: Backup) -> str | None:
    """Load, check and swap; returns the name under which the replaced database is kept."""
    url = backup.administration_url(settings)
    programs = backup.programs_for(settings, url)
    name = _database_of(url)
    new = f"{name}_restore_{uuid4().hex[:8]}"
    _create(settings, url, new)
    try:
        _load(settings, programs, chosen, other_database(url, new))
        _check(settings, chosen.manifest, new)
        return _swap(url, name, new, keep=chosen.replaces)
    except BaseException:  # interrupted too: the database that was being filled is dropped, the old one was not touched
        with _maintenance(url) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(new)))
        raise


def other_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _digest(archive: zipfile.ZipFile) -> str:
    digest = hashlib.sha256()
    try:
        with archive.open(DUMP) as member:
            while chunk := member.read(_CHUNK):
                digest.update(chunk)
    except (zipfile.BadZipFile, KeyError, EOFError):
        return ""  # its own checksum already disagrees
    return digest.hexdigest()


def _refuse_other_server(settings: Settings, manifest: Manifest) -> None:
    major = backup.server_major(backup.administration_url(settings))
    if manifest.postgresql > major:
        raise OperatorError(
            f"The backup is of PostgreSQL {manifest.postgresql} and this server is {major}: "
            f"restore it on PostgreSQL {manifest.postgresql} or newer."
        )
    if manifest.app_role != settings.app_role:
        raise OperatorError(
            f"In the backup the application is the role {manifest.app_role} and here it is {settings.app_role}: "
            f"create the role {manifest.app_role} and connect as it (DATABASE_URL)."
        )
    if settings.is_embedded and manifest.owner_role != OWNER_ROLE:
        raise OperatorError(
            f"In the backup the tables belong to {manifest.owner_role} and the embedded database knows only "
            f"{OWNER_ROLE}: restore it on a server of its own (DATABASE_URL)."
        )


def _refuse_while_used(connection: psycopg.Connection) -> None:
    others = sql.SQL(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    deadline = time.monotonic() + _LEAVING_SECONDS
    # A connection that was closed a moment ago is still listed until its process has ended.
    while (row := connection.execute(others).fetchone()) and row[0] and time.monotonic() < deadline:
        time.sleep(0.05)
    if row and row[0]:
        raise OperatorError(f"The database is in use by {row[0]} connection(s): stop the application first.")


def _has_tables(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') "
        "AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')"
    ).fetchone()
    return bool(row and row[0])


def _create(settings: Settings, url: str, new: str) -> None:
    if settings.is_embedded:
        _provision.create_database(settings.cluster, new)
        return
    try:
        with _maintenance(url) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(new))
            )
    except psycopg.errors.InsufficientPrivilege as error:
        role = urlsplit(url).username
        raise OperatorError(
            f"The role {role} may not create databases, which restoring needs: ALTER ROLE {role} CREATEDB."
        ) from error


def _load(settings: Settings, programs: Programs, chosen: Backup, url: str) -> None:
    address, environment = backup.credentials(url)
    # Our own server has the same roles as the backup; elsewhere whoever restores owns what is restored.
    options = [] if settings.is_embedded else ["--no-owner"]
    with disk_errors("unpacking the backup", settings.data_dir), tempfile.TemporaryFile(dir=settings.data_dir) as dump:
        with backup.opened(chosen.file) as (archive, _), archive.open(DUMP) as member:
            while chunk := member.read(_CHUNK):
                dump.write(chunk)
        dump.seek(0)
        old = backup.server_major(url) < _KNOWS_TRANSACTION_TIMEOUT
        load = _pg_restore_to_older if old else _pg_restore
        complaint = load(programs, [f"--dbname={address}"], options, dump, environment)
    if complaint is None:
        return
    if names_full_disk(complaint):
        raise disk_full("the backup was restored", settings.data_dir)
    raise OperatorError(f"pg_restore failed ({backup.reason_in(complaint)}): the database is as it was before.")


def _pg_restore(
    programs: Programs, address: list[str], options: list[str], dump: IO[bytes], environment: dict[str, str]
) -> str | None:
    """Load a dump; what pg_restore complained about, None if it went well."""
    result = programs.run(
        "pg_restore", "--exit-on-error", "--no-password", *options, *address, stdin=dump, env=environment
    )
    return result.stderr if result.returncode else None


def _pg_restore_to_older(
    programs: Programs, address: list[str], options: list[str], dump: IO[bytes], environment: dict[str, str]
) -> str | None:
    """Load a dump into a server that does not know a setting which newer programs set in every session."""
    identity = programs.identity(environment)
    write = [str(programs.bin / "pg_restore"), "--file=-", *options]
    read = [str(programs.bin / "psql"), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", *address]
    with tempfile.TemporaryFile() as complaints:
        output: dict[str, Any] = {"stderr": complaints, "cwd": "/", **identity}
        with (
            subprocess.Popen(write, stdin=dump, stdout=subprocess.PIPE, **output) as writer,
            subprocess.Popen(read, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **output) as reader,
        ):
            _pass_on(cast("IO[bytes]", writer.stdout), cast("IO[bytes]", reader.stdin))
        complaints.seek(0)
        text = complaints.read().decode(errors="replace")
    return text if writer.returncode or reader.returncode else None


def _pass_on(script: IO[bytes], psql: IO[bytes]) -> None:
    unknown = b"SET transaction_timeout = 0;\n"
    try:
        for line in script:
            if line == unknown:
                unknown = b""  # once, in the script's head: further down the same text would be somebody's data
            else:
                psql.write(line)
        psql.close()
    except BrokenPipeError:
        script.close()  # psql has met an error and says so itself


def _check(settings: Settings, manifest: Manifest, new: str) -> None:
    """See that it is what the manifest says, and let the audit trail know that history starts anew here."""
    url = other_database(settings.owner_database_url, new)
    found = migrations.revision_of(url)
    if found != manifest.revision:
        raise OperatorError(f"The backup says revision {manifest.revision} and holds {found}: it was not restored.")
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        if connection.execute("SELECT to_regprocedure('public.audit_new_incarnation(text)')").fetchone() != (None,):
            connection.execute(
                "SELECT public.audit_new_incarnation(%s)", [f"restored the backup of {manifest.created}"]
            )
        connection.execute("ANALYZE")  # a dump holds no statistics, and without them the first queries are slow


def _swap(url: str, name: str, new: str, *, keep: bool) -> str | None:
    """Give the new database the name; both renames happen or none."""
    kept = f"{name}_before_restore"
    names = {"old": sql.Identifier(name), "new": sql.Identifier(new), "kept": sql.Identifier(kept)}
    try:
        with _maintenance(url) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {kept}").format(**names))
            with connection.transaction():
                connection.execute(sql.SQL("ALTER DATABASE {old} RENAME TO {kept}").format(**names))
                connection.execute(sql.SQL("ALTER DATABASE {new} RENAME TO {old}").format(**names))
            if not keep:
                connection.execute(sql.SQL("DROP DATABASE {kept}").format(**names))
    except psycopg.errors.ObjectInUse as error:
        raise OperatorError(
            "Somebody connected to the database meanwhile: stop the application and restore again."
        ) from error
    return kept if keep else None


def _maintenance(url: str) -> psycopg.Connection:
    """A connection beside the databases that are renamed."""
    return psycopg.connect(libpq(other_database(url, "postgres")), autocommit=True)


def _database_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))
