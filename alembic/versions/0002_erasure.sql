-- Erasing a person's personal values, frozen: see 0002_erasure.py. :app_role is the role the application connects as.
SET LOCAL lock_timeout = '3s';

CREATE TABLE audit_erasure (
  operation_id UUID NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  table_name TEXT NOT NULL,
  pk TEXT NOT NULL,
  erased_values INTEGER NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  PRIMARY KEY (operation_id, table_name, pk),
  CONSTRAINT fk_audit_erasure_operation FOREIGN KEY (operation_id, xid) REFERENCES audit_operation (id, accepts)
);
CREATE INDEX ix_audit_erasure_record ON audit_erasure (table_name, pk);

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

-- Replace a person's personal values by a pseudonym and erase those the trail holds; returns how many of these there were.
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
  SELECT count(*) INTO v_values FROM audit_personal p JOIN audit_change c ON c.id = p.change_id
   WHERE c.table_name = 'user_info' AND c.pk = v_person;
  INSERT INTO audit_erasure (operation_id, table_name, pk, erased_values)
  VALUES (v_operation, 'user_info', v_person, v_values);
  DELETE FROM audit_personal p USING audit_change c
   WHERE c.id = p.change_id AND c.table_name = 'user_info' AND c.pk = v_person;
  RETURN v_values;
END $$;

REVOKE ALL ON FUNCTION audit_personal_kept(), audit_erase_person(bigint) FROM PUBLIC;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_erasure FOR EACH ROW EXECUTE FUNCTION audit_append_only();
ALTER TABLE audit_erasure ENABLE ALWAYS TRIGGER audit_append_only;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_erasure FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
ALTER TABLE audit_erasure ENABLE ALWAYS TRIGGER audit_no_truncate;
GRANT SELECT ON audit_erasure TO :app_role;
DROP TRIGGER audit_append_only ON audit_personal;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_personal FOR EACH ROW EXECUTE FUNCTION audit_personal_kept();
ALTER TABLE audit_personal ENABLE ALWAYS TRIGGER audit_append_only;
GRANT EXECUTE ON FUNCTION audit_erase_person(bigint) TO :app_role;
