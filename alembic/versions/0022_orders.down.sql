SET LOCAL lock_timeout = '3s';
REVOKE DELETE ON purchase_order_line FROM :app_role;
