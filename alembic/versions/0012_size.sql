-- What lists need at the size of a company; frozen: see 0012_size.py. :app_role as in 0001.
SET LOCAL lock_timeout = '3s';

CREATE INDEX ix_inventory_item_quantity ON inventory_item (quantity, id);
CREATE INDEX ix_inventory_item_changed ON inventory_item (changed_at, id);
DROP INDEX ix_inventory_item_location_id;
CREATE INDEX ix_inventory_item_location_id ON inventory_item (location_id, id);
CREATE INDEX ix_product_unit_cost ON product (unit_cost, id);
CREATE INDEX ix_product_unit_price ON product (unit_price, id);
CREATE INDEX ix_product_inactive ON product (id) WHERE active IS FALSE;
CREATE INDEX ix_stock_movement_issued ON stock_movement (item_id, occurred_at) INCLUDE (quantity) WHERE kind = 'issue';

ALTER TABLE product_stock ADD COLUMN reorder_at NUMERIC(14, 3) NOT NULL DEFAULT 0;
CREATE INDEX ix_product_stock_low ON product_stock ((quantity / nullif(reorder_at, 0)), product_id)
  WHERE reorder_at > 0 AND quantity <= reorder_at;

CREATE TABLE item_worth (
  item_id BIGINT NOT NULL,
  quantity NUMERIC(14, 3) NOT NULL,
  unit_cost NUMERIC(14, 4) NOT NULL,
  worth NUMERIC(28, 7) GENERATED ALWAYS AS (quantity * unit_cost) STORED NOT NULL,
  PRIMARY KEY (item_id),
  FOREIGN KEY(item_id) REFERENCES inventory_item (id)
);
CREATE INDEX ix_item_worth_worth ON item_worth (worth, item_id);
GRANT SELECT ON item_worth TO :app_role;

-- Beside what there is of a product stands from which quantity on it is to be reordered (0: never), so that one index
-- holds what is low. Each side writes its own column only: whoever comes second finds what the other has written.
CREATE FUNCTION audit_reorder_at() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO product_stock (product_id, quantity, value, reorder_at)
  SELECT wanted.id, 0, 0, wanted.reorder_at
    FROM (SELECT id, CASE WHEN active THEN reorder_point ELSE 0 END AS reorder_at FROM changed) wanted
    LEFT JOIN product_stock known ON known.product_id = wanted.id
   WHERE known.reorder_at IS DISTINCT FROM wanted.reorder_at ORDER BY wanted.id
  ON CONFLICT (product_id) DO UPDATE SET reorder_at = excluded.reorder_at;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_reorder_at() FROM PUBLIC;
CREATE TRIGGER audit_reorder_at_first AFTER INSERT ON product REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit_reorder_at();
ALTER TABLE product ENABLE ALWAYS TRIGGER audit_reorder_at_first;
CREATE TRIGGER audit_reorder_at AFTER UPDATE ON product REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit_reorder_at();
ALTER TABLE product ENABLE ALWAYS TRIGGER audit_reorder_at;

-- What an item is worth, to sort by: its quantity comes from here, its cost from the product.
CREATE FUNCTION audit_item_worth() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- A cost that is being changed just now would not see an item that is being made just now.
    PERFORM 1 FROM product WHERE id IN (SELECT product_id FROM changed) ORDER BY id FOR SHARE;
  END IF;
  INSERT INTO item_worth (item_id, quantity, unit_cost)
  SELECT changed.id, changed.quantity, product.unit_cost
    FROM changed JOIN product ON product.id = changed.product_id ORDER BY changed.id
  ON CONFLICT (item_id) DO UPDATE SET quantity = excluded.quantity WHERE item_worth.quantity <> excluded.quantity;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_item_worth() FROM PUBLIC;
CREATE TRIGGER audit_item_worth_first AFTER INSERT ON inventory_item REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit_item_worth();
ALTER TABLE inventory_item ENABLE ALWAYS TRIGGER audit_item_worth_first;
CREATE TRIGGER audit_item_worth AFTER UPDATE ON inventory_item REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit_item_worth();
ALTER TABLE inventory_item ENABLE ALWAYS TRIGGER audit_item_worth;

CREATE FUNCTION audit_item_cost() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM item_worth WHERE item_id IN (SELECT id FROM inventory_item WHERE product_id = NEW.id)
    ORDER BY item_id FOR UPDATE;
  UPDATE item_worth SET unit_cost = NEW.unit_cost
   WHERE item_id IN (SELECT id FROM inventory_item WHERE product_id = NEW.id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_item_cost() FROM PUBLIC;
CREATE TRIGGER audit_item_cost AFTER UPDATE OF unit_cost ON product FOR EACH ROW WHEN (OLD.unit_cost IS DISTINCT FROM NEW.unit_cost) EXECUTE FUNCTION audit_item_cost();
ALTER TABLE product ENABLE ALWAYS TRIGGER audit_item_cost;

CREATE TABLE search_word (
  word TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (word)
);
CREATE INDEX ix_search_word_similar ON search_word USING gin (word gin_trgm_ops);
GRANT SELECT ON search_word TO :app_role;

-- The words products are called by, each once: what somebody mistyped is compared with these, which are few.
CREATE FUNCTION audit_search_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO search_word (word)
    SELECT DISTINCT word FROM changed, regexp_split_to_table(changed.search, '[^[:alpha:]]+') word
     WHERE length(word) > 3 ORDER BY word ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO search_word (word)
    SELECT DISTINCT word FROM regexp_split_to_table(NEW.search, '[^[:alpha:]]+') word
     WHERE length(word) > 3 ORDER BY word ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_search_words() FROM PUBLIC;
CREATE TRIGGER audit_search_words_first AFTER INSERT ON product REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION audit_search_words();
ALTER TABLE product ENABLE ALWAYS TRIGGER audit_search_words_first;
CREATE TRIGGER audit_search_words AFTER UPDATE OF search ON product FOR EACH ROW WHEN (OLD.search IS DISTINCT FROM NEW.search) EXECUTE FUNCTION audit_search_words();
ALTER TABLE product ENABLE ALWAYS TRIGGER audit_search_words;
INSERT INTO search_word (word)
SELECT DISTINCT word FROM product, regexp_split_to_table(product.search, '[^[:alpha:]]+') word WHERE length(word) > 3;

INSERT INTO product_stock (product_id, quantity, value, reorder_at)
SELECT id, 0, 0, CASE WHEN active THEN reorder_point ELSE 0 END FROM product
ON CONFLICT (product_id) DO UPDATE SET reorder_at = excluded.reorder_at;
INSERT INTO item_worth (item_id, quantity, unit_cost)
SELECT item.id, item.quantity, product.unit_cost FROM inventory_item item JOIN product ON product.id = item.product_id;
