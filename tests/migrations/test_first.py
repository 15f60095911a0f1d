"""The migrations: up, down, up; the same by every road; and what is frozen is what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlmodel import SQLModel

from inventory_app.audit import drift, triggers
from inventory_app.database.reachable import libpq
from inventory_app.first_run import check_and_prepare
from inventory_app.migrations import configuration, head, require_current, revision_of, state, upgrade
from inventory_app.operator_error import OperatorError
from inventory_app.paths import APP_ROLE, OWNER_ROLE, PROJECT, SUPERUSER_ROLE
from inventory_app.settings import get_settings
from tests.factories import item, person, supplier
from tests.fixtures.database import migrate

CATALOGUE = {
    "tables": """
        SELECT n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relacl::text FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('public', 'audit_part') ORDER BY 1, 2""",
    "columns": """
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid), co.collname
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          LEFT JOIN pg_collation co ON co.oid = a.attcollation
         WHERE n.nspname IN ('public', 'audit_part') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 3""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
          JOIN pg_namespace n ON n.oid = connamespace WHERE nspname IN ('public', 'audit_part') ORDER BY 1, 2""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'audit_part') ORDER BY 1",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger
         WHERE NOT tgisinternal ORDER BY 1, 2""",
    "functions": """
        SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), pg_get_userbyid(proowner), proacl::text
          FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = p.oid AND deptype = 'e') ORDER BY 1""",
    "extensions": "SELECT extname FROM pg_extension ORDER BY 1",
}


def catalogue(database) -> dict[str, list]:
    with database.connect(SUPERUSER_ROLE) as connection:
        return {name: connection.execute(query).fetchall() for name, query in CATALOGUE.items()}


def downgrade(database) -> None:
    engine = sa.create_engine(database.url(OWNER_ROLE), poolclass=sa.NullPool)
    config = configuration()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()


def test_up_down_up_gives_the_same_and_down_leaves_nothing(empty_database):
    before = catalogue(empty_database)
    migrate(empty_database)
    first = catalogue(empty_database)
    downgrade(empty_database)
    nothing = catalogue(empty_database)
    version_table = {"alembic_version", "alembic_version_pkc"}
    for part, rows in nothing.items():
        assert [row for row in rows if not version_table & set(row)] == before[part], part
    migrate(empty_database)
    assert catalogue(empty_database) == first


def test_a_database_with_data_goes_down_and_up(database, observer):
    person("ann", "manager")
    item(quantity=3)
    supplier(email="a@example.com")
    observer.close()
    downgrade(database)
    migrate(database)
    check_and_prepare()
    person("bert", "employee")


def test_a_second_upgrade_does_nothing(database):
    before = catalogue(database)
    migrate(database)
    assert not upgrade(get_settings())
    assert catalogue(database) == before


def test_the_models_say_nothing_that_is_not_migrated(database):
    """What `alembic check` does, as the owner and with types compared."""
    engine = sa.create_engine(database.url(OWNER_ROLE), poolclass=sa.NullPool)
    config = configuration()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in the project folder; it reads this test's database from the variables."""
    return subprocess.run(
        [Path(sys.executable).with_name(arguments[0]), *arguments[1:]],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command_line", [["alembic", "upgrade", "head"], ["reflex", "db", "migrate"]], ids=" ".join)
def test_the_command_gives_the_same_catalogue_as_a_call(empty_database, server, template, command_line):
    done = run(*command_line)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr
    server.create_database("expected", template=template)
    try:
        expected = catalogue(type(empty_database)(server, "expected"))
    finally:
        server.drop_database("expected")
    assert catalogue(empty_database) == expected


def test_the_frozen_statements_are_what_the_generator_prints(empty_database, database):
    """Functions, triggers and grants installed from today's code into a bare copy of the tables: the same catalogue."""
    migrate(empty_database)
    with empty_database.as_owner() as owner:
        for (name,) in owner.execute(
            "SELECT 'DROP FUNCTION ' || p.oid::regprocedure || ' CASCADE' FROM pg_proc p JOIN pg_language l"
            " ON l.oid = prolang WHERE pronamespace = 'public'::regnamespace AND lanname IN ('plpgsql', 'sql')"
            " AND pg_get_userbyid(proowner) = %s",
            [OWNER_ROLE],
        ).fetchall():
            owner.execute(name)
        owner.execute(triggers.all_sql(SQLModel.metadata, APP_ROLE))
        partitions = owner.execute(
            "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit_change'::regclass"
        )
        for (partition,) in partitions.fetchall():
            owner.execute(
                f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {partition} FOR EACH STATEMENT"
                " EXECUTE FUNCTION audit_append_only()"
            )
            owner.execute(f"ALTER TABLE {partition} ENABLE ALWAYS TRIGGER audit_no_truncate")
    generated, migrated = catalogue(empty_database), catalogue(database)
    for part in ("functions", "triggers"):
        assert generated[part] == migrated[part], part
    assert generated["tables"] == migrated["tables"]


def test_every_migration_limits_how_long_it_waits_for_a_lock():
    for script in drift.VERSIONS.glob("*.py"):
        text = script.read_text(encoding="utf-8") + "".join(
            file.read_text(encoding="utf-8") for file in script.parent.glob(f"{script.stem}*.sql")
        )
        assert len(re.findall(r"SET LOCAL lock_timeout", text)) >= 2, script.name


def test_a_migration_that_cannot_get_its_lock_gives_up_and_changes_nothing(database):
    person("ann")
    with database.as_app() as busy:
        busy.execute("SELECT 1 FROM local_user")
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            downgrade(database)
    assert revision_of(database.url(OWNER_ROLE)) == head()
    person("bert")


def test_the_application_cannot_migrate(database):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(libpq(database.url())) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")


def test_an_unmigrated_database_is_refused_with_what_to_do(empty_database):
    assert state(get_settings()) == "empty"
    with pytest.raises(OperatorError, match="run `inventory migrate`"):
        require_current(get_settings())
    assert upgrade(get_settings())
    require_current(get_settings())


def test_a_newer_database_is_refused(database):
    with database.as_owner() as owner:
        owner.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OperatorError, match="revision 9999"):
        state(get_settings())
    with pytest.raises(CommandError):
        migrate(database)
