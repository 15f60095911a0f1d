import os
import resource
import socket
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager

import psycopg
import pytest

from inventory_app.data_folder import exclusive_use
from inventory_app.database import embedded
from inventory_app.database._postgres import prepare_system_home, service_account
from inventory_app.database.reachable import libpq
from inventory_app.paths import OWNER_ROLE, PROJECT, cluster_of
from tests.fixtures.environment import PG_BIN, clean_environment, unmeasured
from tests.setup.conftest import COMMAND, Answer

SMALL_FILE = 1 << 20


def test_a_taken_port_is_said_before_anything_is_started(inventory):
    with socket.create_server(("127.0.0.1", inventory.port)):
        answer = inventory("run")
    assert answer.status == 1
    assert answer.sentence == (
        f"Port {inventory.port} on 127.0.0.1 is taken by another program: stop that, or choose another with PORT=3001."
    )
    assert not inventory.database_runs


def test_two_copies_on_one_data_folder_are_refused(inventory):
    with exclusive_use(inventory.data_dir, "inventory run"):
        answer = inventory("run")
    assert answer.status == 1
    assert answer.sentence.startswith(
        f"Another copy of Inventory uses the data folder {inventory.data_dir} (inventory run, "
    )
    assert f"process {os.getpid()}" in answer.sentence
    assert not inventory.database_runs


def test_a_data_folder_that_cannot_be_is_refused(inventory, tmp_path):
    (tmp_path / "file").touch()
    answer = inventory("run", INVENTORY_DATA_DIR=tmp_path / "file" / "data")
    assert answer.status == 1
    assert "cannot be written" in answer.sentence


def test_somebody_elses_data_folder_is_refused(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    # Root may write anywhere: there, the one who tries becomes somebody else first.
    code = (
        "import os, sys; from pathlib import Path\n"
        "from inventory_app import cli, data_folder\n"
        "from inventory_app.operator_error import OperatorError\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: data_folder.prepare(Path(sys.argv[1]))\n"
        "except OperatorError as error: sys.exit(error.sentence)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, folder],
        cwd=PROJECT,
        env=unmeasured(clean_environment()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert str(folder) in result.stderr
    assert "INVENTORY_DATA_DIR" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(folder.iterdir()) == []


def test_an_unreachable_database_is_named_without_its_password(inventory):
    url = f"postgresql://ann:secret-word@127.0.0.1:{inventory.port}/shop"
    answer = inventory("run", PORT=inventory.port - 1, DATABASE_URL=url)
    assert answer.status == 1
    assert answer.sentence == (
        "The database that DATABASE_URL names cannot be reached (Connection refused): "
        "check the address and that the server is running."
    )


def test_a_database_that_is_not_migrated_is_not_changed_unasked(inventory, server, new_database):
    name = new_database()
    addresses = {"DATABASE_URL": server.url(database=name), "MIGRATION_DATABASE_URL": server.url(OWNER_ROLE, name)}
    answer = inventory("run", **addresses)
    assert answer.status == 1
    assert answer.sentence == (
        "The database that DATABASE_URL names has no tables yet: run `inventory migrate`, then start again."
    )
    assert inventory("migrate", **addresses).status == 0
    again = inventory("migrate", **addresses)
    assert again.said.startswith("The database is at revision ")


def test_a_schema_newer_than_the_code_is_refused(inventory, server, new_database):
    name = new_database()
    with psycopg.connect(libpq(server.url(OWNER_ROLE, name))) as connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '9999'::varchar(32) AS version_num")
    answer = inventory("run", DATABASE_URL=server.url(OWNER_ROLE, name))
    assert answer.status == 1
    assert answer.sentence == (
        "The database is at revision 9999, which this version of Inventory does not know: "
        "start the newer version that migrated it."
    )


def test_a_server_older_than_15_is_refused(inventory):
    with old_server("14.13") as port:
        answer = inventory("run", DATABASE_URL=f"postgresql://ann@127.0.0.1:{port}/shop?sslmode=disable")
    assert answer.status == 1
    assert answer.sentence == (
        "DATABASE_URL names a PostgreSQL 14 server: upgrade it to 15 or newer, "
        "or remove DATABASE_URL to use the embedded one."
    )


@contextmanager
def old_server(version):
    """Speaks just enough of PostgreSQL's protocol to say its version."""

    def message(kind, payload):
        return kind + struct.pack("!i", len(payload) + 4) + payload

    greeting = message(b"R", struct.pack("!i", 0))
    for name, value in (("server_version", version), ("server_encoding", "UTF8"), ("client_encoding", "UTF8")):
        greeting += message(b"S", f"{name}\0{value}\0".encode())
    greeting += message(b"K", struct.pack("!ii", 1, 1)) + message(b"Z", b"I")

    def serve(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            with connection:
                connection.recv(4096)
                connection.sendall(greeting)
                connection.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_database_commands_say_what_to_do_when_it_is_not_running(inventory):
    status = inventory("database", "status")
    assert status.status == 3
    assert "does not run" in status.said
    for command in (["alembic", "current"], ["reflex", "db", "status"]):
        result = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=PROJECT,
            env=inventory.environment(REFLEX_DIR=inventory.data_dir / "reflex"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode != 0
        assert "inventory database start" in result.stderr, command
        assert "Traceback" not in result.stderr, command


@pytest.fixture
def full_disk(inventory):
    """Runs commands for which the disk under the database's files is too small.

    As root the files lie on a real file system of 24 MiB; where one cannot be mounted, the largest file is limited.
    """
    home = cluster_of(inventory.data_dir).home
    mounted = os.geteuid() == 0 and _mount(home)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILE, SMALL_FILE))

    def run(*arguments):
        result = subprocess.run(
            [*COMMAND, *arguments],
            cwd=PROJECT,
            env=unmeasured(inventory.environment()),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=None if mounted else limit,
        )
        return Answer(result.returncode, result.stdout, result.stderr)

    yield run
    if mounted:
        _unmount(home)


def _mount(home):
    account = service_account()
    prepare_system_home(account)
    home.mkdir(mode=0o700)
    os.chown(home, account.uid, account.gid)
    options = f"size=24m,mode=700,uid={account.uid},gid={account.gid}"
    result = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "inventory-test", home], check=False, capture_output=True
    )
    return result.returncode == 0


def _unmount(home):
    if os.path.ismount(home):
        subprocess.run(["umount", "--lazy", home], check=True)


def test_a_full_disk_at_the_first_start_leaves_a_folder_that_starts_later(inventory, full_disk):
    answer = full_disk("database", "start")
    assert answer.status == 1
    assert answer.sentence.startswith("The disk is full while ")
    assert not cluster_of(inventory.data_dir).data.exists()
    _unmount(cluster_of(inventory.data_dir).home)
    embedded.start(inventory.data_dir, pg_bin=PG_BIN).stop()


def test_a_full_disk_is_said_by_a_backup_which_leaves_nothing(inventory, tmp_path):
    assert inventory("migrate").status == 0
    file = tmp_path / "backups" / "inventory.zip"
    file.parent.mkdir()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    assert inventory("database", "start").status == 0  # started without the limit, which its children would inherit
    result = subprocess.run(
        [*COMMAND, "backup", file],
        cwd=PROJECT,
        env=unmeasured(inventory.environment()),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("The disk is full while writing the backup: ")
    assert "Traceback" not in result.stderr
    assert list(file.parent.iterdir()) == []
