-- Takes 0030 back. Frozen.
SET LOCAL lock_timeout = '3s';
DO $do$
DECLARE
  v_table regclass;
  v_keys text;
BEGIN
  FOR v_table, v_keys IN
    SELECT tgrelid::regclass, (string_to_array(encode(tgargs, 'escape'), '\000'))[1] FROM pg_trigger
     WHERE tgname = 'audit_capture_inserted' ORDER BY 1
  LOOP
    EXECUTE format(
      'DROP TRIGGER audit_capture_inserted ON %1$s; DROP TRIGGER audit_capture_replicated ON %1$s;'
      'CREATE OR REPLACE TRIGGER audit_capture AFTER INSERT OR UPDATE OR DELETE ON %1$s '
      'FOR EACH ROW EXECUTE FUNCTION audit_capture(%2$L, %3$L, %3$L);'
      'ALTER TABLE %1$s ENABLE ALWAYS TRIGGER audit_capture', v_table, v_keys, '');
  END LOOP;
END $do$;
DROP FUNCTION audit_capture_inserted();
