-- The functions of the audit trail. Owned by the owner role; the application role may
-- call the ones granted at the end and reach the audit tables in no other way.
-- SQLSTATEs: AU000 unattributed write, AU001 not signed in, AU002 disabled, AU003 not granted,
-- AU004 password must be changed first, AU005 an operation is already open, AU006 key reused,
-- AU007 the record is append-only, AU008 personal data may not be erased (so), AU009 second factor needed, AU010 the
-- person must prove again that it is them, AU011 the period is closed,
-- AU012 a quantity is finer than its unit.

CREATE FUNCTION audit_ensure_partitions(p_months integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
  v_from date;
BEGIN
  FOR v_from IN
    SELECT generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => p_months),
                           interval '1 month')::date
  LOOP
    IF to_regclass(format('audit_part.audit_change_%s', to_char(v_from, 'YYYY_MM'))) IS NULL THEN
      EXECUTE format('CREATE TABLE audit_part.%I PARTITION OF public.audit_change FOR VALUES FROM (%L) TO (%L)',
                     'audit_change_' || to_char(v_from, 'YYYY_MM'), v_from::timestamptz,
                     (v_from + interval '1 month')::timestamptz);
      -- Row triggers come from the parent; a statement trigger does not.
      EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_part.%1$I FOR EACH STATEMENT '
                     'EXECUTE FUNCTION public.audit_append_only();'
                     'ALTER TABLE audit_part.%1$I ENABLE ALWAYS TRIGGER audit_no_truncate',
                     'audit_change_' || to_char(v_from, 'YYYY_MM'));
    END IF;
  END LOOP;
END $$;

-- Who holds which permission and through what: a role of their own, or the authority that somebody who is away has
-- delegated to them. Every decision and every explanation reads this one function. Neither SECURITY DEFINER nor a
-- search_path of its own, so that the planner can merge it into the statement that asks.
CREATE FUNCTION audit_holdings()
RETURNS TABLE (user_id bigint, permission text, role_id bigint, delegation_id bigint, authority_id bigint)
LANGUAGE sql STABLE AS $$
  SELECT i.user_id, p.name, r.id, NULL::bigint, i.user_id
    FROM public.user_info i
    JOIN public.user_role ur ON ur.user_id = i.id
    JOIN public.role r ON r.id = ur.role_id AND r.active
    JOIN public.role_permission rp ON rp.role_id = r.id
    JOIN public.permission p ON p.id = rp.permission_id
  UNION ALL
  SELECT d.to_user_id, p.name, NULL::bigint, d.id, d.from_user_id
    FROM public.delegation d
    JOIN public.permission p ON p.id = d.permission_id
    JOIN public.local_user g ON g.id = d.from_user_id AND g.enabled
    JOIN public.user_info gi ON gi.user_id = g.id
   WHERE d.revoked_at IS NULL AND d.starts_at <= now() AND d.ends_at > now()
     AND EXISTS (SELECT 1 FROM public.user_role ur
                   JOIN public.role r ON r.id = ur.role_id AND r.active
                   JOIN public.role_permission rp ON rp.role_id = r.id
                  WHERE ur.user_id = gi.id AND rp.permission_id = d.permission_id)
$$;

-- The person behind a session, or an error that says why there is none. `p_fresh_minutes`: how long ago they may
-- have proved at most that it is still them; NULL when that does not matter.
CREATE FUNCTION audit_person(p_token_hash text, p_permission text, p_stale_password boolean,
                             p_without_factor boolean, p_fresh_minutes integer,
                             OUT user_id bigint, OUT user_name text, OUT session_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_enabled boolean;
  v_must_change boolean;
  v_strong boolean;
  v_proved timestamptz;
BEGIN
  SELECT u.id, u.username, s.id, u.enabled, u.must_change_password, s.strong, s.reauthenticated_at
    INTO user_id, user_name, session_id, v_enabled, v_must_change, v_strong, v_proved
    FROM auth_session s
    JOIN local_user u ON u.id = s.user_id
    LEFT JOIN session_activity a ON a.session_id = s.id
   WHERE s.token_hash = p_token_hash AND s.revoked_at IS NULL AND s.expires_at > now()
     AND coalesce(a.seen_at, s.created_at) > now() - make_interval(mins => s.idle_minutes);
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'AU001', MESSAGE = 'no live session';
  ELSIF NOT v_enabled THEN
    RAISE EXCEPTION USING ERRCODE = 'AU002', MESSAGE = 'account disabled';
  ELSIF v_must_change AND NOT p_stale_password THEN
    RAISE EXCEPTION USING ERRCODE = 'AU004', MESSAGE = 'password must be changed first';
  ELSIF NOT (v_strong OR p_without_factor OR p_stale_password) AND audit_needs_factor(user_id) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU009', MESSAGE = 'second factor needed';
  ELSIF p_permission IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM audit_holdings() h
       WHERE h.user_id = audit_person.user_id AND h.permission = p_permission) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU003', MESSAGE = format('permission %s not granted', p_permission);
  ELSIF p_fresh_minutes IS NOT NULL AND v_proved <= now() - make_interval(mins => p_fresh_minutes) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU010', MESSAGE = 'not proved lately';
  END IF;
END $$;

-- Whether a role of this person may only be used with a second factor.
CREATE FUNCTION audit_needs_factor(p_user bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM public.user_info i
                   JOIN public.user_role ur ON ur.user_id = i.id
                   JOIN public.role r ON r.id = ur.role_id AND r.active AND r.needs_factor
                  WHERE i.user_id = p_user)
$$;

-- The same for reading: who it is and everything they may do, for rows made for that viewer.
CREATE FUNCTION audit_viewer(p_token_hash text, p_stale_password boolean, p_without_factor boolean,
                             OUT user_id bigint, OUT user_name text, OUT session_id bigint, OUT permissions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  SELECT p.user_id, p.user_name, p.session_id INTO user_id, user_name, session_id
    FROM audit_person(p_token_hash, NULL, p_stale_password, p_without_factor, NULL) p;
  permissions := ARRAY(
    SELECT DISTINCT h.permission FROM audit_holdings() h WHERE h.user_id = audit_viewer.user_id);
END $$;

CREATE FUNCTION audit_open(p_id uuid, p_name text, p_outcome text, p_kind text, p_actor bigint, p_actor_name text,
                           p_session bigint, p_ip text, p_agent text, p_request text, p_reason text,
                           p_error text, p_detail text, p_attempts integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF coalesce(current_setting('inventory.operation', true), '') <> '' THEN
    RAISE EXCEPTION USING ERRCODE = 'AU005', MESSAGE = 'an operation is already open in this transaction';
  END IF;
  INSERT INTO audit_operation (id, incarnation, format, name, outcome, actor_kind, actor_id, actor_name,
                               auth_session_id, client_ip, user_agent, request_id, reason, error_class, detail, attempts)
  VALUES (p_id, (SELECT max(incarnation) FROM audit_incarnation), 1, p_name, p_outcome, p_kind, p_actor, p_actor_name,
          p_session, p_ip, left(p_agent, 400), p_request, p_reason, p_error, p_detail, p_attempts);
  PERFORM set_config('inventory.operation', p_id::text, true);
END $$;

-- The stored answer of an earlier run under the same key, or NULL and the key is ours.
CREATE FUNCTION audit_claim_key(p_id uuid, p_actor_key text, p_name text, p_key text, p_request_hash text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_hash text;
  v_result text;
BEGIN
  INSERT INTO idempotency (actor_key, operation, key, request_hash, operation_id)
  VALUES (p_actor_key, p_name, p_key, p_request_hash, p_id) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN NULL;
  END IF;
  SELECT request_hash, result INTO v_hash, v_result FROM idempotency
   WHERE actor_key = p_actor_key AND operation = p_name AND key = p_key;
  IF v_hash IS DISTINCT FROM p_request_hash THEN
    RAISE EXCEPTION USING ERRCODE = 'AU006', MESSAGE = 'idempotency key reused with other data';
  END IF;
  RETURN coalesce(v_result, 'null');
END $$;

-- A signed-in person begins an operation: session, account and permission are checked, the header
-- written and the operation id set, in one round trip. `replayed` is the answer of an earlier run.
CREATE FUNCTION audit_begin(p_id uuid, p_name text, p_token_hash text, p_permission text, p_stale_password boolean,
                            p_without_factor boolean, p_fresh_minutes integer, p_ip text, p_agent text, p_request text, p_reason text, p_key text, p_request_hash text,
                            OUT user_id bigint, OUT user_name text, OUT session_id bigint, OUT replayed text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  SELECT p.user_id, p.user_name, p.session_id INTO user_id, user_name, session_id
    FROM audit_person(p_token_hash, p_permission, p_stale_password, p_without_factor, p_fresh_minutes) p;
  IF p_key IS NOT NULL THEN
    replayed := audit_claim_key(p_id, 'user:' || user_id, p_name, p_key, p_request_hash);
    IF replayed IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  PERFORM audit_open(p_id, p_name, 'succeeded', 'user', user_id, user_name, session_id, p_ip, p_agent, p_request,
                     p_reason, NULL, NULL, 1);
END $$;

-- Everybody who is not a signed-in person: anonymous visitors of public operations, the system, the command line.
CREATE FUNCTION audit_begin_as(p_id uuid, p_name text, p_outcome text, p_kind text, p_actor_name text, p_ip text,
                               p_agent text, p_request text, p_reason text, p_key text, p_request_hash text,
                               OUT replayed text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF p_kind = 'user' THEN
    RAISE EXCEPTION USING ERRCODE = 'AU001', MESSAGE = 'a person begins an operation with a session';
  END IF;
  IF p_key IS NOT NULL THEN
    replayed := audit_claim_key(p_id, p_kind || ':' || p_actor_name, p_name, p_key, p_request_hash);
    IF replayed IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  PERFORM audit_open(p_id, p_name, p_outcome, p_kind, NULL, p_actor_name, NULL, p_ip, p_agent, p_request,
                     p_reason, NULL, NULL, 1);
END $$;

-- Record an attempt that was denied or failed; its own changes were rolled back before.
-- The person comes from the session, live or not, when there was one.
CREATE FUNCTION audit_refuse(p_id uuid, p_name text, p_outcome text, p_token_hash text, p_kind text, p_actor_name text,
                             p_ip text, p_agent text, p_request text, p_reason text, p_error text, p_detail text,
                             p_attempts integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_user bigint;
  v_name text;
  v_session bigint;
BEGIN
  IF p_outcome NOT IN ('failed', 'denied') THEN
    RAISE EXCEPTION USING ERRCODE = 'AU005', MESSAGE = 'a refusal is failed or denied';
  END IF;
  IF p_token_hash IS NOT NULL THEN
    SELECT u.id, u.username, s.id INTO v_user, v_name, v_session
      FROM auth_session s JOIN local_user u ON u.id = s.user_id WHERE s.token_hash = p_token_hash;
  END IF;
  IF v_user IS NULL AND p_kind = 'user' THEN
    p_kind := 'anonymous';
    p_actor_name := 'anonymous';
  END IF;
  PERFORM audit_open(p_id, p_name, p_outcome, CASE WHEN v_user IS NULL THEN p_kind ELSE 'user' END, v_user,
                     coalesce(v_name, p_actor_name), v_session, p_ip, p_agent, p_request, p_reason, p_error, p_detail,
                     p_attempts);
END $$;

-- Row trigger of every audited table; what is inserted where nothing is hidden is left to `audit_capture_inserted`.
-- Arguments: key columns, secret columns, personal columns (comma-separated).
CREATE FUNCTION audit_capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC'
SET bytea_output = 'hex' AS $$
DECLARE
  v_operation text := current_setting('inventory.operation', true);
  v_old jsonb;
  v_new jsonb;
  v_before jsonb;
  v_pk text;
  v_change bigint;
  v_column text;
  v_salt text;
  v_personal jsonb := '[]';
BEGIN
  IF v_operation IS NULL OR v_operation = '' THEN
    RAISE EXCEPTION USING ERRCODE = 'AU000',
      MESSAGE = format('%s on %I refused: no operation is open in this transaction', TG_OP, TG_TABLE_NAME),
      HINT = 'Every change is made inside an operation: see CONTRIBUTING.md.';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD *= NEW THEN
      RETURN NULL;
    END IF;
    v_old := to_jsonb(OLD);
    v_new := to_jsonb(NEW);
    SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}') INTO v_before
      FROM jsonb_each(v_old) o WHERE o.value IS DISTINCT FROM v_new -> o.key;
  ELSIF TG_OP = 'INSERT' THEN
    v_new := to_jsonb(NEW);
  ELSE
    v_old := to_jsonb(OLD);
    v_before := v_old;
  END IF;
  IF TG_ARGV[0] = 'id' THEN
    v_pk := coalesce(v_new, v_old) ->> 'id';
  ELSE
    SELECT jsonb_agg(coalesce(v_new, v_old) -> k.name ORDER BY k.position)::text INTO v_pk
      FROM unnest(string_to_array(TG_ARGV[0], ',')) WITH ORDINALITY k(name, position);
  END IF;
  IF TG_ARGV[1] <> '' THEN
    FOREACH v_column IN ARRAY string_to_array(TG_ARGV[1], ',') LOOP
      IF v_new ->> v_column IS NOT NULL THEN
        v_new := jsonb_set(v_new, ARRAY[v_column],
                           to_jsonb('sha256:' || encode(sha256(convert_to(v_new ->> v_column, 'UTF8')), 'hex')));
      END IF;
      IF v_before ->> v_column IS NOT NULL THEN
        v_before := jsonb_set(v_before, ARRAY[v_column],
                              to_jsonb('sha256:' || encode(sha256(convert_to(v_before ->> v_column, 'UTF8')), 'hex')));
      END IF;
    END LOOP;
  END IF;
  IF TG_ARGV[2] <> '' THEN
    FOREACH v_column IN ARRAY string_to_array(TG_ARGV[2], ',') LOOP
      IF v_new ->> v_column IS NOT NULL OR v_before ->> v_column IS NOT NULL THEN
        v_salt := gen_random_uuid()::text;
        v_personal := v_personal || jsonb_build_object('field', v_column, 'salt', v_salt,
                                                       'before', v_before ->> v_column, 'after', v_new ->> v_column);
        IF v_new ->> v_column IS NOT NULL THEN
          v_new := jsonb_set(v_new, ARRAY[v_column],
                     to_jsonb('salted:' || encode(sha256(convert_to(v_salt || (v_new ->> v_column), 'UTF8')), 'hex')));
        END IF;
        IF v_before ->> v_column IS NOT NULL THEN
          v_before := jsonb_set(v_before, ARRAY[v_column],
                     to_jsonb('salted:' || encode(sha256(convert_to(v_salt || (v_before ->> v_column), 'UTF8')), 'hex')));
        END IF;
      END IF;
    END LOOP;
  END IF;
  INSERT INTO audit_change (operation_id, table_name, pk, kind, before, after)
  VALUES (v_operation::uuid, TG_TABLE_NAME, v_pk, lower(TG_OP), v_before::text, v_new::text)
  RETURNING id INTO v_change;
  IF v_personal <> '[]' THEN
    INSERT INTO audit_personal (change_id, field, salt, before, after)
    SELECT v_change, p.field, p.salt, p.before, p.after
      FROM jsonb_to_recordset(v_personal) p(field text, salt text, before text, after text);
  END IF;
  RETURN NULL;
END $$;

-- What one statement inserts, all its rows at once: a row costs a third of what it costs `audit_capture`. For tables that
-- hide nothing. Arguments: key columns.
CREATE FUNCTION audit_capture_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC'
SET bytea_output = 'hex' AS $$
DECLARE
  v_operation text := current_setting('inventory.operation', true);
BEGIN
  IF v_operation IS NULL OR v_operation = '' THEN
    IF EXISTS (SELECT FROM inserted) THEN
      RAISE EXCEPTION USING ERRCODE = 'AU000',
        MESSAGE = format('%s on %I refused: no operation is open in this transaction', TG_OP, TG_TABLE_NAME),
        HINT = 'Every change is made inside an operation: see CONTRIBUTING.md.';
    END IF;
    RETURN NULL;
  END IF;
  -- OFFSET 0: the row becomes JSON once, not once for each use of it.
  INSERT INTO audit_change (operation_id, table_name, pk, kind, after)
  SELECT v_operation::uuid, TG_TABLE_NAME,
         CASE WHEN TG_ARGV[0] = 'id' THEN made.row ->> 'id'
              ELSE (SELECT jsonb_agg(made.row -> k.name ORDER BY k.position)::text
                      FROM unnest(string_to_array(TG_ARGV[0], ',')) WITH ORDINALITY k(name, position)) END,
         'insert', made.row::text
    FROM (SELECT to_jsonb(inserted) AS row FROM inserted OFFSET 0) made;
  RETURN NULL;
END $$;

-- TRUNCATE of audited tables, and any change of what is append-only, is refused for everybody.
CREATE FUNCTION audit_append_only() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'AU007', MESSAGE = format('%s on %I refused: the record is kept', TG_OP, TG_TABLE_NAME);
END $$;

-- Personal values are kept like the rest of the record, except those of somebody whose erasure is on record in this very
-- transaction: whoever deletes them, the owner too, has said who, when and why before.
CREATE FUNCTION audit_personal_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (
      SELECT 1 FROM audit_change c JOIN audit_erasure e ON e.table_name = c.table_name AND e.pk = c.pk
       WHERE c.id = OLD.change_id AND e.xid = pg_current_xact_id()
         AND e.operation_id::text = current_setting('inventory.operation', true)) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'AU007', MESSAGE = format('%s on %I refused: the record is kept', TG_OP, TG_TABLE_NAME);
END $$;

-- Replace a person's personal values by a pseudonym (name, address, who they are to a sign-in provider; a picture by none)
-- and erase those the trail holds; returns how many of these there were.
-- The record keeps its shape: hashes stay, what they were made from is gone. Only inside the operation that says why.
CREATE FUNCTION audit_erase_person(p_user bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_operation uuid := nullif(current_setting('inventory.operation', true), '')::uuid;
  v_enabled boolean;
  v_person text;
  v_values integer;
BEGIN
  SELECT u.enabled, i.id::text INTO v_enabled, v_person
    FROM local_user u JOIN user_info i ON i.user_id = u.id WHERE u.id = p_user FOR UPDATE;
  IF v_enabled IS DISTINCT FROM false THEN
    RAISE EXCEPTION USING ERRCODE = 'AU008', MESSAGE = 'only the data of a disabled account is erased';
  ELSIF NOT EXISTS (SELECT 1 FROM audit_operation o
                     WHERE o.id = v_operation AND o.accepts = pg_current_xact_id() AND coalesce(o.reason, '') <> ''
                       AND o.name = 'users.erase_personal_data' AND o.actor_id IS DISTINCT FROM p_user) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU008', MESSAGE = 'erasing needs its own operation, with a reason, by somebody else';
  END IF;
  UPDATE user_info SET email = 'erased-' || p_user || '@erased.invalid', full_name = 'Erased person ' || p_user,
                       sort_key = 'erased person ' || p_user, version = version + 1
   WHERE user_id = p_user;
  UPDATE external_identity SET subject = 'erased-' || id, removed_at = coalesce(removed_at, now()) WHERE user_id = p_user;
  UPDATE user_picture SET content = '', sha256 = '', updated_at = now() WHERE user_id = p_user AND sha256 <> '';
  INSERT INTO audit_erasure (operation_id, table_name, pk, erased_values)
  SELECT v_operation, c.table_name, c.pk, count(*) FROM audit_personal p JOIN audit_change c ON c.id = p.change_id
   WHERE (c.table_name = 'user_info' AND c.pk = v_person)
      OR (c.table_name = 'external_identity' AND c.pk IN (SELECT i.id::text FROM external_identity i WHERE i.user_id = p_user))
   GROUP BY c.table_name, c.pk;
  DELETE FROM audit_personal p USING audit_change c, audit_erasure e
   WHERE c.id = p.change_id AND e.table_name = c.table_name AND e.pk = c.pk AND e.operation_id = v_operation;
  SELECT sum(e.erased_values) INTO v_values FROM audit_erasure e WHERE e.operation_id = v_operation;
  RETURN v_values;
END $$;

-- The audit tables take inserts only from the functions above, which run as the owner.
-- A movement belongs to the operation that is open, and is recorded when it is: the application cannot say otherwise.
CREATE FUNCTION stock_movement_is_now() RETURNS trigger
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

-- What is reserved of an item now. Volatile, so that it sees what was committed while its caller waited for the item's
-- lock: a statement sees its own beginning otherwise.
CREATE FUNCTION audit_reserved(p_item bigint) RETURNS numeric
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(sum(quantity), 0) FROM reservation
           WHERE item_id = p_item AND released_at IS NULL AND expires_at > clock_timestamp());
END $$;

-- Every process hears at once that a person's session has ended or that they may do something else than before.
-- Only these notify: notifying takes a lock over the whole cluster at commit.
CREATE FUNCTION audit_tell_people() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_LEVEL = 'STATEMENT' THEN
    PERFORM pg_notify('inventory_people', '*');
  ELSIF TG_TABLE_NAME = 'user_role' THEN
    PERFORM pg_notify('inventory_people', i.user_id::text) FROM user_info i
      WHERE i.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
  ELSIF TG_TABLE_NAME = 'local_user' THEN
    PERFORM pg_notify('inventory_people', NEW.id::text);
  ELSIF TG_TABLE_NAME = 'delegation' THEN
    PERFORM pg_notify('inventory_people', NEW.to_user_id::text);
  ELSE
    PERFORM pg_notify('inventory_people', NEW.user_id::text);
  END IF;
  RETURN NULL;
END $$;

-- A migration that adds a column says so in the trail, with the value that rows there already have from then on.
CREATE FUNCTION audit_schema(p_table text, p_column text, p_value text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO audit_change (operation_id, table_name, pk, kind, after)
  VALUES (current_setting('inventory.operation')::uuid, p_table, '', 'schema',
          jsonb_build_object('column', p_column, 'value', p_value::jsonb)::text);
END $$;

-- What the company has of a product is the sum of its movements, whoever books them; what sums to nothing, as the
-- rows of a transfer do, changes nothing. In the products' order, so that two who book many never wait in a circle.
CREATE FUNCTION audit_sum_stock() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO product_stock (product_id, quantity, value)
  SELECT item.product_id, sum(booked.quantity), sum(booked.value)
    FROM booked JOIN inventory_item item ON item.id = booked.item_id
   GROUP BY item.product_id HAVING sum(booked.quantity) <> 0 OR sum(booked.value) <> 0
   ORDER BY item.product_id
  ON CONFLICT (product_id) DO UPDATE
     SET quantity = product_stock.quantity + excluded.quantity, value = product_stock.value + excluded.value;
  RETURN NULL;
END $$;

-- Beside what there is of a product stands from which quantity on it is to be reordered (0: never), so that one index
-- holds what is low. Each side writes its own column only: whoever comes second finds what the other has written.
CREATE FUNCTION audit_reorder_at() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO product_stock (product_id, quantity, value, reorder_at)
  SELECT wanted.id, 0, 0, wanted.reorder_at
    FROM (SELECT id, CASE WHEN active THEN reorder_point ELSE 0 END AS reorder_at FROM changed) wanted
    LEFT JOIN product_stock known ON known.product_id = wanted.id
   WHERE known.reorder_at IS DISTINCT FROM wanted.reorder_at ORDER BY wanted.id
  ON CONFLICT (product_id) DO UPDATE SET reorder_at = excluded.reorder_at;
  RETURN NULL;
END $$;

-- What an item is worth, to sort by: its quantity comes from here, its cost from the product.
CREATE FUNCTION audit_item_worth() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- A cost that is being changed just now would not see an item that is being made just now.
    PERFORM 1 FROM product WHERE id IN (SELECT product_id FROM changed) ORDER BY id FOR SHARE;
  END IF;
  INSERT INTO item_worth (item_id, quantity, unit_cost)
  SELECT changed.id, changed.quantity, product.unit_cost
    FROM changed JOIN product ON product.id = changed.product_id ORDER BY changed.id
  ON CONFLICT (item_id) DO UPDATE SET quantity = excluded.quantity WHERE item_worth.quantity <> excluded.quantity;
  RETURN NULL;
END $$;

CREATE FUNCTION audit_item_cost() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM item_worth WHERE item_id IN (SELECT id FROM inventory_item WHERE product_id = NEW.id)
    ORDER BY item_id FOR UPDATE;
  UPDATE item_worth SET unit_cost = NEW.unit_cost
   WHERE item_id IN (SELECT id FROM inventory_item WHERE product_id = NEW.id);
  RETURN NULL;
END $$;

-- The words products are called by, each once: what somebody mistyped is compared with these, which are few.
CREATE FUNCTION audit_search_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO search_word (word)
    SELECT DISTINCT word FROM changed, regexp_split_to_table(changed.search, '[^[:alpha:]]+') word
     WHERE length(word) > 3 ORDER BY word ON CONFLICT DO NOTHING;
  ELSE
    INSERT INTO search_word (word)
    SELECT DISTINCT word FROM regexp_split_to_table(NEW.search, '[^[:alpha:]]+') word
     WHERE length(word) > 3 ORDER BY word ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

-- How far the ledger can be summed for good. Whoever books holds a lock on the table until it commits, and a movement
-- takes its time after that lock: once this lock is had, nothing can still arrive with an earlier one. The lock is for
-- a moment: call it in a transaction of its own. Somebody who waits for it makes others wait, so not for long.
CREATE FUNCTION audit_fix_horizon() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
  v_fixed timestamptz;
BEGIN
  LOCK TABLE stock_movement IN SHARE MODE;
  INSERT INTO stock_horizon (id, fixed_at) VALUES (1, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET fixed_at = greatest(stock_horizon.fixed_at, excluded.fixed_at)
  RETURNING fixed_at INTO v_fixed;
  RETURN v_fixed;
END $$;

-- What was recorded after p_from and up to p_through, as the sums of one part.
CREATE FUNCTION audit_add_part(p_from timestamptz, p_through timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO stock_total (through, effective_day, location_id, kind, movements, quantity, value)
  SELECT p_through, (m.occurred_at AT TIME ZONE 'UTC')::date, item.location_id, m.kind, count(*), sum(m.quantity), sum(m.value)
    FROM stock_movement m JOIN inventory_item item ON item.id = m.item_id
   WHERE m.recorded_at > p_from AND m.recorded_at <= p_through
   GROUP BY 2, 3, 4
$$;

-- Closes the next part of the ledger and sums it: p_most movements, or what is left of a day (UTC) that is over.
-- Returns how many movements that were; 0: there is nothing to close before the horizon.
CREATE FUNCTION audit_sum_days(p_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_horizon timestamptz;
  v_from timestamptz;
  v_over timestamptz;
  v_through timestamptz;
BEGIN
  -- One at a time: the row is the lock.
  SELECT fixed_at INTO v_horizon FROM stock_horizon FOR UPDATE;
  IF NOT FOUND OR p_most < 1 THEN
    RETURN 0;
  END IF;
  SELECT coalesce(max(through), '-infinity') INTO v_from FROM stock_total;
  SELECT date_trunc('day', recorded_at, 'UTC') + interval '1 day' INTO v_over
    FROM stock_movement WHERE recorded_at > v_from ORDER BY recorded_at LIMIT 1;
  SELECT recorded_at INTO v_through FROM stock_movement
   WHERE recorded_at > v_from AND recorded_at <= v_horizon AND recorded_at < v_over
   ORDER BY recorded_at OFFSET p_most - 1 LIMIT 1;
  IF v_through IS NULL AND v_over <= v_horizon THEN
    SELECT max(recorded_at) INTO v_through FROM stock_movement WHERE recorded_at > v_from AND recorded_at < v_over;
  END IF;
  IF v_through IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM audit_add_part(v_from, v_through);
  RETURN (SELECT sum(movements) FROM stock_total WHERE through = v_through);
END $$;

-- Sums a part that is closed anew: only what the ledger says can be in it.
CREATE FUNCTION audit_sum_again(p_through timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM stock_horizon WHERE fixed_at >= p_through FOR UPDATE;
  IF FOUND THEN
    DELETE FROM stock_total WHERE through = p_through;
    PERFORM audit_add_part((SELECT coalesce(max(through), '-infinity') FROM stock_total WHERE through < p_through), p_through);
  END IF;
END $$;

-- Sums what the company has of products anew, and what is kept beside it and beside their items. The rows are locked
-- first, in order: whoever books at the same time adds to what is found here, or is in it.
CREATE FUNCTION audit_stock_again(p_products bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO product_stock (product_id, quantity, value)
  SELECT id, 0, 0 FROM product WHERE id = ANY (p_products) ORDER BY id ON CONFLICT DO NOTHING;
  PERFORM 1 FROM product_stock WHERE product_id = ANY (p_products) ORDER BY product_id FOR UPDATE;
  UPDATE product_stock SET quantity = found.quantity, value = found.value, reorder_at = found.reorder_at
    FROM (SELECT product.id, coalesce(sum(m.quantity), 0) AS quantity, coalesce(sum(m.value), 0) AS value,
                 CASE WHEN product.active THEN product.reorder_point ELSE 0 END AS reorder_at
            FROM product LEFT JOIN inventory_item item ON item.product_id = product.id
            LEFT JOIN stock_movement m ON m.item_id = item.id
           WHERE product.id = ANY (p_products) GROUP BY product.id) found
   WHERE product_stock.product_id = found.id;
  INSERT INTO item_worth (item_id, quantity, unit_cost)
  SELECT item.id, item.quantity, product.unit_cost FROM inventory_item item JOIN product ON product.id = item.product_id
   WHERE item.product_id = ANY (p_products) ORDER BY item.id
  ON CONFLICT (item_id) DO UPDATE SET quantity = excluded.quantity, unit_cost = excluded.unit_cost
   WHERE (item_worth.quantity, item_worth.unit_cost) IS DISTINCT FROM (excluded.quantity, excluded.unit_cost);
END $$;

-- A restore or a first set-up begins a new incarnation, and is an operation itself.
CREATE FUNCTION audit_new_incarnation(p_why text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_incarnation integer;
BEGIN
  INSERT INTO audit_incarnation (why) VALUES (p_why) RETURNING incarnation INTO v_incarnation;
  PERFORM audit_open(gen_random_uuid(), 'database.new_incarnation', 'succeeded', 'cli', NULL, 'cli:owner', NULL, NULL,
                     NULL, NULL, p_why, NULL, NULL, 1);
  RETURN v_incarnation;
END $$;

REVOKE ALL ON FUNCTION audit_ensure_partitions(integer), audit_new_incarnation(text), audit_append_only(), audit_sum_stock(),
  audit_reserved(bigint),
  audit_reorder_at(), audit_item_worth(), audit_item_cost(), audit_search_words(),
  audit_capture(), audit_capture_inserted(), audit_person(text, text, boolean, boolean, integer), audit_claim_key(uuid, text, text, text, text),
  audit_open(uuid, text, text, text, bigint, text, bigint, text, text, text, text, text, text, integer),
  audit_begin(uuid, text, text, text, boolean, boolean, integer, text, text, text, text, text, text),
  audit_begin_as(uuid, text, text, text, text, text, text, text, text, text, text), audit_viewer(text, boolean, boolean),
  audit_holdings(), audit_needs_factor(bigint), audit_tell_people(), audit_schema(text, text, text),
  audit_refuse(uuid, text, text, text, text, text, text, text, text, text, text, text, integer),
  audit_personal_kept(), audit_erase_person(bigint), audit_fix_horizon(), audit_sum_days(integer),
  audit_add_part(timestamptz, timestamptz), audit_sum_again(timestamptz), audit_stock_again(bigint[]) FROM PUBLIC;
