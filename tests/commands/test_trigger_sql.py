"""`make trigger-sql`: what it prints is what protects a migrated database."""

import psycopg

from inventory_app.audit import drift
from inventory_app.commands import check_migrations, trigger_sql
from inventory_app.paths import APP_ROLE

_TRIGGERS = (
    "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND NOT c.relispartition"
)
_GRANTS = "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s ORDER BY 1, 2"


def grants(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """What the application may do with which table."""
    return connection.execute(_GRANTS, [APP_ROLE]).fetchall()


def test_run_on_a_database_without_triggers_and_grants_it_brings_all_of_them_back(database, capsys):
    trigger_sql.main()
    printed = capsys.readouterr().out
    with database.as_owner() as connection:
        installed, granted = drift.as_frozen(drift.installed(connection)), grants(connection)
        for trigger, table in connection.execute(_TRIGGERS).fetchall():
            connection.execute(f"DROP TRIGGER {trigger} ON {table}")
        for table in {name for name, _ in granted}:
            connection.execute(f"REVOKE ALL ON {table} FROM {APP_ROLE}")
        assert drift.as_frozen(drift.installed(connection)) != installed
        assert grants(connection) == []
        # A migration that changes a function says OR REPLACE as well; the partitions' triggers hang on these.
        connection.execute(printed.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        # The table of the schema's revision is alembic's and in no model.
        connection.execute(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
        assert drift.as_frozen(drift.installed(connection)) == installed
        assert grants(connection) == granted


def test_the_migrations_make_what_the_models_say(database, monkeypatch):
    """What `make check` does; its own variables are taken back afterwards."""
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL"):
        monkeypatch.setenv(name, "")
    check_migrations.main()
