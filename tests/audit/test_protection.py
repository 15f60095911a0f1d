"""Nobody rewrites the record: not the application's role, and not by hanging a change on another operation."""

from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege, InvalidTextRepresentation
from sqlmodel import SQLModel

from inventory_app.audit.triggers import APPEND_ONLY, DELETABLE
from inventory_app.context import acting_as
from inventory_app.database.errors import sqlstate
from inventory_app.operations.users import erase_personal_data
from inventory_app.paths import APP_ROLE
from inventory_app.unit_of_work import open_session, transact
from tests.factories import arrange, item, location, person, supplier

KEPT = "AU007"
TRAIL = ("audit_incarnation", "audit_operation", "audit_change", "audit_personal", "audit_erasure")
COLUMN = {
    "audit_incarnation": "why",
    "audit_operation": "reason",
    "audit_change": "after",
    "audit_personal": "after",
    "audit_erasure": "pk",
}
BEGIN_AS = "SELECT audit_begin_as(%s, 'test', 'succeeded', 'cli', 'cli:test', NULL, NULL, NULL, NULL, NULL, NULL)"


def writes(table: str, column: str) -> dict[str, str]:
    return {
        # Without naming columns: whether the row would fit is asked after whether it may be written.
        "insert": f"INSERT INTO {table} DEFAULT VALUES",
        "update": f"UPDATE {table} SET {column} = {column}",
        "delete": f"DELETE FROM {table}",
        "truncate": f"TRUNCATE {table}",
    }


def erased() -> None:
    """Leave an erasure on record, so that there is a row to change."""
    carla = person("carla", enabled=False)
    with acting_as(person("ada", "admin")):
        transact(erase_personal_data, user_id=carla.id, reason="asked for")


def partition(observer: psycopg.Connection) -> str:
    return observer.execute("SELECT tableoid::regclass::text FROM audit_change LIMIT 1").fetchone()[0]


@pytest.mark.parametrize("verb", ["insert", "update", "delete", "truncate"])
@pytest.mark.parametrize("table", [*TRAIL, "a partition"])
def test_the_application_cannot_write_the_trail(database, observer, table, verb):
    supplier(email="a@example.com")
    name = partition(observer) if table == "a partition" else table
    statement = writes(name, COLUMN.get(table, "after"))[verb]
    with database.as_app() as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("role", ["as_owner", "as_superuser"])
@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
@pytest.mark.parametrize("table", [*TRAIL, "a partition", "stock_movement"])
def test_triggers_refuse_to_change_the_record_even_for_the_owner(database, observer, table, verb, role):
    supplier(email="a@example.com")
    item(quantity=5)
    erased()
    name = partition(observer) if table == "a partition" else table
    with getattr(database, role)() as connection:
        if role == "as_superuser":
            connection.execute("SET session_replication_role = replica")
        connection.execute(BEGIN_AS, [uuid4()])
        # Without CASCADE a foreign key refuses the TRUNCATE before the trigger is asked.
        statement = writes(name, COLUMN.get(table, "after" if table == "a partition" else "note"))[verb]
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(statement + (" CASCADE" if verb == "truncate" else ""))
    assert refused.value.sqlstate == KEPT


@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
def test_the_application_cannot_change_a_posted_movement(database, verb):
    item(quantity=5)
    with database.as_app() as connection:
        connection.execute(BEGIN_AS, [uuid4()])
        with pytest.raises(InsufficientPrivilege):
            connection.execute(writes("stock_movement", "note")[verb])


def test_the_application_may_delete_nothing_but_links_counters_and_remembered_answers(observer):
    allowed = observer.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND (has_table_privilege(%(app)s, oid, 'DELETE') OR has_table_privilege(%(app)s, oid, 'TRUNCATE'))",
        {"app": APP_ROLE},
    )
    assert {name for (name,) in allowed} == DELETABLE


def test_every_audited_table_refuses_truncate(database):
    for table in SQLModel.metadata.sorted_tables:
        if "audit" in table.info or table.name in APPEND_ONLY:
            with database.as_owner() as owner, pytest.raises(psycopg.Error) as refused:
                owner.execute(f"TRUNCATE {table.name} CASCADE")
            assert refused.value.sqlstate == KEPT, table.name


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE product DISABLE TRIGGER audit_capture",
        "ALTER TABLE product DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_capture ON product",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION audit_capture() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "ALTER FUNCTION audit_capture() RESET ALL",
        "DROP TABLE product",
        "CREATE TABLE mine (id int)",
        "CREATE RULE none AS ON INSERT TO product DO INSTEAD NOTHING",
        "SELECT audit_new_incarnation('mine')",
        "SELECT audit_open(gen_random_uuid(), 'x', 'succeeded', 'user', 1, 'ann', 1, '', '', '', '', '', '', 1)",
        "SELECT audit_claim_key(gen_random_uuid(), 'user:1', 'x', 'k', 'h')",
        "SET ROLE inventory_owner",
    ],
)
def test_the_application_cannot_switch_the_trail_off(database, statement):
    with database.as_app() as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_the_application_owns_nothing(observer):
    owned = observer.execute(
        "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = %(app)s"
        " UNION SELECT proname FROM pg_proc WHERE pg_get_userbyid(proowner) = %(app)s",
        {"app": APP_ROLE},
    )
    assert owned.fetchall() == []


def _hang_on(operation: object, database) -> None:
    with database.as_app() as connection:
        connection.execute("SELECT set_config('inventory.operation', %s, true)", [str(operation)])
        connection.execute("UPDATE location SET active = false")


def test_a_change_hung_on_an_old_operation_is_refused(database, trail):
    location()
    with pytest.raises(ForeignKeyViolation):
        _hang_on(trail.last().id, database)


def test_a_change_hung_on_a_made_up_operation_is_refused(database):
    with pytest.raises(ForeignKeyViolation):
        _hang_on(uuid4(), database)
    with pytest.raises(InvalidTextRepresentation):
        _hang_on("nobody", database)


def test_a_change_hung_on_an_operation_that_is_open_elsewhere_is_refused(database):
    identity = uuid4()
    with database.as_app() as running:
        running.execute(BEGIN_AS, [identity])
        with pytest.raises(ForeignKeyViolation):
            _hang_on(identity, database)
        running.execute("UPDATE location SET active = false")


def test_an_operation_id_is_used_once(database, trail):
    location()
    with database.as_app() as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(BEGIN_AS, [trail.last().id])


def test_a_stranger_cannot_begin_as_a_person_without_a_session(database):
    person("ann", "manager")
    with database.as_app() as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(BEGIN_AS.replace("'cli', 'cli:test'", "'user', 'ann'"), [uuid4()])
    assert refused.value.sqlstate == "AU001"


def test_a_refusal_cannot_claim_to_have_succeeded(database):
    with database.as_app() as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(
            "SELECT audit_refuse(%s, 'x', 'succeeded', NULL, 'cli', 'cli:x', NULL, NULL, NULL, NULL, NULL, NULL, 1)",
            [uuid4()],
        )
    assert refused.value.sqlstate == "AU005"


def test_a_second_operation_in_one_transaction_is_refused(database):
    with database.as_app() as connection:
        connection.execute(BEGIN_AS, [uuid4()])
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(BEGIN_AS, [uuid4()])
    assert refused.value.sqlstate == "AU005"


def test_an_unaudited_table_needs_no_operation(database, observer):
    bert = person("bert")
    with open_session() as session:
        session.execute(
            sa.text("INSERT INTO session_activity (session_id, seen_at) VALUES (:id, now())"), {"id": bert.session_id}
        )
        session.commit()
    assert observer.execute("SELECT session_id FROM session_activity").fetchall() == [(bert.session_id,)]


def test_partitions_are_made_ahead_and_once(database, observer):
    count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_change'::regclass"
    before = observer.execute(count).fetchone()[0]
    with database.as_app() as connection:
        connection.execute("SELECT audit_ensure_partitions(12)")
    assert observer.execute(count).fetchone()[0] == before == 13
    with database.as_app() as connection:
        connection.execute("SELECT audit_ensure_partitions(14)")
    assert observer.execute(count).fetchone()[0] == 15


def test_what_an_operation_changed_is_found_by_its_sqlstate(database):
    """The refusal is recognised by its code, never by its text."""
    with open_session() as session, pytest.raises(sa.exc.DBAPIError) as refused:
        session.execute(sa.text("UPDATE location SET active = false"))
    assert sqlstate(refused.value) == "AU000"
    arrange(lambda session: session.execute(sa.text("UPDATE location SET active = false")))
