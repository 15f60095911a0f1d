-- Open tabs hear of ended sessions and changed roles at once; frozen: see 0007_live.py.
SET LOCAL lock_timeout = '3s';

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
REVOKE ALL ON FUNCTION audit_tell_people() FROM PUBLIC;

CREATE TRIGGER audit_tell_people AFTER UPDATE ON auth_session FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION audit_tell_people();
CREATE TRIGGER audit_tell_people AFTER UPDATE ON local_user FOR EACH ROW WHEN (OLD.enabled <> NEW.enabled OR OLD.must_change_password <> NEW.must_change_password) EXECUTE FUNCTION audit_tell_people();
CREATE TRIGGER audit_tell_people AFTER INSERT OR DELETE ON user_role FOR EACH ROW EXECUTE FUNCTION audit_tell_people();
CREATE TRIGGER audit_tell_people AFTER INSERT OR UPDATE ON delegation FOR EACH ROW EXECUTE FUNCTION audit_tell_people();
CREATE TRIGGER audit_tell_people AFTER UPDATE ON role FOR EACH STATEMENT EXECUTE FUNCTION audit_tell_people();
CREATE TRIGGER audit_tell_people AFTER INSERT OR DELETE ON role_permission FOR EACH STATEMENT EXECUTE FUNCTION audit_tell_people();
