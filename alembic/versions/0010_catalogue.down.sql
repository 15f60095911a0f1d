-- Takes 0010 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
DROP TRIGGER audit_sum_stock ON stock_movement;
DROP FUNCTION audit_sum_stock();
CREATE OR REPLACE FUNCTION stock_movement_is_now() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.operation_id::text IS DISTINCT FROM current_setting('inventory.operation', true) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU000', MESSAGE = 'a movement names the operation that books it';
  END IF;
  NEW.recorded_at := clock_timestamp();
  RETURN NEW;
END $$;
DROP INDEX uq_stock_movement_reverses, ix_stock_movement_occurred, uq_product_barcode, ix_product_price_planned, ix_product_price_product_id;
CREATE INDEX ix_product_price_product_id ON product_price (product_id);
ALTER TABLE inventory_item DROP CONSTRAINT uq_inventory_item_place;
ALTER TABLE inventory_item DROP COLUMN lot_id, ADD CONSTRAINT uq_inventory_item_place UNIQUE (product_id, location_id);
ALTER TABLE product_price DROP COLUMN status, DROP COLUMN change_set_id, DROP CONSTRAINT ck_product_price_new_price;
ALTER TABLE product DROP COLUMN lots_kept;
ALTER TABLE location DROP COLUMN version;
ALTER TABLE category DROP COLUMN version;
DROP TABLE product_stock, reservation, shipment, period_close, reason_code, supplier_product, lot, document_content, document,
  change_set_row, change_set, saved_view;
