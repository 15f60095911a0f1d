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

-- What is reserved of an item now. Volatile, so that it sees what was committed while its caller waited for the item's
-- lock: a statement sees its own beginning otherwise.
CREATE FUNCTION audit_reserved(p_item bigint) RETURNS numeric
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(sum(quantity), 0) FROM reservation
           WHERE item_id = p_item AND released_at IS NULL AND expires_at > clock_timestamp());
END $$;
REVOKE ALL ON FUNCTION audit_reserved(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_reserved(bigint) TO :app_role;
