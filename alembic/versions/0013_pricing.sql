-- From which day a set of changes counts, and one planned price for a product and day; frozen: see 0013_pricing.py.
SET LOCAL lock_timeout = '3s';
SELECT audit_begin_as(gen_random_uuid(), 'database.migrate', 'succeeded', 'system', 'system:migration', NULL, NULL, NULL,
                      'revision 0013: the day a set of changes counts from', NULL, NULL)
-- A fresh database runs all its migrations in one transaction, which has an operation then.
 WHERE coalesce(current_setting('inventory.operation', true), '') = '';

ALTER TABLE change_set ADD COLUMN effective_on DATE;
CREATE UNIQUE INDEX uq_product_price_planned ON product_price (product_id, valid_from) WHERE status = 'planned';

SELECT audit_schema('change_set', 'effective_on', 'null');
