-- Takes 0016 back: what it holds can be summed again. Frozen.
SET LOCAL lock_timeout = '3s';
DROP FUNCTION audit_fix_horizon(), audit_sum_days(integer), audit_add_part(timestamptz, timestamptz), audit_sum_again(timestamptz),
  audit_stock_again(bigint[]);
DROP TABLE stock_total, stock_horizon, books_check;
