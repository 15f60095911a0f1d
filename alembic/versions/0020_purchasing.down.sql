-- Takes 0020 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
DROP INDEX ix_supplier_valid_until;
ALTER TABLE supplier DROP COLUMN payment_days, DROP COLUMN delivery_terms, DROP COLUMN minimum_order, DROP COLUMN reminded_at;
DROP TABLE payment_allocation, payment, payment_batch, supplier_bank_account, supplier_invoice_line, supplier_invoice,
  goods_receipt_line, goods_receipt, purchase_order_line, purchase_order, number_series, supplier_user, supplier_contact;
