-- What a connection with a sign-in provider was stays on record; frozen: see 0009_identities.py. :app_role as in 0001.
SET LOCAL lock_timeout = '3s';
SELECT audit_begin_as(gen_random_uuid(), 'database.migrate', 'succeeded', 'system', 'system:migration', NULL, NULL, NULL,
                      'revision 0009: identities keep when they were removed, sessions where they came from', NULL, NULL)
-- A fresh database runs all its migrations in one transaction, which has an operation then.
 WHERE coalesce(current_setting('inventory.operation', true), '') = '';

ALTER TABLE external_identity ADD COLUMN removed_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE auth_session ADD COLUMN identity_id BIGINT REFERENCES external_identity (id), ADD COLUMN provider_session TEXT;
SELECT audit_schema('external_identity', 'removed_at', 'null'),
       audit_schema('auth_session', 'identity_id', 'null'), audit_schema('auth_session', 'provider_session', 'null');

-- Until now a connection that was taken away was blanked: when that was is in the trail.
UPDATE external_identity i SET removed_at = coalesce(
    (SELECT max(c.recorded_at) FROM audit_change c
      WHERE c.table_name = 'external_identity' AND c.pk = i.id::text AND c.kind = 'update'), now())
 WHERE i.issuer = '';

-- Of those that sign somebody in now, one for each person at a provider.
ALTER TABLE external_identity DROP CONSTRAINT uq_external_identity_subject;
CREATE UNIQUE INDEX uq_external_identity_subject ON external_identity (issuer, subject) WHERE removed_at IS NULL;
CREATE INDEX ix_auth_session_identity_id ON auth_session (identity_id);

-- Replace a person's personal values by a pseudonym (name, address, who they are to a sign-in provider; a picture by none)
-- and erase those the trail holds; returns how many of these there were.
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
