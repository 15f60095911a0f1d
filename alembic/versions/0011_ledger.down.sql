SET LOCAL lock_timeout = '3s';

DROP FUNCTION audit_reserved(bigint);
CREATE OR REPLACE FUNCTION stock_movement_is_now() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.operation_id::text IS DISTINCT FROM current_setting('inventory.operation', true) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU000', MESSAGE = 'a movement names the operation that books it';
  END IF;
  -- Today and later are never closed: what happened now needs no look.
  IF NEW.occurred_at < date_trunc('day', now(), 'UTC') AND EXISTS (
       SELECT 1 FROM period_close WHERE reopened_at IS NULL
          AND closed_through >= (NEW.occurred_at AT TIME ZONE 'UTC')::date) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU009', MESSAGE = 'the period is closed';
  END IF;
  NEW.recorded_at := clock_timestamp();
  RETURN NEW;
END $$;
