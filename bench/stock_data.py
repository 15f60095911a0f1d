"""The data of a run: a catalogue of N products, and people with a live session each."""

import random
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from inventory_app import first_run, migrations
from inventory_app.context import acting_as, system_actor
from inventory_app.operations._operation import OPERATIONS, operation, operation_id
from inventory_app.operations.sessions import hash_token
from inventory_app.settings import get_settings
from inventory_app.unit_of_work import open_session, transact

PEOPLE = 64
#: So many of the products, or half of a smaller catalogue, are kept at a second location too: these are transferred.
#: Of the others every 20th is to be reordered, and every 40th is out of stock.
PAIRS = 2_000
_KINDS = ("Bolt", "Nut", "Washer", "Screw", "Bracket", "Hinge", "Rivet", "Spring", "Bearing", "Gasket", "Valve", "Hose")
_WHAT = ("steel", "brass", "nylon", "rubber", "copper", "zinc", "coated", "hardened", "sealed", "flexible", "slotted")
_WHERE = ("indoor", "outdoor", "marine", "food", "heavy", "light", "precision")


@dataclass(frozen=True)
class Data:
    """What load generators need to know of it."""

    tokens: list[str]
    #: The two items of one product, and where they are.
    pairs: list[tuple[int, int]]
    places: dict[int, int]
    products: int
    items: int


def load(products: int) -> Data:
    """Migrate, make the roles, and load everything in one operation of `system:bench`."""
    migrations.upgrade(get_settings())
    first_run.mirror_permissions()
    tokens = [secrets.token_urlsafe() for _ in range(PEOPLE)]
    with acting_as(system_actor("bench")):
        transact(_load, products=products, tokens=tokens)
    with open_session() as session:
        pairs = session.execute(sa.text(_PAIRS)).all()
        places = session.execute(sa.text("SELECT id, location_id FROM inventory_item")).all()
        engine = session.connection().engine
    # Nobody may be connected to what is copied.
    engine.dispose()
    return Data(
        tokens, [(one, other) for one, other in pairs], {row[0]: row[1] for row in places}, products, len(places)
    )


@operation(machine=True, name="bench.load")
def _load(session: Session, *, products: int, tokens: list[str]) -> None:
    """Fill the tables with one statement each; the triggers record every row."""
    session.execute(sa.text("SET LOCAL statement_timeout = '10min'"))
    choose = random.Random(20_261_123).choice  # noqa: S311  # the same catalogue every time
    names = [f"{choose(_KINDS)} {choose(_WHAT)} {choose(_WHERE)} {number:05}" for number in range(products)]
    run = {"operation": operation_id(session), "count": products, "pairs": min(PAIRS, products // 2)}
    for statement in _STOCK:
        session.execute(sa.text(statement), run | {"names": names})
    session.execute(sa.text(_PEOPLE), {"tokens": [hash_token(token) for token in tokens]})


OPERATIONS.pop("bench.load")

_PAIRS = "SELECT min(id), max(id) FROM inventory_item GROUP BY product_id HAVING count(*) = 2 ORDER BY product_id"
_STOCK = (
    "INSERT INTO location (code, name, sort_key, kind, active) VALUES ('SHOP', 'Shop floor', 'shop floor', 'storage', true)",
    "INSERT INTO product (sku, name, sort_key, search, description, unit_code, unit_cost, unit_price, currency,"
    "  reorder_point, reorder_quantity, active, version, created_at)"
    " SELECT 'BN-' || lpad(n::text, 6, '0'), name, lower(name), lower('BN-' || lpad(n::text, 6, '0') || ' ' || name),"
    "  '', 'pcs', 1 + n % 97, 2 + n % 131, 'USD', CASE WHEN n % 20 = 0 THEN 50 ELSE 10 END, 100, true, 1, now()"
    " FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS given(name, n)",
    # Item n is product n in the warehouse, item products + n the same in the shop: pgbench finds both by arithmetic.
    "INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)"
    " SELECT id, (SELECT id FROM location WHERE code = 'MAIN'),"
    "  CASE WHEN id <= :pairs OR id % 20 > 0 THEN 1000000 WHEN id % 40 > 0 THEN 30 ELSE 0 END,"
    "  CASE WHEN id > :pairs AND id % 40 = 0 THEN 0 ELSE 1 END, now(), 'system:bench' FROM product ORDER BY product.id",
    "INSERT INTO inventory_item (product_id, location_id, quantity, sequence, changed_at, changed_by)"
    " SELECT id, (SELECT id FROM location WHERE code = 'SHOP'), 1000000, 1, now(), 'system:bench'"
    " FROM product ORDER BY product.id LIMIT :pairs",
    "INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, reason_code, operation_id,"
    "  occurred_at, recorded_at)"
    " SELECT i.id, 1, 'receipt', i.quantity, p.unit_cost, i.quantity * p.unit_cost, 'opening', :operation, now(), now()"
    " FROM inventory_item i JOIN product p ON p.id = i.product_id WHERE i.quantity > 0",
)

#: Managers whose password nobody knows, each signed in once.
_PEOPLE = """
WITH given AS (SELECT token, n FROM unnest(CAST(:tokens AS text[])) WITH ORDINALITY AS t(token, n)),
person AS (
  INSERT INTO local_user (username, password_hash, enabled, must_change_password, enabled_at, created_at)
  SELECT 'bench' || n, '!', true, false, now(), now() FROM given RETURNING id, username),
info AS (
  INSERT INTO user_info (user_id, email, full_name, sort_key, version)
  SELECT id, username || '@example.com', username, username, 1 FROM person RETURNING id),
given_role AS (
  INSERT INTO user_role (user_id, role_id) SELECT info.id, role.id FROM info, role WHERE role.name = 'manager')
INSERT INTO auth_session (user_id, token_hash, created_at, expires_at, idle_minutes, client_ip, reauthenticated_at)
SELECT person.id, given.token, now(), now() + interval '1 day', 1440, '127.0.0.1', now()
FROM given JOIN person ON person.username = 'bench' || given.n
"""
