-- What is booked in parts of a unit is measured by the unit as it is then. Frozen.
SET LOCAL lock_timeout = '3s';
CREATE OR REPLACE FUNCTION stock_movement_is_now() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_decimals integer;
BEGIN
  IF NEW.operation_id::text IS DISTINCT FROM current_setting('inventory.operation', true) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU000', MESSAGE = 'a movement names the operation that books it';
  END IF;
  -- Today and later are never closed: what happened now needs no look. Whoever closes a period takes the same lock
  -- alone: it waits for what is being booked with an earlier date, and what comes after it sees the closed period.
  IF NEW.occurred_at < date_trunc('day', clock_timestamp(), 'UTC') THEN
    PERFORM pg_advisory_xact_lock_shared(7005);
    IF EXISTS (SELECT 1 FROM period_close WHERE reopened_at IS NULL
                  AND closed_through >= (NEW.occurred_at AT TIME ZONE 'UTC')::date) THEN
      RAISE EXCEPTION USING ERRCODE = 'AU011', MESSAGE = 'the period is closed';
    END IF;
  END IF;
  -- Whole numbers fit every unit. Whoever makes a unit coarser holds it alone: it waits for what is being booked in parts
  -- of one, and what comes after it is measured by the coarser unit.
  IF scale(trim_scale(NEW.quantity)) > 0 THEN
    SELECT u.decimals INTO v_decimals
      FROM inventory_item i JOIN product p ON p.id = i.product_id JOIN unit u ON u.code = p.unit_code
     WHERE i.id = NEW.item_id FOR KEY SHARE OF u;
    IF scale(trim_scale(NEW.quantity)) > v_decimals THEN
      RAISE EXCEPTION USING ERRCODE = 'AU012', MESSAGE = 'the quantity is finer than its unit';
    END IF;
  END IF;
  NEW.recorded_at := clock_timestamp();
  RETURN NEW;
END $$;
