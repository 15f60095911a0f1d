-- Lines of an order that is still written can be taken out; frozen: see 0022_orders.py. :app_role as in 0001.
SET LOCAL lock_timeout = '3s';
GRANT DELETE ON purchase_order_line TO :app_role;
