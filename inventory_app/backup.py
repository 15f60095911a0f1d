"""A backup: one zip file with PostgreSQL's own dump and a manifest, written whole or not at all.

It is an ordinary zip (`unzip -l FILE`): `database.dump` in pg_dump's custom format, then `manifest.json` with what it
was made from and the dump's SHA-256.
"""

import hashlib
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from pydantic import TypeAdapter

from inventory_app import __version__, migrations
from inventory_app.data_folder import disk_errors
from inventory_app.database._postgres import Programs, find_programs
from inventory_app.database.reachable import libpq
from inventory_app.operator_error import OperatorError
from inventory_app.paths import OWNER_ROLE, SUPERUSER_ROLE
from inventory_app.settings import Settings

DUMP = "database.dump"
MANIFEST = "manifest.json"
FORMAT = 1
_CHUNK = 1 << 20
_NO_BACKUP = "{} is not a complete backup made by `inventory backup`: use another one."


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself."""

    format: int
    created: str
    app_version: str
    revision: str
    postgresql: int
    owner_role: str
    app_role: str
    sha256: str
    size: int


MANIFESTS = TypeAdapter(Manifest)


def write(settings: Settings, file: Path, *, force: bool = False) -> Manifest:
    """Dump the database into `file`; a failure leaves what was there."""
    file = file.absolute()
    if file.exists() and not force:
        raise OperatorError(f"{file} exists: choose another name, or replace it with --force.")
    url = administration_url(settings)
    revision = migrations.revision_of(url)
    if revision is None:
        raise OperatorError("The database has no tables yet: there is nothing to back up.")
    programs = programs_for(settings, url)
    part = file.with_name(f"{file.name}.part")
    try:
        with disk_errors("writing the backup", file.parent):
            manifest = _write_part(settings, programs, url, revision, part)
            part.replace(file)
            _sync_folder(file.parent)
    except FileNotFoundError as error:
        raise OperatorError(f"The folder {file.parent} does not exist: create it first.") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write_part(settings: Settings, programs: Programs, url: str, revision: str, part: Path) -> Manifest:
    # Only the owner reads it: it holds everything, password hashes included.
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        # Stored, not deflated: pg_dump has compressed it already.
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            with archive.open(DUMP, "w", force_zip64=True) as member:
                digest, size = _dump(programs, url, member)
            manifest = Manifest(
                format=FORMAT,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                app_version=__version__,
                revision=revision,
                postgresql=server_major(url),
                owner_role=unquote(urlsplit(settings.owner_database_url).username or OWNER_ROLE),
                app_role=settings.app_role,
                sha256=digest,
                size=size,
            )
            archive.writestr(MANIFEST, MANIFESTS.dump_json(manifest, indent=2))
        stream.flush()
        os.fsync(stream.fileno())
    return manifest


def _dump(programs: Programs, url: str, into: IO[bytes]) -> tuple[str, int]:
    """Run pg_dump (one snapshot, whatever is written meanwhile) and copy what it writes; digest and size of it."""
    address, environment = credentials(url)
    # What is granted on PostgreSQL's own functions is the server's affair: elsewhere a mere owner could not load it.
    options = ["--format=custom", "--no-password", "--exclude-schema=pg_catalog"]
    command = [str(programs.bin / "pg_dump"), *options, f"--dbname={address}"]
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, cwd="/", **programs.identity(environment)
        ) as process:
            try:
                for chunk in iter(lambda: process.stdout.read(_CHUNK) if process.stdout else b"", b""):
                    digest.update(chunk)
                    size += len(chunk)
                    into.write(chunk)
            except BaseException:  # Ctrl-C and a full disk too: pg_dump must not write on into a pipe nobody reads
                process.kill()
                raise
        complaints.seek(0)
        reason = complaints.read().decode(errors="replace").strip()
    if process.returncode:
        raise OperatorError(f"pg_dump failed ({reason_in(reason)}): no backup was written.")
    return digest.hexdigest(), size


def programs_for(settings: Settings, url: str) -> Programs:
    """The programs to dump and restore with: at least as new as the server."""
    programs = find_programs(settings.pg_bin)
    major = server_major(url)
    if programs.major < major:
        raise OperatorError(
            f"The server is PostgreSQL {major} and the programs here are {programs.major}: "
            f"set INVENTORY_PG_BIN to the programs of PostgreSQL {major}."
        )
    return programs


def administration_url(settings: Settings) -> str:
    """The address that sees everything: the superuser of our own server, else the owner."""
    return settings.cluster.url(SUPERUSER_ROLE) if settings.is_embedded else settings.owner_database_url


def server_major(url: str) -> int:
    """The major version of the server behind an address."""
    with psycopg.connect(libpq(url)) as connection:
        return connection.info.server_version // 10000


def credentials(url: str) -> tuple[str, dict[str, str]]:
    """An address without its password, and the environment that carries it: command lines are public."""
    parts = urlsplit(libpq(url))
    if parts.password is None:
        return libpq(url), {}
    user, _, host = parts.netloc.rpartition("@")
    bare = urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))
    return bare, {"PGPASSWORD": unquote(parts.password)}


@contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup opened for reading, with its manifest; a sentence if it is none."""
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise OperatorError(f"{file} does not exist.") from error
    except (PermissionError, IsADirectoryError) as error:
        raise OperatorError(f"{file} cannot be read ({error.strerror}).") from error
    except zipfile.BadZipFile as error:
        raise OperatorError(_NO_BACKUP.format(file)) from error
    with archive:
        try:
            manifest = MANIFESTS.validate_json(archive.read(MANIFEST))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise OperatorError(_NO_BACKUP.format(file)) from error
        yield archive, manifest


def reason_in(text: str) -> str:
    """The first thing a program of PostgreSQL's complained about, without its own name before it."""
    lines = text.strip().splitlines() or ["it gave no reason"]
    line = next((line for line in lines if "error: " in line or "ERROR: " in line), lines[-1])
    return re.split(r"error: |ERROR: +", line)[-1]


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
