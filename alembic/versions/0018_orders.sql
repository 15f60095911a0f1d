-- What lists are sorted and narrowed down by at the size of a company; frozen: see 0018_orders.py.
SET LOCAL lock_timeout = '3s';

CREATE INDEX ix_stock_movement_quantity ON stock_movement (quantity, id);
CREATE INDEX ix_stock_movement_value ON stock_movement (value, id);
CREATE INDEX ix_stock_movement_kind ON stock_movement (kind);
CREATE INDEX ix_stock_movement_reason ON stock_movement (reason_code);
CREATE INDEX ix_inventory_item_lot_held ON inventory_item (lot_id) WHERE quantity > 0 AND lot_id IS NOT NULL;
CREATE INDEX ix_lot_code ON lot (lower(code), id);
CREATE INDEX ix_product_reorder_point ON product (reorder_point, id);
CREATE INDEX ix_product_unit_code ON product (unit_code, id);
