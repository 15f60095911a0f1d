-- Takes 0018 back. Frozen.
SET LOCAL lock_timeout = '3s';
DROP INDEX ix_product_unit_code, ix_product_reorder_point, ix_lot_code, ix_inventory_item_lot_held, ix_stock_movement_reason, ix_stock_movement_kind, ix_stock_movement_value, ix_stock_movement_quantity;
