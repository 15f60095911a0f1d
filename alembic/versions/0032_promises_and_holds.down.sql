-- Takes 0032 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
ALTER TABLE purchase_order DROP COLUMN wanted_on;
ALTER TABLE document DROP COLUMN reminded_at;
ALTER TABLE payment DROP COLUMN held_reason;
