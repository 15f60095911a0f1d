-- Takes 0012 back: what it added is recomputed from the rest by 0012. Frozen.
SET LOCAL lock_timeout = '3s';
DROP TRIGGER audit_search_words ON product;
DROP TRIGGER audit_search_words_first ON product;
DROP TRIGGER audit_item_cost ON product;
DROP TRIGGER audit_item_worth ON inventory_item;
DROP TRIGGER audit_item_worth_first ON inventory_item;
DROP TRIGGER audit_reorder_at ON product;
DROP TRIGGER audit_reorder_at_first ON product;
DROP FUNCTION audit_search_words(), audit_item_cost(), audit_item_worth(), audit_reorder_at();
DROP TABLE search_word, item_worth;
DROP INDEX ix_product_stock_low;
ALTER TABLE product_stock DROP COLUMN reorder_at;
DROP INDEX ix_stock_movement_issued, ix_product_inactive, ix_product_unit_price, ix_product_unit_cost, ix_inventory_item_location_id, ix_inventory_item_changed, ix_inventory_item_quantity;
CREATE INDEX ix_inventory_item_location_id ON inventory_item (location_id);
