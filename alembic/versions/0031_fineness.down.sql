-- Takes 0031 back. Frozen.
SET LOCAL lock_timeout = '3s';
CREATE OR REPLACE FUNCTION stock_movement_is_now() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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
  NEW.recorded_at := clock_timestamp();
  RETURN NEW;
END $$;
