"""What the staged rows of a file mean here, found out by statements over all rows at once.

Each kind has the columns its rows are read as, the statement that finds what they name in the database, the faults,
and the changes they lead to: one row of `import_change` per record, with the values that differ and what they were.
Records to be made get their number now, so that rows can name each other's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from inventory_app.operations._import_fields import FIELDS, Kind

_LARGEST_VALUE = 9_999_999_999


@dataclass(frozen=True, slots=True)
class Plan:
    """The statements of one kind: `columns` types what was read, `found` looks it up, then faults and changes."""

    columns: str
    found: str
    faults: str
    changes: tuple[str, ...]
    #: What changes share, by name.
    also: tuple[tuple[str, str], ...] = ()


# Statements take %(run)s, %(currency)s, %(update)s (whether what exists may be changed), %(prices)s (whether this
# person may change prices), %(sees)s (or see costs), %(limit)s (by how many percent without agreement), %(main)s (code of
# the main location) and %(names)s (our field -> the file's column).

_STAGE = """
SELECT r.row, d.* FROM import_row r CROSS JOIN LATERAL jsonb_to_record(r.data) AS d({columns}) WHERE r.run_id = %(run)s
"""
_FAULTS = """
INSERT INTO import_fault (run_id, row, field, sentence)
SELECT %(run)s, f.row, coalesce(%(names)s::jsonb ->> f.field, f.field), f.sentence FROM ({faults}) f
 WHERE f.sentence IS NOT NULL ORDER BY f.row
"""
#: A difference is a value that the file gives and that is not what is there.
_CHANGES = """
INSERT INTO import_change (run_id, target, target_id, row, state, wanted, before)
SELECT %(run)s, '{target}', w.id, w.row,
       CASE WHEN w.here IS NULL THEN 'new' WHEN d.wanted IS NULL THEN 'same' ELSE 'changed' END,
       CASE WHEN w.here IS NULL THEN w.wanted ELSE coalesce(d.wanted, '{{}}') END, coalesce(d.before, '{{}}')
  FROM ({wanted}) w
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(e.key, e.value) AS wanted, jsonb_object_agg(e.key, w.here -> e.key) AS before
      FROM jsonb_each(w.wanted) e
     WHERE w.here IS NOT NULL AND NOT w.here @> w.wanted AND w.here -> e.key IS DISTINCT FROM e.value
  ) d ON true
ON CONFLICT DO NOTHING
"""


# Everything that can be wrong with a row, between these two: pairs of the field and its sentence, or nothing. An array is
# worked out in half the time of VALUES, which are prepared anew for every row.
_EACH = "SELECT f.row, v.said[n][1], v.said[n][2] FROM found f CROSS JOIN LATERAL (SELECT ARRAY["
_SAID = "] AS said OFFSET 0) v CROSS JOIN LATERAL generate_subscripts(v.said, 1) n"


def _twice(field: str, key: str, said: str) -> str:
    return (
        f"SELECT row, '{field}' AS field, said || ' is already in row ' || first || '.' AS sentence FROM ("  # ours
        f"SELECT row, {said} AS said, min(row) OVER (PARTITION BY {key}) AS first FROM found WHERE {key} IS NOT NULL) t "
        "WHERE row > first"
    )


# The finest a unit is counted.
def _fits(field: str) -> str:
    return (
        f"['{field}', CASE WHEN f.{field} <> round(f.{field}, f.decimals) THEN f.unit || ' are counted with ' || "
        "CASE f.decimals WHEN 0 THEN 'whole numbers only' ELSE 'at most ' || f.decimals || ' decimals' END || '.' END]"
    )


_SUPPLIER_TEXTS = tuple(FIELDS["suppliers"])

_SUPPLIERS = Plan(
    columns=", ".join(f"{name} text" for name in (*_SUPPLIER_TEXTS, "_name")),
    found="""
SELECT s.*, byname.id AS here_id, bynumber.id AS number_id, bynumber.name AS number_name
  FROM staged s
  LEFT JOIN supplier byname ON lower(byname.name) = lower(s.name)
  LEFT JOIN LATERAL (SELECT id, name FROM supplier WHERE external_id = s.external_id ORDER BY id LIMIT 1) bynumber ON true
""",
    faults=f"""
{_twice("name", "lower(name)", "name")} UNION ALL {_twice("external_id", "external_id", "external_id")} UNION ALL
{_EACH}
  ['name', CASE WHEN f.here_id IS NOT NULL AND NOT %(update)s THEN 'A supplier named ' || f.name || ' exists already.' END],
  ['external_id', CASE WHEN f.number_id IS DISTINCT FROM f.here_id AND f.number_id IS NOT NULL
     THEN 'The number ' || f.external_id || ' belongs to ' || f.number_name || '.' END]{_SAID}
""",
    changes=(
        _CHANGES.format(
            target="supplier",
            wanted=f"""
SELECT f.row, coalesce(f.here_id, nextval('supplier_id_seq')) AS id, to_jsonb(s) AS here,
       jsonb_strip_nulls(jsonb_build_object({", ".join(f"'{name}', f.{name}" for name in _SUPPLIER_TEXTS)}, 'sort_key', f._name))
  || CASE WHEN s.id IS NULL THEN jsonb_build_object('status', 'pending', 'source', 'import', 'submitted_at', now(),
       'entered_by', %(user)s::bigint, 'version', 1) ELSE '{{}}' END AS wanted
  FROM found f LEFT JOIN supplier s ON s.id = f.here_id WHERE f.name IS NOT NULL
""",
        ),
    ),
)


def _tree(table: str, word: str, extra: str, more: str, new: str) -> Plan:
    """Return the plan of categories or locations: known by their code, part of each other."""
    return Plan(
        columns="code text, name text, _name text, parent text, active boolean" + extra,
        found=f"""
SELECT s.*, here.id AS here_id, coalesce(here.id, nextval('{table}_id_seq')) AS id, parent.id AS parent_here
  FROM staged s LEFT JOIN {table} here ON lower(here.code) = lower(s.code)
  LEFT JOIN {table} parent ON lower(parent.code) = lower(s.parent)
""",
        faults=f"""
{_twice("code", "lower(code)", "code")} UNION ALL
SELECT f.row, 'parent', CASE WHEN lower(f.parent) = lower(f.code) THEN 'It cannot be part of itself.'
       ELSE 'There is no {word} with the code ' || f.parent || ', and none in this file.' END
  FROM found f WHERE f.parent IS NOT NULL AND (lower(f.parent) = lower(f.code) OR f.parent_here IS NULL
   AND NOT EXISTS (SELECT FROM found o WHERE lower(o.code) = lower(f.parent))) UNION ALL
SELECT f.row, 'code', 'The {word} ' || f.code || ' exists already and is called ' || h.name || '.'
  FROM found f JOIN {table} h ON h.id = f.here_id
 WHERE NOT %(update)s AND h.name <> f.name AND h.name <> 'Category ' || h.code UNION ALL
SELECT DISTINCT w.row, 'parent', 'It would be part of itself, by way of others.' FROM (
  WITH RECURSIVE up AS (
    SELECT f.row, f.id AS start, coalesce(p.id, f.parent_here) AS at, 1 AS steps
      FROM found f LEFT JOIN found p ON lower(p.code) = lower(f.parent) WHERE f.parent IS NOT NULL
    UNION ALL
    SELECT u.row, u.start, coalesce(p.id, n.parent_here, t.parent_id), u.steps + 1
      FROM up u LEFT JOIN found n ON n.id = u.at LEFT JOIN found p ON lower(p.code) = lower(n.parent)
      LEFT JOIN {table} t ON t.id = u.at AND n.parent IS NULL
     WHERE u.at IS NOT NULL AND u.at <> u.start AND u.steps < 50)
  SELECT row FROM up WHERE at = start AND steps > 1) w
""",
        changes=(
            _CHANGES.format(
                target=table,
                wanted=f"""
SELECT f.row, f.id, to_jsonb(h) AS here,
       jsonb_strip_nulls(jsonb_build_object('name', f.name, 'sort_key', f._name, 'active', f.active,
         'parent_id', coalesce((SELECT min(o.id) FROM found o WHERE lower(o.code) = lower(f.parent)), f.parent_here){more}))
  || CASE WHEN h.id IS NULL THEN jsonb_build_object('code', f.code, 'active', coalesce(f.active, true), 'version', 1{new})
       ELSE '{{}}' END AS wanted
  FROM found f LEFT JOIN {table} h ON h.id = f.here_id
 WHERE f.code IS NOT NULL AND f.name IS NOT NULL
""",
            ),
        ),
    )


_CATEGORIES = _tree("category", "category", "", "", "")
_LOCATIONS = _tree("location", "location", ", kind text", ", 'kind', f.kind", ", 'kind', coalesce(f.kind, 'storage')")

_PRODUCT_COLUMNS = (
    "sku text, _sku text, name text, _name text, description text, category text, supplier_number text, "
    "supplier_name text, unit text, barcode text, _barcode text, unit_cost numeric, unit_price numeric, currency text, "
    "quantity numeric, location text, reorder_point numeric, reorder_quantity numeric, active boolean, "
    "supplier_sku text, supplier_cost numeric, pack_size numeric, purchase_unit text, minimum_quantity numeric, "
    "lead_time_days integer"
)
_PRODUCTS = Plan(
    columns=_PRODUCT_COLUMNS,
    found="""
WITH numbers AS (
  SELECT external_id, min(id) AS id, count(*) AS many FROM supplier WHERE external_id IS NOT NULL GROUP BY external_id
), names AS (
  SELECT lower(name) AS folded, min(id) AS id, count(*) AS many FROM category GROUP BY lower(name)
), main AS (
  SELECT coalesce((SELECT id FROM location WHERE code = %(main)s), nextval('location_id_seq')) AS id
), fresh AS (
  SELECT folded, nextval('category_id_seq') AS id FROM (
    SELECT DISTINCT lower(s.category) AS folded FROM staged s WHERE s.category IS NOT NULL
       AND NOT EXISTS (SELECT FROM category c WHERE lower(c.code) = lower(s.category) OR lower(c.name) = lower(s.category))) n
)
SELECT s.row, s.sku, s._sku, s.name, s._name, s.description, s.category, s.supplier_number, s.supplier_name, s.barcode,
       s._barcode, s.unit_cost, s.unit_price, s.currency, s.quantity, s.location, s.reorder_point, s.reorder_quantity,
       coalesce(s.active, CASE WHEN NOT p.active AND EXISTS (
         SELECT FROM import_change c JOIN import_run u ON u.id = c.run_id AND u.status = 'undone'
          WHERE c.target = 'product' AND c.target_id = p.id AND c.state = 'new') THEN true END) AS active,
       s.supplier_sku, s.supplier_cost, s.pack_size, s.purchase_unit, s.minimum_quantity, s.lead_time_days,
       p.id AS here_id, coalesce(p.id, nextval('product_id_seq')) AS id,
       coalesce(lower(s.unit), p.unit_code, 'pcs') AS unit, u.decimals,
       coalesce(bycode.id, byname.id, fresh.id) AS category_id, fresh.id AS fresh_category,
       CASE WHEN bycode.id IS NULL THEN byname.many END AS categories,
       coalesce(number.id, sup.id) AS supplier_id, coalesce(number.many, 0) AS numbers, sup.id AS named_supplier,
       coalesce(loc.id, lname.id, main.id) AS location_id, coalesce(loc.id, lname.id) AS named_location,
       p.unit_price AS price_here, p.unit_cost AS cost_here, p.unit_code AS unit_here,
       holder.sku AS barcode_of, EXISTS (SELECT FROM inventory_item i WHERE i.product_id = p.id AND i.sequence > 0) AS moved
  FROM staged s
 CROSS JOIN main
  LEFT JOIN product p ON p.sku = s.sku
  LEFT JOIN unit u ON u.code = coalesce(lower(s.unit), p.unit_code, 'pcs')
  LEFT JOIN category bycode ON lower(bycode.code) = lower(s.category)
  LEFT JOIN names byname ON byname.folded = lower(s.category)
  LEFT JOIN fresh ON fresh.folded = lower(s.category)
  LEFT JOIN numbers number ON number.external_id = s.supplier_number
  LEFT JOIN supplier sup ON lower(sup.name) = lower(s.supplier_name)
  LEFT JOIN location loc ON lower(loc.code) = lower(s.location)
  LEFT JOIN LATERAL (SELECT id FROM location WHERE lower(name) = lower(s.location) ORDER BY id LIMIT 1) lname
         ON s.location IS NOT NULL AND loc.id IS NULL
  LEFT JOIN product holder ON holder.barcode = s.barcode AND holder.sku <> s.sku
""",
    faults=f"""
{_twice("sku", "sku", "sku")} UNION ALL {_twice("barcode", "barcode", "barcode")} UNION ALL
{_EACH}
  ['sku', CASE WHEN f.here_id IS NOT NULL AND NOT %(update)s THEN f.sku || ' is in use already. SKUs are never used twice.' END],
  ['unit', CASE WHEN f.decimals IS NULL THEN f.unit || ' is no unit here. Use one of '
     || (SELECT string_agg(code, ', ' ORDER BY code) FROM unit) || '.'
     WHEN f.moved AND f.unit <> f.unit_here THEN f.sku || ' is counted in ' || f.unit_here
     || ' and has movements: its unit cannot change.' END],
  {_fits("quantity")}, {_fits("reorder_point")}, {_fits("reorder_quantity")},
  ['barcode', CASE WHEN f.barcode_of IS NOT NULL THEN f.barcode_of || ' has this barcode.' END],
  ['category', CASE WHEN f.categories > 1 THEN f.categories || ' categories are called ' || f.category
     || '. Use the code of one of them.' END],
  ['supplier_number', CASE WHEN f.supplier_number IS NULL THEN NULL WHEN f.numbers = 0 THEN 'There is no supplier with the number '
     || f.supplier_number || '. Import the suppliers first.' WHEN f.numbers > 1 THEN f.numbers || ' suppliers have the number '
     || f.supplier_number || '.' END],
  ['supplier_name', CASE WHEN f.supplier_name IS NOT NULL AND f.named_supplier IS NULL THEN 'There is no supplier named '
     || f.supplier_name || '. Import or enter it first.' END],
  ['location', CASE WHEN f.location IS NOT NULL AND f.named_location IS NULL THEN 'There is no location ' || f.location
     || '. Import or add it first.'
     WHEN f.here_id IS NULL AND (SELECT kind <> 'storage' FROM location WHERE id = f.location_id)
     THEN f.location || ' is no place where stock is kept.' END],
  ['currency', CASE WHEN f.currency <> %(currency)s THEN 'Prices here are in ' || %(currency)s || ', not in ' || f.currency || '.' END],
  ['unit_price', CASE WHEN f.unit_price <> f.price_here AND NOT %(prices)s
     THEN 'The price here is another, and you may not change prices. Leave the column out.'
     WHEN %(limit)s > 0 AND f.price_here > 0 AND abs(f.unit_price - f.price_here) * 100 > f.price_here * %(limit)s
     THEN 'This changes the price by more than ' || trim_scale(%(limit)s) || ' %%, which needs somebody else''s agreement: '
       || 'propose it under Prices.' END],
  ['unit_cost', CASE WHEN f.unit_cost <> f.cost_here
     THEN 'The cost of a product follows from its receipts and is not changed by a file.' END],
  ['quantity', CASE WHEN f.quantity * coalesce(f.unit_cost, f.unit_price, 0) > {_LARGEST_VALUE}
     THEN 'This much stock at this price is too large a value.'
     WHEN f.here_id IS NOT NULL AND f.quantity <> coalesce((SELECT i.quantity FROM inventory_item i
       WHERE i.product_id = f.here_id AND i.location_id = f.location_id AND i.lot_id IS NULL), 0)
     THEN 'It is in stock already: count it with a file of stock.' END],
  ['supplier_cost', CASE WHEN f.supplier_cost IS NULL AND coalesce(f.supplier_sku, f.purchase_unit, f.pack_size::text,
       f.minimum_quantity::text, f.lead_time_days::text) IS NOT NULL AND f.supplier_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM supplier_product t WHERE t.product_id = f.here_id AND t.supplier_id = f.supplier_id)
     THEN 'Enter what the supplier asks for it: its terms are new.'
     WHEN f.supplier_id IS NULL AND coalesce(f.supplier_sku, f.supplier_cost::text) IS NOT NULL
     THEN 'Say whose terms these are: the row names no supplier.' END],
  ['pack_size', CASE WHEN f.pack_size = 0 THEN 'Enter more than 0.' END]{_SAID}
UNION ALL
SELECT (SELECT min(row) FROM found), 'location', l.name || ' is closed, and imported stock is put there. Open it first.'
  FROM location l WHERE NOT l.active AND l.id IN (SELECT location_id FROM found WHERE here_id IS NULL)
""",
    changes=(
        _CHANGES.format(
            target="location",
            wanted="""
SELECT f.row, f.location_id AS id, NULL::jsonb AS here, jsonb_build_object('code', %(main)s::text, 'name', %(main_name)s::text,
       'sort_key', lower(%(main_name)s::text), 'kind', 'storage', 'active', true, 'version', 1) AS wanted
  FROM (SELECT min(row) AS row, location_id FROM found WHERE here_id IS NULL GROUP BY location_id) f
 WHERE NOT EXISTS (SELECT FROM location WHERE id = f.location_id)
""",
        ),
        _CHANGES.format(
            target="category",
            wanted="""
SELECT f.row, f.id, NULL::jsonb AS here, jsonb_build_object('code', f.code, 'name', n.name, 'sort_key',
         CASE WHEN n.name = f.code THEN f.folded ELSE lower(n.name) END, 'active', true, 'version', 1) AS wanted
  FROM (SELECT fresh_category AS id, min(row) AS row, (array_agg(category ORDER BY row))[1] AS code,
               lower((array_agg(category ORDER BY row))[1]) AS folded
          FROM found WHERE fresh_category IS NOT NULL GROUP BY fresh_category) f
 CROSS JOIN LATERAL (SELECT CASE WHEN f.code ~ '^[0-9]+$' THEN 'Category ' || f.code ELSE f.code END AS name) n
""",
        ),
        _CHANGES.format(
            target="product",
            wanted="""
SELECT f.row, f.id, CASE WHEN f.here_id IS NOT NULL THEN to_jsonb(p) END AS here,
       CASE WHEN f.here_id IS NULL THEN jsonb_build_object(
         'sku', f.sku, 'name', f.name, 'sort_key', f._name, 'search', concat_ws(' ', f._sku, f._name, f._barcode),
         'description', coalesce(f.description, ''), 'category_id', f.category_id, 'supplier_id', f.supplier_id,
         'unit_code', f.unit, 'barcode', f.barcode, 'unit_cost', coalesce(f.unit_cost, f.unit_price, 0),
         'unit_price', coalesce(f.unit_price, 0), 'currency', %(currency)s::text,
         'reorder_point', coalesce(f.reorder_point, 0), 'reorder_quantity', coalesce(f.reorder_quantity, 0),
         'active', coalesce(f.active, true), 'lots_kept', false, 'version', 1, 'created_at', now())
       ELSE jsonb_strip_nulls(jsonb_build_object(
         'name', f.name, 'sort_key', f._name,
         'search', concat_ws(' ', f._sku, coalesce(f._name, p.sort_key), coalesce(f._barcode, lower(p.barcode))),
         'description', f.description, 'category_id', f.category_id, 'supplier_id', f.supplier_id, 'unit_code', f.unit,
         'barcode', f.barcode, 'unit_price', f.unit_price, 'reorder_point', f.reorder_point,
         'reorder_quantity', f.reorder_quantity, 'active', f.active)) END AS wanted
  FROM found f LEFT JOIN product p ON p.id = f.here_id WHERE f.sku IS NOT NULL AND f.name IS NOT NULL
""",
        ),
        _CHANGES.format(
            target="supplier_product",
            wanted="""
SELECT f.row, coalesce(t.id, nextval('supplier_product_id_seq')) AS id, to_jsonb(t) AS here,
       jsonb_strip_nulls(jsonb_build_object('supplier_sku', f.supplier_sku, 'cost', f.supplier_cost, 'pack_size', f.pack_size,
         'purchase_unit', f.purchase_unit, 'minimum_quantity', f.minimum_quantity, 'lead_time_days', f.lead_time_days))
  || CASE WHEN t.id IS NULL THEN jsonb_build_object('supplier_id', f.supplier_id, 'product_id', f.id, 'currency', %(currency)s::text,
       'pack_size', coalesce(f.pack_size, 1), 'purchase_unit', coalesce(f.purchase_unit, ''),
       'minimum_quantity', coalesce(f.minimum_quantity, 0), 'lead_time_days', coalesce(f.lead_time_days, 0), 'active', true,
       'version', 1, 'created_at', now()) ELSE '{}' END AS wanted
  FROM found f LEFT JOIN supplier_product t ON t.product_id = f.here_id AND t.supplier_id = f.supplier_id
 WHERE f.supplier_id IS NOT NULL AND coalesce(f.supplier_sku, f.purchase_unit, f.supplier_cost::text, f.pack_size::text,
       f.minimum_quantity::text, f.lead_time_days::text) IS NOT NULL
""",
        ),
        _CHANGES.format(
            target="inventory_item",
            wanted="""
SELECT f.row, nextval('inventory_item_id_seq') AS id, NULL::jsonb AS here, jsonb_build_object('product_id', f.id,
       'location_id', f.location_id, 'lot_id', NULL, 'quantity', coalesce(f.quantity, 0),
       'cost', coalesce(f.unit_cost, f.unit_price, 0)) AS wanted
  FROM found f WHERE f.here_id IS NULL AND f.sku IS NOT NULL AND f.name IS NOT NULL
""",
        ),
    ),
)

_STOCK = Plan(
    columns="sku text, location text, lot text, expires_on date, quantity numeric, unit_cost numeric",
    found="""
WITH places AS (SELECT lower(name) AS folded, min(id) AS id, count(*) AS many FROM location GROUP BY lower(name))
SELECT s.*, p.id AS product_id, p.name AS product, p.lots_kept, p.active, p.unit_cost AS cost_here, p.unit_code AS unit,
       u.decimals, loc.id AS location_id, loc.name AS place, loc.kind AS place_kind, loc.active AS place_open,
       CASE WHEN code.id IS NULL THEN byname.many END AS places, l.id AS lot_here, l.expires_on AS lot_expires,
       i.id AS item_id, i.quantity AS held, i.sequence, coalesce(t.quantity, 0) AS in_all,
       CASE WHEN s.quantity < i.quantity THEN least(audit_reserved(i.id), i.quantity) END AS reserved
  FROM staged s
  LEFT JOIN product p ON p.sku = s.sku
  LEFT JOIN unit u ON u.code = p.unit_code
  LEFT JOIN location code ON lower(code.code) = lower(coalesce(s.location, %(main)s))
  LEFT JOIN places byname ON byname.folded = lower(s.location)
  LEFT JOIN location loc ON loc.id = coalesce(code.id, byname.id)
  LEFT JOIN lot l ON l.product_id = p.id AND lower(l.code) = lower(s.lot)
  LEFT JOIN inventory_item i ON i.product_id = p.id AND i.location_id = loc.id AND i.lot_id IS NOT DISTINCT FROM l.id
                            AND (s.lot IS NULL OR l.id IS NOT NULL)
  LEFT JOIN product_stock t ON t.product_id = p.id
""",
    faults=f"""
{
        _twice(
            "sku",
            "(product_id, location_id, lower(coalesce(lot, '')))",
            "CASE WHEN product_id IS NOT NULL AND location_id IS NOT NULL THEN sku || ' at ' || place || coalesce(', lot ' || lot, '') END",
        )
    } AND said IS NOT NULL UNION ALL
{_EACH}
  ['sku', CASE WHEN f.product_id IS NULL AND f.sku IS NOT NULL THEN 'There is no product ' || f.sku || '. Import or add it first.'
     WHEN NOT f.active AND f.quantity > coalesce(f.held, 0) THEN f.product || ' is not in use any more.' END],
  ['location', CASE WHEN f.location_id IS NULL THEN 'There is no location ' || coalesce(f.location, %(main)s) || '. Import or add it first.'
     WHEN f.places > 1 THEN f.places || ' locations are called ' || f.location || '. Use the code of one of them.'
     WHEN NOT f.place_open THEN f.place || ' is closed.'
     WHEN f.place_kind <> 'storage' THEN f.place || ' is no place where stock is counted.' END],
  ['lot', CASE WHEN f.lots_kept AND f.lot IS NULL THEN f.product || ' is kept by lot: say which.'
     WHEN NOT f.lots_kept AND f.lot IS NOT NULL THEN f.product || ' is not kept by lot.' END],
  ['expires_on', CASE WHEN f.lot_here IS NOT NULL AND f.expires_on IS DISTINCT FROM f.lot_expires AND f.expires_on IS NOT NULL
     THEN 'The lot ' || f.lot || ' is known with another day.' END],
  {_fits("quantity")},
  ['sku', CASE WHEN f.item_id IS NOT NULL AND f.quantity <> f.held AND NOT %(update)s
     THEN f.sku || ' is in stock at ' || f.place || ' already.' END],
  ['unit_cost', CASE WHEN f.in_all <> 0 AND f.unit_cost <> f.cost_here
     THEN 'There is stock of it already, at another cost: a cost comes with a receipt.' END],
  ['quantity', CASE WHEN f.quantity < f.reserved
     THEN trim_scale(f.reserved) || ' ' || f.unit || ' of ' || f.product || ' are reserved: release them first.' END],
  ['quantity', CASE WHEN f.quantity * coalesce(f.unit_cost, CASE WHEN %(sees)s THEN f.cost_here END) > {_LARGEST_VALUE}
     THEN 'This much stock at this cost is too large a value.' END]{_SAID}
""",
    changes=(
        _CHANGES.format(
            target="lot",
            wanted="""
SELECT row, id, NULL::jsonb AS here, jsonb_build_object('product_id', product_id, 'code', code, 'expires_on', expires_on,
       'created_at', now(), 'version', 1) AS wanted
  FROM lots
""",
        ),
        """
INSERT INTO import_change (run_id, target, target_id, row, state, wanted, before)
SELECT %(run)s, 'inventory_item', coalesce(f.item_id, nextval('inventory_item_id_seq')), f.row,
       CASE WHEN f.item_id IS NULL THEN 'new' WHEN f.held = f.quantity THEN 'same' ELSE 'changed' END,
       jsonb_build_object('product_id', f.product_id, 'location_id', f.location_id, 'lot_id', coalesce(f.lot_here, n.id),
         'quantity', f.quantity, 'cost', CASE WHEN f.in_all = 0 THEN coalesce(f.unit_cost, f.cost_here) ELSE f.cost_here END),
       CASE WHEN f.item_id IS NULL THEN '{}' ELSE jsonb_build_object('quantity', f.held, 'sequence', f.sequence) END
  FROM found f
  LEFT JOIN lots n ON n.product_id = f.product_id AND lower(n.code) = lower(f.lot)
 WHERE f.product_id IS NOT NULL AND f.location_id IS NOT NULL AND f.quantity IS NOT NULL
ON CONFLICT DO NOTHING
""",
    ),
    also=(
        (
            "lots",
            """
SELECT min(f.row) AS row, nextval('lot_id_seq') AS id, f.product_id, (array_agg(f.lot ORDER BY f.row))[1] AS code,
       max(f.expires_on) AS expires_on
  FROM found f WHERE f.lot IS NOT NULL AND f.lot_here IS NULL AND f.lots_kept GROUP BY f.product_id, lower(f.lot)
""",
        ),
    ),
)

PLANS: Mapping[Kind, Plan] = {
    "suppliers": _SUPPLIERS,
    "categories": _CATEGORIES,
    "locations": _LOCATIONS,
    "products": _PRODUCTS,
    "stock": _STOCK,
}
_STATES = """
UPDATE import_row r SET state = n.state FROM (
SELECT o.row, CASE WHEN f.row IS NOT NULL THEN 'faulty' ELSE coalesce(c.state, 'same') END AS state
  FROM import_row o
  LEFT JOIN (SELECT DISTINCT row FROM import_fault WHERE run_id = %(run)s) f ON f.row = o.row
  LEFT JOIN (
    SELECT row, CASE WHEN bool_or(state = 'new' AND target = %(main_target)s) THEN 'new'
                     WHEN bool_or(state IN ('new', 'changed')) THEN 'changed' ELSE 'same' END AS state
      FROM import_change WHERE run_id = %(run)s GROUP BY row) c ON c.row = o.row
 WHERE o.run_id = %(run)s) n WHERE r.run_id = %(run)s AND r.row = n.row AND r.state <> n.state
"""
_COUNT = """
SELECT count(*) FILTER (WHERE state = 'new'), count(*) FILTER (WHERE state = 'changed'),
       count(*) FILTER (WHERE state = 'same'), count(*) FILTER (WHERE state = 'faulty')
  FROM import_row WHERE run_id = %(run)s
"""
#: What a row is about first of all: it is new when this is.
MAIN_TARGET: Mapping[Kind, str] = {
    "suppliers": "supplier",
    "categories": "category",
    "locations": "location",
    "products": "product",
    "stock": "inventory_item",
}


def work_out(session: Session, kind: Kind, parameters: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Find the faults and the changes of the staged rows; returns how many are new, changed, the same and faulty."""
    plan, connection = PLANS[kind], session.connection()
    given = dict(parameters) | {"main_target": MAIN_TARGET[kind]}
    # One statement, so that everything is found out once: the application's role may make no temporary tables.
    parts = {"staged": _STAGE.format(columns=plan.columns), "found": plan.found} | dict(plan.also)
    steps = [f"{name} AS MATERIALIZED ({sql})" for name, sql in parts.items()]
    steps.append(f"faulted AS ({_FAULTS.format(faults=plan.faults)})")
    steps += [f"planned_{number} AS ({changes})" for number, changes in enumerate(plan.changes)]
    connection.exec_driver_sql(f"WITH {', '.join(steps)} SELECT 1", given)
    connection.exec_driver_sql(_STATES, given)
    found = connection.exec_driver_sql(_COUNT, given).one()
    return found[0], found[1], found[2], found[3]
