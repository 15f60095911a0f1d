-- Views that lists begin with; frozen: see 0014_views.py. :app_role as in 0001.
SET LOCAL lock_timeout = '3s';
CREATE TABLE default_view (
  user_id BIGINT NOT NULL,
  page TEXT NOT NULL,
  view_id BIGINT,
  PRIMARY KEY (user_id, page),
  FOREIGN KEY(user_id) REFERENCES local_user (id),
  FOREIGN KEY(view_id) REFERENCES saved_view (id)
);
CREATE INDEX ix_default_view_view_id ON default_view (view_id);
CREATE TRIGGER audit_capture AFTER INSERT OR UPDATE OR DELETE ON default_view FOR EACH ROW EXECUTE FUNCTION audit_capture('user_id,page', '', '');
ALTER TABLE default_view ENABLE ALWAYS TRIGGER audit_capture;
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON default_view FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
ALTER TABLE default_view ENABLE ALWAYS TRIGGER audit_no_truncate;
GRANT SELECT, INSERT, UPDATE ON default_view TO :app_role;
