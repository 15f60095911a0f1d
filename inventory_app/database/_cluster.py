"""One PostgreSQL cluster on disk: created in one piece, configured, started and stopped."""

import locale
import os
import re
import shutil
import stat
from pathlib import Path

import psutil

from inventory_app.data_folder import disk_errors, disk_full
from inventory_app.database._postgres import Programs
from inventory_app.operator_error import OperatorError
from inventory_app.paths import APP_ROLE, OWNER_ROLE, SOCKET_PORT, SUPERUSER_ROLE, Cluster

START_TIMEOUT_SECONDS = 300
STOP_TIMEOUT_SECONDS = 120
_BUILTIN_LOCALES_SINCE = 17
_MOST_BUFFERS = 2_048
_NO_SPACE = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "File size limit exceeded",
)

_CONFIGURATION = """\
# Written by Inventory at every start: changes here are lost.
listen_addresses = ''
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
hba_file = '{data}/pg_hba.conf'
ident_file = '{data}/pg_ident.conf'
timezone = 'UTC'
lc_messages = 'C'
# Seven files, each overwritten after a week: the log cannot fill the disk.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_timezone = 'UTC'
# For a company's size: PostgreSQL's own defaults are for a machine of twenty years ago.
shared_buffers = {buffers}MB
effective_cache_size = {cache}MB
max_wal_size = 4GB
# A refused statement would otherwise leave its values, people's data among them, in the log.
log_min_error_statement = panic
log_error_verbosity = terse
"""
# For the throw-away clusters of tests only: a crash loses them.
_NOT_DURABLE = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


def check_version(cluster: Cluster, programs: Programs) -> None:
    """Refuse a cluster of another PostgreSQL before anything touches it."""
    file = cluster.data / "PG_VERSION"
    if not file.exists():
        return
    made_by = int(file.read_text(encoding="ascii").strip())
    if made_by > programs.major:
        sentence = (
            f"The data folder {cluster.data_dir} was made by PostgreSQL {made_by} and this is {programs.major}: "
            f"set INVENTORY_PG_BIN to the programs of PostgreSQL {made_by}."
        )
        raise OperatorError(sentence)
    if made_by < programs.major:
        sentence = (
            f"The data folder {cluster.data_dir} was made by PostgreSQL {made_by} and this is {programs.major}: "
            f"set INVENTORY_PG_BIN to the programs of {made_by}, make a backup, "
            "and restore it into a new INVENTORY_DATA_DIR."
        )
        raise OperatorError(sentence)


def create(cluster: Cluster, programs: Programs, *, durable: bool = True) -> None:
    """Run initdb beside the final place and rename: an interrupted one never looks finished."""
    if (cluster.data / "PG_VERSION").exists():
        return
    part = cluster.home / "postgres.part"
    with disk_errors("creating the database", cluster.home):
        if part.exists():
            shutil.rmtree(part)
        options = [] if durable else ["--no-sync"]
        result = programs.run("initdb", "--pgdata", part, *_initdb_options(programs), *options)
        if result.returncode:
            shutil.rmtree(part, ignore_errors=True)
            raise _failed("PostgreSQL could not create its files", result.stderr, cluster)
        with (part / "postgresql.conf").open("a", encoding="utf-8") as stream:
            stream.write("\ninclude = 'inventory.conf'\n")
        part.rename(cluster.data)


def _initdb_options(programs: Programs) -> list[str]:
    options = [f"--username={SUPERUSER_ROLE}", "--encoding=UTF8", "--data-checksums", "--auth=peer", "--locale=C"]
    if _has_c_utf8():
        # Trigram search asks this category what a letter is; under plain C an accented letter would be none.
        options.append("--lc-ctype=C.UTF-8")
    if programs.major >= _BUILTIN_LOCALES_SINCE:
        # Order and case by PostgreSQL's own tables: the same on every machine, and after every upgrade of its libc.
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _has_c_utf8() -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def configure(cluster: Cluster, programs: Programs, *, durable: bool) -> None:
    """Write what we decide about the server: where it listens, who may come in, what it logs."""
    memory = psutil.virtual_memory().total // 2**20
    text = _CONFIGURATION.format(
        port=SOCKET_PORT,
        sockets=cluster.sockets,
        data=cluster.data,
        # A throw-away cluster stands beside others and holds next to nothing.
        buffers=min(memory // 8, _MOST_BUFFERS) if durable else 128,
        cache=memory // 2,
    )
    with disk_errors("configuring the database", cluster.home):
        _write(cluster.data / "inventory.conf", text + ("" if durable else _NOT_DURABLE), programs)
        _write(cluster.data / "pg_hba.conf", "local all all peer map=inventory\n", programs)
        _write(cluster.data / "pg_ident.conf", _identities(programs), programs)
        _private_folder(cluster.sockets, programs)


def _identities(programs: Programs) -> str:
    """Who may come in as which role: this user and the one the server runs as, nobody else on the machine."""
    users = sorted({programs.account.name} | ({"root"} if programs.account.is_other else set()))
    roles = (SUPERUSER_ROLE, OWNER_ROLE, APP_ROLE)
    return "".join(f'inventory "{user}" {role}\n' for user in users for role in roles)


def _write(file: Path, text: str, programs: Programs) -> None:
    part = file.with_name(f"{file.name}.part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o600)
    os.chown(part, programs.account.uid, programs.account.gid)
    part.replace(file)


def _private_folder(folder: Path, programs: Programs) -> None:
    """A folder only the account can enter; one in /tmp that somebody else prepared is refused."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, programs.account.uid, programs.account.gid)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != programs.account.uid or stat.S_IMODE(facts.st_mode) & 0o077:
        sentence = f"{folder} is not a private folder of the user {programs.account.name}: remove it and start again."
        raise OperatorError(sentence)


def running_pid(cluster: Cluster) -> int | None:
    """The process id of the server that runs on this cluster, None if none does.

    A left-over postmaster.pid proves nothing (its number may belong to another program by now): what counts is
    a postgres process that works in this very folder.
    """
    try:
        pid = int((cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
        is_server = process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == cluster.data.resolve()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return pid if is_server else None


def start(cluster: Cluster, programs: Programs) -> None:
    """Start the server and wait until it answers, recovery after a crash included."""
    _remove_stale_pid_file(cluster)
    with disk_errors("starting the database", cluster.home):
        cluster.log.unlink(missing_ok=True)
    result = programs.run(
        "pg_ctl",
        "start",
        "--pgdata",
        cluster.data,
        "--log",
        cluster.log,
        "--wait",
        f"--timeout={START_TIMEOUT_SECONDS}",
    )
    if result.returncode:
        raise _failed("The database did not start", _last_words(cluster) or result.stderr, cluster)


def _remove_stale_pid_file(cluster: Cluster) -> None:
    """Remove what a crash left: by now the number can be any program's, and PostgreSQL would refuse to start."""
    file = cluster.data / "postmaster.pid"
    if not file.exists() or running_pid(cluster) is not None:
        return
    folder = cluster.data.resolve()
    left_over = [process for process in psutil.process_iter() if _works_in(process, folder)]
    # Server processes outlive a killed postmaster for a moment; starting beside them would damage the data.
    _, alive = psutil.wait_procs(left_over, timeout=STOP_TIMEOUT_SECONDS)
    if alive:
        numbers = ", ".join(str(process.pid) for process in alive)
        sentence = f"Processes of an earlier database server still run ({numbers}): end them, then start again."
        raise OperatorError(sentence)
    file.unlink(missing_ok=True)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.name().startswith("postgres") and Path(process.cwd()) == folder
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def stop(cluster: Cluster, programs: Programs, *, immediately: bool = False) -> None:
    """Stop the server: open transactions are rolled back, everything committed is on disk."""
    mode = "immediate" if immediately else "fast"
    result = programs.run(
        "pg_ctl", "stop", "--pgdata", cluster.data, f"--mode={mode}", "--wait", f"--timeout={STOP_TIMEOUT_SECONDS}"
    )
    if result.returncode and running_pid(cluster) is not None:
        raise _failed("The database did not stop", result.stderr, cluster)


def names_full_disk(output: str) -> bool:
    """Whether a program says that the disk is full."""
    return any(phrase in output for phrase in _NO_SPACE)


def _last_words(cluster: Cluster) -> str:
    """The end of what the server wrote while it tried to start."""
    logs = [cluster.log, *sorted(cluster.data.glob("log/*.log"), key=lambda file: file.stat().st_mtime)[-1:]]
    return "\n".join(file.read_text(encoding="utf-8", errors="replace")[-8000:] for file in logs if file.exists())


def _failed(what: str, output: str, cluster: Cluster) -> OperatorError:
    if names_full_disk(output):
        return disk_full("the database was starting", cluster.home)
    reasons: list[str] = re.findall(r"(?:FATAL|PANIC|error): +(.+)", output)
    # The last FATAL is often only the echo of the first ("startup process exited"): name the first of the last attempt.
    reason = reasons[0] if reasons else (output.strip().splitlines() or ["it gave no reason"])[-1]
    return OperatorError(f"{what} ({reason.strip()}): see {cluster.log} and {cluster.data / 'log'}.")
