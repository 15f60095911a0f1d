-- What was asked of a supplier before it promised another day, reminders about documents, payments in spite of a
-- suspension; frozen: see 0032_promises_and_holds.py. :app_role as in 0001.
SET LOCAL lock_timeout = '3s';

ALTER TABLE purchase_order ADD COLUMN wanted_on DATE;
ALTER TABLE document ADD COLUMN reminded_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE payment ADD COLUMN held_reason TEXT;
