import json
import re
import shutil
import zipfile
from pathlib import Path

import psycopg
import pytest

from inventory_app.database import embedded
from inventory_app.database.reachable import libpq
from inventory_app.paths import APP_ROLE, OWNER_ROLE, cluster_of
from tests.fixtures.environment import PG_BIN
from tests.setup.conftest import remove

# Debian's, where it is installed: the programs of the wheel are newer than this server.
POSTGRES_15 = [folder for folder in [Path("/usr/lib/postgresql/15/bin")] if folder.exists()]

GUARDED = """
CREATE TABLE fruit (name text PRIMARY KEY, price numeric NOT NULL CHECK (price >= 0));
CREATE FUNCTION refuse_strangers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('fruit.who', true), '') = '' THEN RAISE EXCEPTION 'nobody said who'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse_strangers BEFORE INSERT OR UPDATE ON fruit FOR EACH ROW EXECUTE FUNCTION refuse_strangers();
ALTER TABLE fruit ENABLE ALWAYS TRIGGER refuse_strangers;
GRANT SELECT ON fruit TO inventory_app;
"""


@pytest.fixture
def filled(inventory):
    """An installation with the first administrator, and a table that refuses a write by nobody."""
    assert inventory("database", "start").status == 0
    assert inventory("create-admin", INVENTORY_ADMIN_PASSWORD="Correct-Horse-7").status == 0
    with owner(inventory) as connection:
        connection.execute(GUARDED)
        add(connection, "Knäckebröd", 21)
        add(connection, "Äpfel", 3.5)
    return inventory


def owner(inventory, database="inventory"):
    return psycopg.connect(libpq(cluster_of(inventory.data_dir).url(OWNER_ROLE, database)))


def add(connection, name, price):
    connection.execute("SELECT set_config('fruit.who', 'ann', true)")
    connection.execute("INSERT INTO fruit VALUES (%s, %s)", [name, price])


def contents(connection):
    """Every row of every table, and every object that somebody could have lost on the way."""
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'audit_part') ORDER BY 1, 2"
    ).fetchall()
    found = {
        f"{schema}.{table}": connection.execute(f'SELECT t::text FROM "{schema}"."{table}" t ORDER BY 1').fetchall()
        for schema, table in tables
        if table != "audit_incarnation"
    }
    # That a restore has begun a new incarnation is on record in the restored database only.
    found["public.audit_operation"] = [
        row for row in found.get("public.audit_operation", []) if "restored the backup of" not in row[0]
    ]
    found["triggers"] = connection.execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal ORDER BY 1, 2"
    ).fetchall()
    found["functions"] = connection.execute(
        "SELECT oid::regprocedure::text, proowner::regrole::text, prosecdef, proconfig, proacl::text, md5(prosrc) "
        "FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
    ).fetchall()
    found["grants"] = connection.execute(
        "SELECT oid::regclass::text, relowner::regrole::text, relacl::text FROM pg_class "
        "WHERE relnamespace IN ('public'::regnamespace, 'audit_part'::regnamespace) ORDER BY 1"
    ).fetchall()
    return found


def incarnations(connection):
    return [why for (why,) in connection.execute("SELECT why FROM audit_incarnation ORDER BY incarnation").fetchall()]


def test_what_is_restored_is_what_was_there(filled, tmp_path):
    file = tmp_path / "monday.zip"
    with owner(filled) as connection:
        before, history = contents(connection), incarnations(connection)
    assert before["public.audit_change"] or before["public.local_user"]

    answer = filled("backup", file)  # the database runs and goes on running
    assert answer.status == 0, answer.complained
    assert file.stat().st_mode & 0o077 == 0
    with owner(filled) as connection:
        add(connection, "Papaya", 9)
        connection.execute("DELETE FROM fruit WHERE name = 'Äpfel'")
        connection.execute("DROP FUNCTION refuse_strangers CASCADE")

    answer = filled("restore", file, "--replace", "--yes")
    assert answer.status == 0, answer.complained
    with owner(filled) as connection:
        assert contents(connection) == before
        after = incarnations(connection)
        assert after[:-1] == history
        assert after[-1].startswith("restored the backup of ")
        with pytest.raises(psycopg.errors.RaiseException, match="nobody said who"):
            connection.execute("INSERT INTO fruit VALUES ('Papaya', 9)")
    with psycopg.connect(libpq(cluster_of(filled.data_dir).url(APP_ROLE))) as connection:
        assert connection.execute("SELECT count(*) FROM fruit").fetchone() == (2,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TEMP TABLE mine (a int)")
    with owner_of_kept(filled) as connection:
        assert connection.execute("SELECT name FROM fruit ORDER BY 1").fetchall() == [("Knäckebröd",), ("Papaya",)]


def owner_of_kept(inventory):
    return owner(inventory, "inventory_before_restore")


def test_a_backup_can_be_restored_into_an_empty_installation(filled, tmp_path):
    file = tmp_path / "monday.zip"
    assert filled("backup", file).status == 0
    with owner(filled) as connection:
        before = contents(connection)
    other = type(filled)(tmp_path / "other", filled.port)
    try:
        answer = other("restore", file)
        assert answer.status == 0, answer.complained
        assert not other.database_runs
        server = embedded.start(other.data_dir, pg_bin=PG_BIN)
        with owner(other) as connection:
            assert contents(connection) == before
        server.stop()
    finally:
        remove(other.data_dir)


def test_the_manifest_says_what_it_is(filled, tmp_path):
    file = tmp_path / "monday.zip"
    assert filled("backup", file).status == 0
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert archive.read("database.dump").startswith(b"PGDMP")
    assert manifest["app_role"] == APP_ROLE
    assert manifest["owner_role"] == OWNER_ROLE
    assert re.fullmatch("[0-9a-f]{64}", manifest["sha256"])
    assert manifest["revision"]


def test_an_existing_file_is_not_overwritten_unasked(filled, tmp_path):
    file = tmp_path / "monday.zip"
    file.write_text("precious", encoding="utf-8")
    assert "choose another name" in filled("backup", file).sentence
    assert file.read_text(encoding="utf-8") == "precious"
    assert filled("backup", file, "--force").status == 0
    assert zipfile.is_zipfile(file)


def test_data_is_not_replaced_unasked(filled, tmp_path):
    file = tmp_path / "monday.zip"
    assert filled("backup", file).status == 0
    assert filled("restore", file).sentence == "The database holds data: add --replace to put the backup in its place."
    assert filled("restore", file, "--replace").status == 1  # nobody answers the question


def test_a_database_in_use_is_not_replaced(filled, tmp_path):
    file = tmp_path / "monday.zip"
    assert filled("backup", file).status == 0
    with owner(filled) as connection:
        connection.execute("SELECT 1")
        answer = filled("restore", file, "--replace", "--yes")
    assert answer.status == 1
    assert answer.sentence == "The database is in use by 1 connection(s): stop the application first."


def _cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def _flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def _rewrite(file, **facts):
    with zipfile.ZipFile(file) as archive:
        manifest, dump = json.loads(archive.read("manifest.json")), archive.read("database.dump")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("database.dump", dump)
        archive.writestr("manifest.json", json.dumps({**manifest, **facts}))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_cut, "is not a complete backup"),
        (_flip, "is damaged"),
        (lambda file: file.write_text("hello", encoding="utf-8"), "is not a complete backup"),
        (lambda file: file.unlink(), "does not exist"),
        (lambda file: _rewrite(file, format=2), "restore it with that version or a newer one"),
        (lambda file: _rewrite(file, sha256="0" * 64), "is damaged"),
        (lambda file: _rewrite(file, revision="9999"), "does not know"),
        (lambda file: _rewrite(file, postgresql=99), "or newer"),
        (lambda file: _rewrite(file, app_role="bob"), "role bob"),
    ],
    ids=[
        "cut",
        "flipped",
        "text",
        "missing",
        "newer format",
        "other digest",
        "unknown revision",
        "newer server",
        "other role",
    ],
)
def test_what_is_no_good_backup_changes_nothing(filled, tmp_path, damage, complaint):
    file = tmp_path / "monday.zip"
    assert filled("backup", file).status == 0
    with owner(filled) as connection:
        before = contents(connection)
    damage(file)
    answer = filled("restore", file, "--replace", "--yes")
    assert answer.status == 1
    assert complaint in answer.sentence
    with owner(filled) as connection:
        assert contents(connection) == before
        assert databases(connection) == ["inventory", "postgres"]


def databases(connection):
    rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def test_a_dump_that_does_not_load_changes_nothing(filled, tmp_path):
    file = tmp_path / "monday.zip"
    assert filled("backup", file).status == 0
    with owner(filled) as connection:
        before = contents(connection)
    with zipfile.ZipFile(file) as archive:
        dump = archive.read("database.dump")
    import hashlib

    broken = dump[: len(dump) - 2000]
    shutil.copy(file, tmp_path / "copy.zip")
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("database.dump", broken)
        archive.writestr("manifest.json", json.dumps({**manifest, "sha256": hashlib.sha256(broken).hexdigest()}))
    answer = filled("restore", file, "--replace", "--yes")
    assert answer.status == 1
    assert answer.sentence.startswith("pg_restore failed (")
    with owner(filled) as connection:
        assert contents(connection) == before
        assert databases(connection) == ["inventory", "postgres"]


@pytest.mark.parametrize("pg_bin", [PG_BIN, *POSTGRES_15])
def test_a_server_of_ones_own_is_backed_up_and_restored_by_its_owner(inventory, tmp_path, pg_bin):
    with embedded.throw_away(pg_bin=pg_bin) as server:
        addresses = {"DATABASE_URL": server.url(), "MIGRATION_DATABASE_URL": server.url(OWNER_ROLE)}
        assert inventory("migrate", **addresses).status == 0
        file = tmp_path / "monday.zip"
        assert inventory("backup", file, **addresses).status == 0
        with psycopg.connect(libpq(server.superuser_url()), autocommit=True) as connection:
            connection.execute(f"GRANT CONNECT ON DATABASE postgres TO {OWNER_ROLE}")
        refused = inventory("restore", file, "--replace", "--yes", **addresses)
        assert refused.sentence.endswith(f"ALTER ROLE {OWNER_ROLE} CREATEDB.")
        with psycopg.connect(libpq(server.superuser_url()), autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {OWNER_ROLE} CREATEDB")
        answer = inventory("restore", file, "--replace", "--yes", **addresses)
        assert answer.status == 0, answer.complained
        with psycopg.connect(libpq(server.url(OWNER_ROLE))) as connection:
            assert incarnations(connection)[-1].startswith("restored the backup of ")
        assert inventory("migrate", **addresses).status == 0
