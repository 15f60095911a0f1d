import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from inventory_app.database import _throw_away, embedded
from inventory_app.database.reachable import libpq
from inventory_app.operator_error import OperatorError
from inventory_app.paths import APP_ROLE, DATABASE, OWNER_ROLE, PROJECT, Cluster, cluster_of
from tests.fixtures.environment import clean_environment
from tests.setup.conftest import is_alive, remove

AS_ROOT = os.geteuid() == 0
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin/postgres")


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    yield folder
    for place in (folder, tmp_path / "moved", tmp_path / "copy"):
        remove(place)


def connect(server, role=APP_ROLE, database=DATABASE):
    return psycopg.connect(libpq(server.url(role, database)), autocommit=True)


def one(connection, statement):
    return connection.execute(statement).fetchone()[0]


def start_and_die(data_dir):
    """Another process starts the server and is killed."""
    code = (
        "import os, signal, sys; from pathlib import Path; from inventory_app.database import embedded\n"
        "embedded.start(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, data_dir], cwd=PROJECT, env=clean_environment(), check=False, capture_output=True
    )
    assert result.returncode == -signal.SIGKILL, result.stderr


def test_it_is_durable_checksummed_utf8_and_listens_on_no_network(data_dir):
    server = embedded.start(data_dir)
    with connect(server) as connection:
        assert one(connection, "SHOW fsync") == "on"
        assert one(connection, "SHOW synchronous_commit") == "on"
        assert one(connection, "SHOW full_page_writes") == "on"
        assert one(connection, "SHOW data_checksums") == "on"
        assert one(connection, "SHOW server_encoding") == "UTF8"
        assert one(connection, "SHOW listen_addresses") == ""
        assert one(connection, "SELECT upper('knäckebröd')") == "KNÄCKEBRÖD"
        assert one(connection, "SELECT show_trgm('ä') <> '{}'")
    server.stop()
    assert not embedded.is_running(data_dir)


def test_only_this_user_comes_in_and_nobody_is_trusted(server):
    with psycopg.connect(libpq(server.superuser_url())) as connection:
        rules = connection.execute("SELECT type, auth_method, options FROM pg_hba_file_rules").fetchall()
    assert rules == [("local", "peer", ["map=inventory"])]
    folder = server.cluster.sockets
    assert folder.stat().st_mode & 0o077 == 0


def test_neither_role_is_superuser_and_the_application_owns_nothing(server, new_database):
    name = new_database()
    with psycopg.connect(libpq(server.superuser_url(name))) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles "
            "WHERE rolname LIKE 'inventory%' ORDER BY 1"
        ).fetchall()
        assert roles == [(APP_ROLE, *[False] * 5), (OWNER_ROLE, *[False] * 5)]
        assert (
            one(connection, "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'") == OWNER_ROLE
        )
        assert one(connection, f"SELECT datdba::regrole::text FROM pg_database WHERE datname = '{name}'") == OWNER_ROLE


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine (a int)", "CREATE TEMP TABLE mine (a int)", "CREATE SCHEMA mine"]
)
def test_the_application_can_create_nothing(server, new_database, statement):
    name = new_database()
    with connect(server, APP_ROLE, name) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_a_copy_of_a_database_has_the_same_contents_and_the_same_doors(server, new_database):
    template = new_database()
    with connect(server, OWNER_ROLE, template) as connection:
        connection.execute("CREATE TABLE fruit AS SELECT 'apple' AS name")
        connection.execute(f"GRANT SELECT ON fruit TO {APP_ROLE}")
    server.create_database(f"{template}_copy", template=template)
    with connect(server, APP_ROLE, f"{template}_copy") as connection:
        assert one(connection, "SELECT name FROM fruit") == "apple"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TEMP TABLE mine (a int)")
    server.drop_database(f"{template}_copy")


def test_two_users_share_the_server_and_the_last_one_stops_it(data_dir):
    first = embedded.start(data_dir)
    second = embedded.start(data_dir)
    assert first.pid == second.pid
    first.stop()
    assert embedded.is_running(data_dir)
    with connect(second) as connection:
        assert one(connection, "SELECT 1") == 1
    second.stop()
    assert not embedded.is_running(data_dir)


def test_a_server_left_by_a_killed_process_is_found_used_and_stopped(data_dir):
    start_and_die(data_dir)
    assert embedded.is_running(data_dir)
    left_behind = cluster_pid(data_dir)
    server = embedded.start(data_dir)
    assert server.pid == left_behind
    server.stop()
    assert not is_alive(left_behind)


def cluster_pid(data_dir):
    return int((cluster_of(data_dir).data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])


def test_a_server_started_to_stay_stays_until_it_is_stopped(data_dir):
    embedded.start(data_dir, keep=True).stop()
    assert embedded.is_running(data_dir)
    embedded.start(data_dir).stop()
    assert embedded.is_running(data_dir)
    assert embedded.stop(data_dir)
    assert not embedded.stop(data_dir)


def test_a_server_in_use_is_not_stopped_from_outside(data_dir):
    server = embedded.start(data_dir)
    with pytest.raises(OperatorError, match="in use by a running copy"):
        embedded.stop(data_dir)
    server.stop()


def test_a_killed_server_recovers_what_was_committed(data_dir):
    server = embedded.start(data_dir)
    with connect(server, OWNER_ROLE) as connection:
        connection.execute("CREATE TABLE fruit AS SELECT 'apple' AS name")
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # the backend of the connection above may have ended by itself
            process.kill()
    psutil.wait_procs(processes, timeout=30)
    again = embedded.start(data_dir)
    with connect(again, OWNER_ROLE) as connection:
        assert one(connection, "SELECT name FROM fruit") == "apple"
    again.stop()
    server.stop()


def test_the_number_of_a_dead_server_may_belong_to_another_program_by_now(data_dir):
    embedded.start(data_dir).stop()
    cluster = cluster_of(data_dir)
    stale = f"{os.getpid()}\n{cluster.data}\n1700000000\n5432\n{cluster.sockets}\n\n  0 0\nready\n"
    (cluster_of(data_dir).data / "postmaster.pid").write_text(stale, encoding="utf-8")
    assert not embedded.is_running(data_dir)
    server = embedded.start(data_dir)
    assert server.pid != os.getpid()
    server.stop()


def test_an_interrupted_first_start_leaves_nothing_that_looks_finished(data_dir):
    embedded.start(data_dir).stop()
    cluster = cluster_of(data_dir)
    cluster.data.rename(cluster.home / "postgres.part")
    server = embedded.start(data_dir)
    with connect(server) as connection:
        assert one(connection, "SELECT 1") == 1
    server.stop()
    assert not (cluster.home / "postgres.part").exists()


def test_a_moved_data_folder_keeps_its_database(data_dir, tmp_path):
    server = embedded.start(data_dir)
    with connect(server, OWNER_ROLE) as connection:
        connection.execute("CREATE TABLE fruit AS SELECT 'apple' AS name")
    server.stop()
    data_dir.rename(tmp_path / "moved")
    server = embedded.start(tmp_path / "moved")
    with connect(server, OWNER_ROLE) as connection:
        assert one(connection, "SELECT name FROM fruit") == "apple"
    server.stop()


def test_a_copied_data_folder_never_shares_the_database_of_the_first(data_dir, tmp_path):
    embedded.start(data_dir).stop()
    shutil.copytree(data_dir, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock", ".s.PGSQL*"))
    if AS_ROOT:
        with pytest.raises(OperatorError, match="is a copy of the data folder"):
            embedded.start(tmp_path / "copy")
    else:
        assert cluster_of(tmp_path / "copy").data != cluster_of(data_dir).data


def test_a_data_folder_of_a_newer_postgresql_is_refused(data_dir):
    embedded.start(data_dir).stop()
    version = cluster_of(data_dir).data / "PG_VERSION"
    made_by = version.read_text(encoding="ascii")
    version.write_text("99\n", encoding="ascii")
    with pytest.raises(OperatorError, match=r"made by PostgreSQL 99 and this is \d+: set INVENTORY_PG_BIN"):
        embedded.start(data_dir)
    version.write_text(made_by, encoding="ascii")
    embedded.start(data_dir).stop()


def test_a_data_folder_of_a_newer_application_is_refused(data_dir):
    data_dir.mkdir()
    (data_dir / "inventory.json").write_text(json.dumps({"format": 1, "app_version": "99.1.0"}), encoding="utf-8")
    with pytest.raises(OperatorError, match=r"was written by Inventory 99\.1\.0 and this is"):
        embedded.start(data_dir)
    assert [file.name for file in data_dir.iterdir()] == ["inventory.json"]


def test_a_long_path_gets_a_short_private_socket_folder(tmp_path):
    deep = tmp_path / ("folder" * 20)
    sockets = cluster_of(deep).sockets
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 100
    assert sockets == cluster_of(deep).sockets
    server = embedded.start(deep)
    with connect(server) as connection:
        assert one(connection, "SELECT 1") == 1
    server.stop()
    remove(deep)


def test_real_data_is_never_run_without_fsync(data_dir):
    embedded.start(data_dir).stop()
    with pytest.raises(ValueError, match="holds real data"):
        embedded.start(data_dir, durable=False)


def test_a_throw_away_cluster_is_gone_afterwards_and_so_is_one_whose_run_was_killed():
    code = (
        "import os, signal; from inventory_app.database import embedded\n"
        "with embedded.throw_away() as server:\n"
        "    print(server.cluster.home, server.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    home, pid = result.stdout.split()
    assert Path(home).exists()
    with embedded.throw_away() as server:
        mine = server.cluster.home
        assert not Path(home).exists()
        assert not is_alive(int(pid))
    assert not mine.exists()


@pytest.mark.skipif(not POSTGRES_15.exists(), reason="no PostgreSQL 15 on this machine")
def test_another_postgresql_can_be_named():
    with embedded.throw_away(pg_bin=POSTGRES_15.parent) as server, connect(server) as connection:
        assert one(connection, "SHOW server_version_num").startswith("15")
        assert one(connection, "SELECT upper('ä')") == "Ä"


@pytest.mark.parametrize(
    "content",
    [
        "",
        ".\n.\n.\n",
        "/\n/\n/\n",
        "{home}\n",
        "{home}\n{home}\n.\n",
        "{home}\n{home}\n{here}\n",
        "{home}\n{here}\n{home}\n",
    ],
)
def test_a_broken_mark_never_removes_the_folder_somebody_works_in(tmp_path, monkeypatch, content):
    here, home = tmp_path / "project", tmp_path / "system" / "some-home"
    (here / ".git").mkdir(parents=True)
    (here / ".git" / "HEAD").write_text("precious", encoding="utf-8")
    home.mkdir(parents=True)
    (home / "throw-away-cluster").write_text(content.format(home=home, here=here), encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.setattr(_throw_away, "SYSTEM_HOME", tmp_path / "system")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    embedded._remove_abandoned(None)
    assert (here / ".git" / "HEAD").read_text(encoding="utf-8") == "precious"
    assert not any(cluster.home != home for cluster in _throw_away.found())
    _throw_away.remove(Cluster(here, here))
    _throw_away.remove(Cluster(Path(), Path()))
    assert (here / ".git" / "HEAD").read_text(encoding="utf-8") == "precious"


def test_only_an_empty_folder_becomes_a_throw_away_one(tmp_path):
    (tmp_path / "precious.txt").touch()
    with pytest.raises(ValueError, match=r"holds real data \(precious\.txt\)"), embedded.throw_away(tmp_path):
        pass
    assert (tmp_path / "precious.txt").exists()
    remove(tmp_path)


def test_a_cluster_in_use_is_not_taken_for_an_abandoned_one():
    with embedded.throw_away() as server:
        before = server.pid
        embedded._remove_abandoned(None)
        with embedded.throw_away() as other:
            assert other.pid != before
        assert server.pid == before
        with connect(server) as connection:
            assert one(connection, "SELECT 1") == 1


LARGE_OBJECTS = [
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'kept where no trigger looks')",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lo_get(1)",
    "SELECT lo_open(1, 131072)",
    "SELECT lo_unlink(1)",
    "SELECT lowrite(0, 'x')",
    "SELECT loread(0, 1)",
]


@pytest.mark.parametrize("statement", LARGE_OBJECTS)
@pytest.mark.parametrize("role", [APP_ROLE, OWNER_ROLE])
def test_nobody_keeps_data_in_large_objects(server, new_database, role, statement):
    with connect(server, role, new_database()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("role", [APP_ROLE, OWNER_ROLE])
@pytest.mark.parametrize("database", ["postgres", "template1", "template0"])
def test_our_roles_stay_out_of_the_servers_own_databases(server, role, database):
    with pytest.raises(psycopg.OperationalError, match=r"permission denied|not currently accepting connections"):
        connect(server, role, database)


def test_an_older_cluster_gets_the_same_doors_at_its_next_start(data_dir):
    first = embedded.start(data_dir)
    with psycopg.connect(libpq(first.superuser_url()), autocommit=True) as connection:
        connection.execute("GRANT CONNECT, TEMPORARY ON DATABASE postgres, template1 TO PUBLIC")
    with psycopg.connect(libpq(first.superuser_url(DATABASE)), autocommit=True) as connection:
        connection.execute("GRANT EXECUTE ON FUNCTION lo_create(oid), lowrite(int, bytea) TO PUBLIC")
    with connect(first) as connection:
        connection.execute("SELECT lo_create(0)")
    first.stop()
    again = embedded.start(data_dir)
    with connect(again) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT lo_create(0)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        connect(again, APP_ROLE, "postgres")
    again.stop()
