"""What all tables share: sort keys, constraint sentences, locks in one order."""

from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col, select

from inventory_app.database.errors import app_error, refused_name, sqlstate
from inventory_app.database.locks import lock
from inventory_app.errors import Conflict, Invalid
from inventory_app.models._base import now, sort_key
from inventory_app.models.catalog import Location, Product
from inventory_app.models.stock import InventoryItem, MovementKind
from inventory_app.models.suppliers import SupplierStatus
from inventory_app.unit_of_work import open_session
from tests.factories import arrange, begin_as, item, location, product


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Ångström", "angstrom"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("  Zoë ", "zoe"),
        ("Gustaf's Knäckebröd", "gustaf's knackebrod"),
    ],
)
def test_text_sorts_without_case_and_accents(text, key):
    assert sort_key(text) == key


@given(st.text())
def test_a_sort_key_is_its_own_sort_key(text):
    assert sort_key(sort_key(text)) == sort_key(text)


def test_a_sort_key_is_stored_by_every_kind_of_insert(database):
    def build(session: Session) -> list[str | None]:
        session.add(Location(code="A", name="Ärzte"))
        session.flush()
        session.execute(sa.insert(Location), [{"code": "B", "name": "Émile"}, {"code": "C", "name": "Øre"}])
        return list(
            session.exec(select(Location.sort_key).where(col(Location.code).in_(list("ABC"))).order_by(Location.code))
        )

    assert arrange(build) == ["arzte", "emile", "øre"]


def test_times_are_aware_of_their_zone(database):
    assert now().utcoffset().total_seconds() == 0
    made = product().created_at
    assert made.utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("UPDATE product SET unit_price = -1", "unit_price"),
        ("UPDATE product SET unit_cost = -1", "unit_cost"),
        ("UPDATE product SET reorder_point = -1", "reorder_point"),
        ("INSERT INTO location (code, name, sort_key, kind, active) VALUES ('shelf', '', '', 'storage', true)", "code"),
    ],
)
def test_a_constraint_refuses_in_the_trades_words(database, statement, field):
    product()
    location()
    with pytest.raises(Conflict) as refused:
        arrange(lambda session: session.execute(sa.text(statement)))
    assert list(refused.value.fields) == [field]
    assert refused.value.fields[field] == str(refused.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_item SET quantity = -0.001",
        "UPDATE product SET sku = 'lower'",
        "UPDATE product SET sku = ''",
        "UPDATE location SET kind = 'cellar'",
        "UPDATE unit SET decimals = 4",
        (
            "INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)"
            " SELECT product_id, location_id, 0, 0, now(), '' FROM inventory_item"
        ),
        (
            "INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id)"
            " SELECT id, 9, 'issue', 0, 0, 0, current_setting('inventory.operation')::uuid FROM inventory_item"
        ),
        (
            "INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id)"
            " SELECT id, 1, 'issue', 1, 0, 0, current_setting('inventory.operation')::uuid FROM inventory_item"
        ),
    ],
)
def test_the_database_refuses_what_cannot_be(database, statement):
    item(quantity=1)
    with pytest.raises(Conflict):
        arrange(lambda session: session.execute(sa.text(statement)))


def test_a_number_that_is_too_large_is_said(database):
    place = item(quantity=1)
    with pytest.raises(Invalid, match="too large"):
        arrange(lambda s: setattr(s.get_one(InventoryItem, place.id), "quantity", Decimal(10**12)))


def test_every_sentence_of_a_constraint_names_a_column_of_its_table():
    for table in SQLModel.metadata.sorted_tables:
        for rule in (*table.constraints, *table.indexes):
            if "conflict" in rule.info:
                field, sentence = rule.info["conflict"]
                assert field in table.columns or field in ("file", "form"), rule.name
                assert sentence.endswith("."), rule.name
                assert rule.name


def test_an_unexpected_error_is_named_without_its_values(database):
    with open_session() as session, pytest.raises(DBAPIError) as raised:
        session.execute(sa.text("SELECT CAST(:secret AS int)").bindparams(secret="hunter2"))
    assert app_error(raised.value) is None
    assert refused_name(raised.value) == f"{type(raised.value).__name__}({sqlstate(raised.value)})"
    assert "hunter2" not in refused_name(raised.value)


def test_rows_are_locked_in_the_order_of_their_ids_and_read_afresh(database, observer):
    first, second = location("FIRST"), location("SECOND")

    def build(session: Session) -> dict[int, Location]:
        stale = session.get_one(Location, second.id)
        assert stale.active
        with database.as_owner() as other:
            begin_as(other)
            other.execute("UPDATE location SET active = false WHERE code = 'SECOND'")
        locked = lock(session, Location, [second.id, 4711, first.id, second.id])
        assert list(locked) == [first.id, second.id]
        assert locked[second.id] is stale
        assert not stale.active
        held = observer.execute(
            "SELECT mode FROM pg_locks WHERE relation = 'location'::regclass AND mode = 'RowShareLock'"
        )
        assert held.fetchall() == [("RowShareLock",)]
        assert lock(session, Location, []) == {}
        return {}

    arrange(build)


def test_every_kind_and_status_is_one_the_database_takes(observer):
    for constraint, values in (
        ("ck_stock_movement_kind", MovementKind),
        ("ck_supplier_status", SupplierStatus),
    ):
        (text,) = observer.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint]
        ).fetchone()
        assert all(f"'{value}'" in text for value in values)


def test_money_and_quantities_are_exact(database):
    row = product("EXACT", unit_price=Decimal("0.1001"), reorder_point=Decimal("2.125"))
    assert (row.unit_price, row.reorder_point) == (Decimal("0.1001"), Decimal("2.125"))
    assert isinstance(row.unit_price, Decimal)
    table: sa.Table = Product.__table__
    assert not [c.name for c in table.columns if isinstance(c.type, sa.Float)]


STALE = {
    "update": lambda session: session.execute(sa.update(Product).values(name="Äpfel")),
    "update of the table": lambda session: session.execute(sa.update(Product.__table__).values({"name": "Äpfel"})),
    "ordered update": lambda session: session.execute(sa.update(Product).ordered_values((Product.name, "Äpfel"))),
    "update by keys": lambda session: session.execute(sa.update(Product), [{"id": 1, "name": "Äpfel"}]),
    "update with parameters": lambda session: session.connection().execute(
        sa.update(Product.__table__), {"name": "Äpfel"}
    ),
    "upsert": lambda session: session.execute(
        insert(Product)
        .values(sku="WIDGET", name="Äpfel", currency="USD", search="x")
        .on_conflict_do_update(index_elements=[sa.text("lower(sku)")], set_={"name": "Äpfel"})
    ),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE.keys())
def test_a_bulk_statement_that_would_leave_the_sort_key_behind_is_refused(database, change):
    product("WIDGET")
    with pytest.raises(ValueError, match="changes name without sort_key"):
        arrange(change)
    with open_session() as session:
        assert session.scalars(sa.select(Product.name)).all() == ["Widget"]


def test_a_bulk_statement_may_set_both_or_neither_and_an_object_refreshes_its_own(database):
    made = product("WIDGET")
    arrange(lambda s: s.execute(sa.update(Product).values(name="Äpfel", sort_key="apfel")))
    arrange(lambda s: s.execute(sa.update(Product).values(active=False)))
    arrange(lambda s: setattr(s.get_one(Product, made.id), "name", "Ödön"))
    with open_session() as session:
        assert session.execute(sa.select(Product.name, Product.sort_key)).all() == [("Ödön", "odon")]
