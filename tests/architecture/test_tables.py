"""Every table is declared: audited, or unaudited with a reason; what is installed follows from that."""

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from inventory_app.audit.tables import audited, unaudited
from inventory_app.audit.triggers import APPEND_ONLY, DELETABLE, all_sql, is_audited, table_triggers

TABLES = SQLModel.metadata.sorted_tables
AUDITED = [table for table in TABLES if "audit" in table.info]
#: Not ours: alembic notes the revision in it.
FOREIGN = {"alembic_version"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_it_is_declared_audited_or_unaudited_with_a_reason(table):
    if not is_audited(table):
        assert len(table.info["unaudited"]) > 10


def test_a_table_that_declares_nothing_is_refused():
    table = sa.Table("undeclared", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    with pytest.raises(ValueError, match="undeclared must be declared either audited or unaudited"):
        list(table_triggers(table))
    with pytest.raises(ValueError, match="undeclared"):
        all_sql(table.metadata, "app")


def test_a_table_that_declares_both_is_refused():
    info = audited() | unaudited("nobody knows")
    table = sa.Table("both", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), info=info)
    with pytest.raises(ValueError, match="both"):
        is_audited(table)


def test_every_table_of_the_database_is_one_of_the_models(observer):
    found = observer.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in found} - FOREIGN == {table.name for table in TABLES}


@pytest.mark.parametrize("table", AUDITED, ids=lambda table: table.name)
def test_what_is_declared_secret_or_personal_is_a_column(table):
    for kind in ("secret", "personal"):
        assert set(table.info["audit"][kind]) <= set(table.columns.keys())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_looks_secret_is_declared_secret(table):
    words = ("password_hash", "token", "secret")
    telling = [column.name for column in table.columns if any(word in column.name for word in words)]
    declared = table.info.get("audit", {}).get("secret", ())
    assert set(telling) <= set(declared)


@pytest.mark.parametrize("table", AUDITED, ids=lambda table: table.name)
def test_an_audited_table_has_a_key_by_which_a_record_is_found(table):
    assert table.primary_key.columns


def test_what_may_be_deleted_or_is_append_only_exists():
    names = {table.name for table in TABLES}
    assert names >= DELETABLE
    assert names >= APPEND_ONLY
    assert not DELETABLE & APPEND_ONLY


def test_the_installed_triggers_are_those_of_the_declarations(observer):
    found = observer.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit_capture' AND tgenabled = 'A'"
    )
    assert {name for (name,) in found} == {table.name for table in AUDITED}


def test_what_is_inserted_is_captured_once_and_in_every_mode(observer):
    found = observer.execute(
        "SELECT tgrelid::regclass::text, array_agg((tgname, tgenabled)::text ORDER BY tgname) FROM pg_trigger"
        " WHERE tgname LIKE 'audit_capture%' AND tgtype::int & 4 = 4 GROUP BY 1"
    )
    by_row = ["(audit_capture,A)"]
    by_statement = ["(audit_capture_inserted,O)", "(audit_capture_replicated,R)"]
    assert dict(found.fetchall()) == {
        table.name: by_row if any(table.info["audit"].values()) else by_statement for table in AUDITED
    }
