-- Takes 0026 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
DROP TABLE supplier_correction;
ALTER TABLE purchase_order DROP COLUMN confirmed_on, DROP COLUMN confirmed_by, DROP COLUMN confirmed_at;
