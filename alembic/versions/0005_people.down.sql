-- Takes 0005 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
DROP FUNCTION audit_begin(uuid, text, text, text, boolean, boolean, integer, text, text, text, text, text, text);
DROP FUNCTION audit_viewer(text, boolean, boolean);
DROP FUNCTION audit_person(text, text, boolean, boolean, integer);
DROP FUNCTION audit_holdings();
DROP FUNCTION audit_needs_factor(bigint);
DROP FUNCTION audit_schema(text, text, text);
DROP TABLE approval_decision, approval_party, approval, delegation, account_link, second_factor_use, second_factor, recovery_code,
  external_identity, user_picture, job;
ALTER TABLE role DROP COLUMN needs_factor, DROP COLUMN grant_needs_approval, DROP COLUMN version;
ALTER TABLE auth_session DROP COLUMN method, DROP COLUMN strong;
CREATE FUNCTION audit_person(p_token_hash text, p_permission text, p_stale_password boolean,
                             OUT user_id bigint, OUT user_name text, OUT session_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  v_enabled boolean;
  v_must_change boolean;
  v_info bigint;
BEGIN
  SELECT u.id, u.username, s.id, u.enabled, u.must_change_password, i.id
    INTO user_id, user_name, session_id, v_enabled, v_must_change, v_info
    FROM auth_session s
    JOIN local_user u ON u.id = s.user_id
    JOIN user_info i ON i.user_id = u.id
    LEFT JOIN session_activity a ON a.session_id = s.id
   WHERE s.token_hash = p_token_hash AND s.revoked_at IS NULL AND s.expires_at > now()
     AND coalesce(a.seen_at, s.created_at) > now() - make_interval(mins => s.idle_minutes);
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'AU001', MESSAGE = 'no live session';
  ELSIF NOT v_enabled THEN
    RAISE EXCEPTION USING ERRCODE = 'AU002', MESSAGE = 'account disabled';
  ELSIF v_must_change AND NOT p_stale_password THEN
    RAISE EXCEPTION USING ERRCODE = 'AU004', MESSAGE = 'password must be changed first';
  ELSIF p_permission IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM user_role ur
        JOIN role r ON r.id = ur.role_id AND r.active
        JOIN role_permission rp ON rp.role_id = r.id
        JOIN permission p ON p.id = rp.permission_id
       WHERE ur.user_id = v_info AND p.name = p_permission) THEN
    RAISE EXCEPTION USING ERRCODE = 'AU003', MESSAGE = format('permission %s not granted', p_permission);
  END IF;
END $$;
CREATE FUNCTION audit_viewer(p_token_hash text, p_stale_password boolean,
                             OUT user_id bigint, OUT user_name text, OUT session_id bigint, OUT permissions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  SELECT p.user_id, p.user_name, p.session_id INTO user_id, user_name, session_id
    FROM audit_person(p_token_hash, NULL, p_stale_password) p;
  permissions := ARRAY(
    SELECT DISTINCT p.name FROM user_info i
      JOIN user_role ur ON ur.user_id = i.id
      JOIN role r ON r.id = ur.role_id AND r.active
      JOIN role_permission rp ON rp.role_id = r.id
      JOIN permission p ON p.id = rp.permission_id
     WHERE i.user_id = audit_viewer.user_id);
END $$;
CREATE FUNCTION audit_begin(p_id uuid, p_name text, p_token_hash text, p_permission text, p_stale_password boolean,
                            p_ip text, p_agent text, p_request text, p_reason text, p_key text, p_request_hash text,
                            OUT user_id bigint, OUT user_name text, OUT session_id bigint, OUT replayed text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  SELECT p.user_id, p.user_name, p.session_id INTO user_id, user_name, session_id
    FROM audit_person(p_token_hash, p_permission, p_stale_password) p;
  IF p_key IS NOT NULL THEN
    replayed := audit_claim_key(p_id, 'user:' || user_id, p_name, p_key, p_request_hash);
    IF replayed IS NOT NULL THEN
      RETURN;
    END IF;
  END IF;
  PERFORM audit_open(p_id, p_name, 'succeeded', 'user', user_id, user_name, session_id, p_ip, p_agent, p_request,
                     p_reason, NULL, NULL, 1);
END $$;
REVOKE ALL ON FUNCTION audit_person(text, text, boolean), audit_viewer(text, boolean),
  audit_begin(uuid, text, text, text, boolean, text, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_person(text, text, boolean) TO :app_role;
GRANT EXECUTE ON FUNCTION audit_viewer(text, boolean) TO :app_role;
GRANT EXECUTE ON FUNCTION audit_begin(uuid, text, text, text, boolean, text, text, text, text, text, text) TO :app_role;
