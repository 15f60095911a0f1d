"""Whatever way a row is written: recorded with who, before and after inside an operation, refused outside one."""

import hashlib

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from inventory_app.audit.tables import audited
from inventory_app.audit.triggers import table_triggers
from inventory_app.database.errors import sqlstate
from inventory_app.models.catalog import Location
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import LocalUser
from inventory_app.paths import APP_ROLE
from inventory_app.unit_of_work import open_session
from tests.audit.ways import DELETES, INSERTS, NEW, UPDATES, Write, driver
from tests.factories import arrange, begin_as, location, password_hash, person, supplier

UNATTRIBUTED = "AU000"


def every(ways):
    return pytest.mark.parametrize("write", ways.values(), ids=ways.keys())


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def refused_outside(write: Write) -> str | None:
    """Write without an operation; returns the SQLSTATE it is refused with."""
    with open_session() as session:
        try:
            write(session)
            session.commit()
        except DBAPIError as error:
            return sqlstate(error)
        except psycopg.Error as error:
            return error.sqlstate
    return None


@every(INSERTS)
def test_an_insert_is_recorded_with_the_whole_row(database, trail, write):
    arrange(write)
    (change,) = trail.changes()
    assert (change.table, change.kind, change.before) == ("location", "insert", None)
    assert change.after == {**NEW, "id": int(change.pk), "active": True, "version": 1}


@every(UPDATES)
def test_an_update_is_recorded_with_what_it_was_and_the_whole_row(database, trail, write):
    main = location("SHELF")
    arrange(write)
    (change,) = trail.changes()
    assert (change.table, change.kind, change.pk) == ("location", "update", str(main.id))
    assert change.before == {"active": True}
    assert change.after == main.model_dump() | {"active": False}


@every(DELETES)
def test_a_deleted_link_is_recorded_with_what_it_was(database, trail, write):
    first, second = person("bert", "employee"), person("carl", "employee")
    arrange(write)
    changes = trail.changes()
    assert {(c.table, c.kind, c.after) for c in changes} == {("user_role", "delete", None)}
    assert len(changes) == len({first, second})
    for change in changes:
        assert change.pk == f"[{change.before['user_id']}, {change.before['role_id']}]"


@every(
    {
        f"{kind}: {name}": way
        for kind, ways in (("insert", INSERTS), ("update", UPDATES), ("delete", DELETES))
        for name, way in ways.items()
    }
)
def test_it_is_refused_outside_an_operation(database, observer, write: Write):
    location("SHELF")
    person("bert", "employee")
    rows = "SELECT (SELECT array_agg(l ORDER BY id) FROM location l), (SELECT array_agg(u) FROM user_role u)"
    before = observer.execute(rows).fetchone()
    assert refused_outside(write) == UNATTRIBUTED
    assert observer.execute(rows).fetchone() == before


@every(INSERTS)
def test_it_is_refused_after_an_operation_on_the_same_pooled_connection(database, observer, write: Write):
    backends = [arrange(lambda session: driver(session).info.backend_pid)]
    left_behind: list[str] = []

    def look_and_write(session: Session) -> None:
        backends.append(driver(session).info.backend_pid)
        left_behind.append(session.scalar(sa.text("SELECT current_setting('inventory.operation', true)")))
        write(session)

    assert refused_outside(look_and_write) == UNATTRIBUTED
    assert backends[0] == backends[1]
    assert left_behind == [""]


def test_a_cascade_is_recorded_and_outside_an_operation_refused(database, trail):
    with database.as_owner() as owner:
        _make_family(owner)
    assert refused_outside(lambda session: session.execute(sa.text("DELETE FROM parent"))) == UNATTRIBUTED
    arrange(lambda session: session.execute(sa.text("DELETE FROM parent")))
    assert sorted(((c.table, c.kind, c.before) for c in trail.changes()), key=str) == [
        ("child", "delete", {"name": "Ivy", "parent_id": 1}),
        ("child", "delete", {"name": "Jan", "parent_id": 1}),
        ("parent", "delete", {"id": 1}),
    ]


def _make_family(owner: psycopg.Connection) -> None:
    """Two audited tables of which one follows the other by ON DELETE CASCADE: the application has none."""
    owner.execute("CREATE TABLE parent (id int PRIMARY KEY)")
    owner.execute(
        "CREATE TABLE child (parent_id int REFERENCES parent ON DELETE CASCADE, name text,"
        " PRIMARY KEY (parent_id, name))"
    )
    owner.execute("INSERT INTO parent VALUES (1)")
    owner.execute("INSERT INTO child VALUES (1, 'Ivy'), (1, 'Jan')")
    owner.execute(f"GRANT DELETE ON parent TO {APP_ROLE}")
    for name, keys in (("parent", ["id"]), ("child", ["parent_id", "name"])):
        columns = [sa.Column(key, sa.Text, primary_key=True) for key in keys]
        for statement in table_triggers(sa.Table(name, sa.MetaData(), *columns, info=audited())):
            owner.execute(statement)


@pytest.mark.parametrize("role", ["as_owner", "as_superuser"])
def test_triggers_fire_even_for_a_replica_role_and_the_owner(database, trail, role):
    main = location("SHELF")
    with getattr(database, role)() as connection:
        if role == "as_superuser":
            connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("UPDATE location SET active = false WHERE code = 'SHELF'")
    assert refused.value.sqlstate == UNATTRIBUTED
    with getattr(database, role)() as connection:
        if role == "as_superuser":
            connection.execute("SET session_replication_role = replica")
        begin_as(connection, "cli:root")
        connection.execute("UPDATE location SET active = false WHERE id = %s", [main.id])
    assert [(c.pk, c.before) for c in trail.changes(trail.last(actor_name="cli:root").id)] == [
        (str(main.id), {"active": True})
    ]


def test_many_rows_in_one_statement_are_recorded_one_by_one(database, trail):
    arrange(lambda session: session.execute(sa.insert(Location), [{"code": f"L{n}", "name": "x"} for n in range(250)]))
    changes = trail.changes()
    assert [c.after["code"] for c in changes] == [f"L{n}" for n in range(250)]
    assert [c.id for c in changes] == sorted({c.id for c in changes})


def test_a_change_of_nothing_writes_nothing(database, trail):
    location("SHELF")
    arrange(lambda session: session.execute(sa.text("UPDATE location SET active = active, name = name || ''")))
    assert trail.changes() == []


def test_a_change_taken_back_to_a_savepoint_is_not_recorded(database, trail):
    def build(session: Session) -> None:
        taken_back = session.begin_nested()
        session.execute(sa.text("UPDATE location SET active = false WHERE code = 'SHELF'"))
        taken_back.rollback()
        session.execute(sa.text("UPDATE location SET kind = 'loss' WHERE code = 'SHELF'"))

    location("SHELF")
    arrange(build)
    assert [c.before for c in trail.changes()] == [{"kind": "storage"}]


def test_a_change_that_is_rolled_back_leaves_no_record(database, trail):
    def build(session: Session) -> None:
        session.execute(sa.text("UPDATE location SET active = false WHERE code = 'SHELF'"))
        raise RuntimeError

    location("SHELF")
    changes_before = trail.changes("*")
    with pytest.raises(RuntimeError):
        arrange(build)
    assert trail.changes("*") == changes_before
    assert trail.last().outcome == "failed"


def test_a_change_of_the_password_alone_is_seen_but_no_hash_of_it_is_told(database, observer, trail):
    bert = person("bert")
    arrange(
        lambda session: session.execute(
            sa.update(LocalUser).where(col(LocalUser.id) == bert.id).values(password_hash="$argon2id$new")
        )
    )
    (change,) = trail.changes()
    assert change.before == {"password_hash": f"sha256:{sha256(password_hash())}"}
    assert change.after["password_hash"] == f"sha256:{sha256('$argon2id$new')}"
    for table in ("audit_change", "audit_personal", "audit_operation"):
        everything = str(observer.execute(f"SELECT array_agg(t::text) FROM {table} t").fetchone())
        assert "argon2id" not in everything
        assert password_hash() not in everything


def test_the_token_of_a_session_appears_only_as_a_hash_of_what_is_stored(database, trail):
    bert = person("bert")
    (change,) = trail.changes(table="auth_session")
    assert change.after["token_hash"] == f"sha256:{sha256(bert.token_hash)}"


def test_personal_data_appears_as_a_salted_hash_and_its_value_verifies_against_it(database, trail):
    acme = supplier("Acme", email="zoë@example.com", phone="030 1234")
    (change,) = trail.changes(table="supplier")
    personal = trail.personal(change.id)
    assert personal.keys() == {"email", "phone"}
    assert (personal["email"].before, personal["email"].after) == (None, "zoë@example.com")
    assert change.after["email"] == f"salted:{sha256(personal['email'].salt + 'zoë@example.com')}"
    assert change.after["phone"] == f"salted:{sha256(personal['phone'].salt + '030 1234')}"
    assert personal["email"].salt != personal["phone"].salt

    def build(session: Session) -> None:
        session.exec(select(Supplier).where(Supplier.id == acme.id)).one().email = "new@example.com"

    arrange(build)
    (change,) = trail.changes()
    email = trail.personal(change.id)["email"]
    assert (email.before, email.after) == ("zoë@example.com", "new@example.com")
    assert change.before == {"email": f"salted:{sha256(email.salt + 'zoë@example.com')}"}
    assert change.after["email"] == f"salted:{sha256(email.salt + 'new@example.com')}"
    assert "example.com" not in str(trail.changes("*"))


def test_the_record_says_who_from_where_and_why(database, trail, ann):
    from inventory_app.context import acting_as
    from inventory_app.operations import users
    from inventory_app.unit_of_work import transact

    boss = person("boss", "admin", client_ip="198.51.100.4")
    with acting_as(boss):
        transact(users.deactivate_user, user_id=ann.id)
    found = trail.last()
    assert (found.name, found.outcome, found.format, found.attempts) == ("users.deactivate_user", "succeeded", 1, 1)
    assert (found.actor_kind, found.actor_id, found.actor_name) == ("user", boss.id, "boss")
    assert (found.auth_session_id, found.client_ip) == (boss.session_id, "198.51.100.4")
    assert (found.user_agent, found.request_id) == ("pytest", boss.request_id)
    assert found.incarnation == 1
    tables = [(c.table, c.kind) for c in trail.changes()]
    assert tables == [("local_user", "update"), ("user_info", "update"), ("auth_session", "update")]


THREE = (
    "INSERT INTO location (code, name, sort_key, kind, active, version)"
    " SELECT code, code, lower(code), 'storage', true, 1"
    " FROM unnest(%s::text[]) WITH ORDINALITY AS l(code, n) ORDER BY n"
)


def test_all_rows_of_a_statement_are_recorded_in_their_order(database, trail, observer):
    codes = ["C3", "A1", "B2"]
    arrange(lambda session: driver(session).execute(THREE, [codes]))
    changes = trail.changes()
    assert [(c.table, c.kind, c.before, c.after["code"]) for c in changes] == [
        ("location", "insert", None, code) for code in codes
    ]
    kept = observer.execute(
        "SELECT id::text, to_jsonb(l) FROM location l WHERE code = ANY (%s) ORDER BY id", [codes]
    ).fetchall()
    assert [(c.pk, c.after) for c in changes] == kept


def test_a_statement_that_inserts_nothing_needs_no_operation(database, observer):
    assert refused_outside(lambda session: driver(session).execute(THREE, [[]])) is None
    assert refused_outside(lambda session: driver(session).execute(THREE, [["A1"]])) == UNATTRIBUTED
    assert observer.execute("SELECT count(*) FROM location WHERE code = 'A1'").fetchone() == (0,)


def test_what_a_replica_inserts_is_recorded_once_and_outside_an_operation_refused(database, trail):
    with database.as_superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(THREE, [["A1", "B2"]])
    assert refused.value.sqlstate == UNATTRIBUTED
    with database.as_superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        begin_as(connection, "cli:root")
        connection.execute(THREE, [["A1", "B2"]])
    assert [(c.kind, c.after["code"]) for c in trail.changes(trail.last(actor_name="cli:root").id)] == [
        ("insert", "A1"),
        ("insert", "B2"),
    ]


def test_one_statement_that_inserts_and_updates_records_both(database, trail):
    location("SHELF")
    both = f"{THREE} ON CONFLICT (lower(code)) DO UPDATE SET name = 'Known'"
    arrange(lambda session: driver(session).execute(both, [["SHELF", "NEW"]]))
    assert sorted((c.kind, c.after["code"], c.after["name"]) for c in trail.changes()) == [
        ("insert", "NEW", "NEW"),
        ("update", "SHELF", "Known"),
    ]


def test_a_link_that_is_inserted_is_recorded_by_both_its_keys(database, trail):
    bert = person("bert")
    arrange(
        lambda session: session.execute(
            sa.text(
                "INSERT INTO user_role (user_id, role_id) SELECT i.id, r.id"
                " FROM user_info i, (SELECT id FROM role ORDER BY id LIMIT 2) r WHERE i.user_id = :id"
            ),
            {"id": bert.id},
        )
    )
    changes = [c for c in trail.changes() if c.table == "user_role"]
    assert [c.kind for c in changes] == ["insert", "insert"]
    assert [c.pk for c in changes] == [f"[{c.after['user_id']}, {c.after['role_id']}]" for c in changes]
