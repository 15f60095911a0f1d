\set n random(1, :pairs)
\set way random(0, 1)
\set one :n + :way * :products
\set other :n + (1 - :way) * :products
BEGIN;
SELECT id, product_id, quantity, sequence FROM inventory_item WHERE id IN (:one, :other) ORDER BY id FOR UPDATE;
SELECT i.id, p.name, u.code, u.decimals, l.name, l.active FROM inventory_item i JOIN product p ON p.id = i.product_id JOIN location l ON l.id = i.location_id JOIN unit u ON u.code = p.unit_code WHERE i.id IN (:one, :other);
SELECT id, unit_cost FROM product WHERE id = (SELECT product_id FROM inventory_item WHERE id = :one);
UPDATE inventory_item SET quantity = quantity - 1, sequence = sequence + 1, changed_at = now(), changed_by = 'pgbench' WHERE id = :one;
UPDATE inventory_item SET quantity = quantity + 1, sequence = sequence + 1, changed_at = now(), changed_by = 'pgbench' WHERE id = :other;
INSERT INTO stock_movement (item_id, sequence, kind, quantity, unit_cost, value, operation_id, occurred_at, recorded_at) SELECT id, sequence, 'transfer', CASE WHEN id = :one THEN -1 ELSE 1 END, 1, CASE WHEN id = :one THEN -1 ELSE 1 END, gen_random_uuid(), now(), now() FROM inventory_item WHERE id IN (:one, :other);
COMMIT;
