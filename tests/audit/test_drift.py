"""A start is refused when triggers or functions are not what the migration left, and each is named."""

import pytest

from inventory_app.audit import drift
from inventory_app.migrations import head
from inventory_app.operator_error import OperatorError
from inventory_app.paths import APP_ROLE, OWNER_ROLE
from inventory_app.settings import get_settings


def tampered(database, *statements: str) -> str:
    with database.as_superuser() as connection:
        for statement in statements:
            connection.execute(statement)
    return refusal(database)


def refusal(database) -> str:
    with database.as_app() as connection, pytest.raises(OperatorError) as refused:
        drift.check(connection)
    return refused.value.sentence


def test_a_migrated_database_passes_for_the_application_and_for_the_owner(database):
    with database.as_app() as connection:
        drift.check(connection)
    with database.as_owner() as connection:
        drift.check(connection)


def test_what_is_frozen_is_what_the_migration_installs(database):
    """After a change of functions or models: `python -m inventory_app.audit.drift --freeze`."""
    with database.as_owner() as connection:
        found = drift.as_frozen(drift.installed(connection))
        assert found == drift.frozen(drift.revision_of(connection))
    assert found["functions"].keys() >= {"audit_capture()", "audit_append_only()"}
    assert found["triggers"]["product"]["audit_capture"]["enabled"] == "A"
    assert found["triggers"][drift.PARTITION].keys() == {"audit_append_only", "audit_no_truncate"}


@pytest.mark.parametrize(
    ("statement", "clause"),
    [
        ("ALTER TABLE product DISABLE TRIGGER audit_capture", "trigger audit_capture on product is disabled"),
        ("ALTER TABLE product ENABLE TRIGGER audit_capture", "trigger audit_capture on product is off for replicas"),
        (
            "ALTER TABLE product ENABLE REPLICA TRIGGER audit_capture",
            "trigger audit_capture on product is on for replicas only",
        ),
        ("DROP TRIGGER audit_capture ON product", "trigger audit_capture on product is missing"),
        ("DROP TRIGGER audit_no_truncate ON product", "trigger audit_no_truncate on product is missing"),
        (
            "DROP TRIGGER audit_append_only ON audit_operation",
            "trigger audit_append_only on audit_operation is missing",
        ),
        (
            (
                "CREATE TRIGGER a BEFORE INSERT ON product"
                " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            ),
            "trigger a on product is not one of ours",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER audit_capture AFTER INSERT OR UPDATE OF name OR DELETE ON product"
                " FOR EACH ROW EXECUTE FUNCTION audit_capture('id', '', '');"
                "ALTER TABLE product ENABLE ALWAYS TRIGGER audit_capture"
            ),
            "trigger audit_capture on product has another columns",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER audit_capture AFTER INSERT ON product"
                " FOR EACH ROW EXECUTE FUNCTION audit_capture('id', '', '');"
                "ALTER TABLE product ENABLE ALWAYS TRIGGER audit_capture"
            ),
            "trigger audit_capture on product has another type",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER audit_capture AFTER INSERT OR UPDATE OR DELETE ON local_user"
                " FOR EACH ROW EXECUTE FUNCTION audit_capture('id', '', '');"
                "ALTER TABLE local_user ENABLE ALWAYS TRIGGER audit_capture"
            ),
            "trigger audit_capture on local_user has another arguments",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER audit_capture AFTER INSERT OR UPDATE OR DELETE ON product"
                " FOR EACH ROW WHEN (current_user <> 'mallory') EXECUTE FUNCTION audit_capture('id', '', '');"
                "ALTER TABLE product ENABLE ALWAYS TRIGGER audit_capture"
            ),
            "trigger audit_capture on product has another condition",
        ),
        (
            (
                "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                "CREATE OR REPLACE TRIGGER audit_capture AFTER INSERT OR UPDATE OR DELETE ON product"
                " FOR EACH ROW EXECUTE FUNCTION quiet('id', '', '');"
                "ALTER TABLE product ENABLE ALWAYS TRIGGER audit_capture"
            ),
            "trigger audit_capture on product has another function",
        ),
        (
            (
                "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
                " SET search_path = pg_catalog, public, pg_temp AS 'BEGIN RETURN NEW; END'"
            ),
            "function audit_append_only has another body",
        ),
        ("ALTER FUNCTION audit_capture() SECURITY INVOKER", "function audit_capture has another as_owner"),
        ("ALTER FUNCTION audit_capture() SET search_path = evil", "function audit_capture has another settings"),
        ("DROP FUNCTION audit_new_incarnation(text)", "function audit_new_incarnation is missing"),
        (
            "CREATE FUNCTION audit_person(varchar, varchar, boolean) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "function audit_person is not one of ours",
        ),
        (
            "CREATE RULE nothing AS ON INSERT TO audit_personal DO INSTEAD NOTHING",
            "rule nothing on audit_personal is not one of ours",
        ),
        (f"GRANT DELETE ON audit_personal TO {APP_ROLE}", "the application may DELETE on audit_personal"),
        (f"GRANT UPDATE (pk) ON audit_change TO {APP_ROLE}", "the application may UPDATE on audit_change"),
        ("GRANT TRUNCATE ON product TO PUBLIC", "the application may TRUNCATE on product"),
        (f"REVOKE INSERT ON product FROM {APP_ROLE}", "the application may no longer INSERT on product"),
        (f"ALTER TABLE audit_operation OWNER TO {APP_ROLE}", f"table audit_operation belongs to {APP_ROLE}"),
        (f"ALTER FUNCTION audit_open OWNER TO {APP_ROLE}", f"function audit_open belongs to {APP_ROLE}"),
        (f"GRANT EXECUTE ON FUNCTION audit_open TO {APP_ROLE}", "function audit_open has another callable"),
        ("ALTER TABLE stock_movement DISABLE TRIGGER ALL", "a foreign key's trigger on stock_movement is disabled"),
    ],
    ids=lambda value: value[:50],
)
def test_it_names_what_was_tampered_with(database, statement, clause):
    assert clause in tampered(database, statement)


@pytest.mark.parametrize("trigger", ["audit_append_only", "audit_no_truncate"])
@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ("ALTER TABLE {0} DISABLE TRIGGER {1}", "is disabled"),
        ("ALTER TABLE {0} ENABLE TRIGGER {1}", "is off for replicas"),
    ],
)
def test_it_names_the_partition_that_was_tampered_with(database, observer, trigger, change, clause):
    (name,) = observer.execute("SELECT tableoid::regclass::text FROM audit_change LIMIT 1").fetchone()
    assert f"trigger {trigger} on {name} {clause}" in tampered(database, change.format(name, trigger))


def test_a_partition_without_any_trigger_is_named(database):
    sentence = tampered(
        database,
        "CREATE TABLE audit_part.later PARTITION OF audit_change FOR VALUES FROM ('2199-01-01') TO ('2199-02-01')",
    )
    assert "trigger audit_no_truncate on audit_part.later is missing" in sentence


def test_all_that_differs_is_named_at_once_with_what_to_do(database):
    sentence = tampered(
        database,
        "ALTER TABLE product DISABLE TRIGGER audit_capture",
        "DROP TRIGGER audit_capture ON supplier",
    )
    assert "trigger audit_capture on product is disabled; trigger audit_capture on supplier is missing" in sentence
    assert "put it back as the frozen SQL in alembic/versions says" in sentence


def test_a_newer_revision_than_the_code_is_its_own_sentence(database):
    sentence = tampered(database, "UPDATE alembic_version SET version_num = '9999'")
    assert "revision 9999, which this version of Inventory does not know" in sentence


def test_a_database_without_tables_is_its_own_sentence(empty_database):
    assert "run `inventory migrate`" in refusal(empty_database)


def test_an_emptied_version_table_is_refused(database):
    assert "run `inventory migrate`" in tampered(database, "DELETE FROM alembic_version")


def test_partitions_of_later_months_are_no_drift(database):
    with database.as_owner() as connection:
        connection.execute("SELECT audit_ensure_partitions(30)")
    with database.as_app() as connection:
        drift.check(connection)


def test_every_migration_has_its_catalogue():
    for script in drift.VERSIONS.glob("*.py"):
        revision = script.name.split("_", maxsplit=1)[0]
        assert drift.frozen(revision)["functions"], script.name


def test_a_start_is_refused(database):
    from inventory_app.first_run import check_and_prepare

    with database.as_superuser() as connection:
        connection.execute("ALTER TABLE product DISABLE TRIGGER audit_capture")
    with pytest.raises(OperatorError, match="audit_capture on product is disabled"):
        check_and_prepare()


def test_the_command_says_how_it_is_used():
    with pytest.raises(SystemExit, match="--freeze"):
        drift.main([])


def test_freezing_writes_the_same_file_again(monkeypatch, tmp_path, capsys):
    """Made from a throw-away database, so that it never depends on anybody's own."""
    kept = drift.frozen_file(head()).read_text(encoding="utf-8")
    monkeypatch.setattr(drift, "frozen_file", lambda revision: tmp_path / f"{revision}.json")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nowhere?host=/nonexistent")
    drift.main(["--freeze"])
    assert (tmp_path / f"{head()}.json").read_text(encoding="utf-8") == kept
    assert capsys.readouterr().out.strip() == str(tmp_path / f"{head()}.json")


def test_a_catalogue_from_before_grants_were_frozen_is_still_one(database):
    """0001 has none: it is compared by what it holds."""
    older = drift.frozen("0001")
    assert "grants" not in older
    with database.as_owner() as owner:
        found = drift.installed(owner)
        owner.execute(f"GRANT DELETE ON product TO {APP_ROLE}")
        more = drift.installed(owner)
    assert [clause for clause in drift.differences(older, more) if clause.endswith("on product")] == []
    assert "the application may DELETE on product" in list(drift.differences(drift.frozen(head()), more))
    assert list(drift.differences(drift.frozen(head()), found)) == []


def test_with_one_role_for_both_there_is_no_separation_to_compare(database, monkeypatch):
    with database.as_superuser() as connection:
        # One by one: REASSIGN OWNED would give away the databases of every other test as well.
        owned = connection.execute(
            "SELECT 'TABLE ' || oid::regclass FROM pg_class WHERE relkind IN ('r', 'p') AND relowner = %s::regrole"
            " UNION ALL SELECT 'ROUTINE ' || oid::regprocedure FROM pg_proc WHERE proowner = %s::regrole",
            [OWNER_ROLE, OWNER_ROLE],
        ).fetchall()
        for (thing,) in owned:
            connection.execute(f"ALTER {thing} OWNER TO {APP_ROLE}")
    assert f"the tables belong to the application's role {APP_ROLE}" in refusal(database)
    monkeypatch.delenv("MIGRATION_DATABASE_URL")
    get_settings.cache_clear()
    with database.as_app() as connection:
        drift.check(connection)
