-- Takes 0009 back; frozen.
SET LOCAL lock_timeout = '3s';
SELECT audit_begin_as(gen_random_uuid(), 'database.migrate', 'succeeded', 'system', 'system:migration', NULL, NULL, NULL,
                      'revision 0009 taken back', NULL, NULL)
 WHERE coalesce(current_setting('inventory.operation', true), '') = '';
-- As it was before: what was taken away names nobody.
UPDATE external_identity SET issuer = '', subject = id::text WHERE removed_at IS NOT NULL;
ALTER TABLE auth_session DROP COLUMN identity_id, DROP COLUMN provider_session;
DROP INDEX uq_external_identity_subject;
ALTER TABLE external_identity DROP COLUMN removed_at;
ALTER TABLE external_identity ADD CONSTRAINT uq_external_identity_subject UNIQUE (issuer, subject);

-- Replace a person's personal values by a pseudonym and erase those the trail holds; returns how many of these there were.
-- The record keeps its shape: hashes stay, what they were made from is gone. Only inside the operation that says why.
CREATE OR REPLACE FUNCTION audit_erase_person(p_user bigint) RETURNS integer
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
