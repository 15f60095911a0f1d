-- Takes 0013 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
DROP INDEX uq_product_price_planned;
ALTER TABLE change_set DROP COLUMN effective_on;
