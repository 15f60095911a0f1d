-- Takes 0015 back: only ever sensible on a database where nobody has used it. Frozen.
SET LOCAL lock_timeout = '3s';
DROP INDEX uq_import_batch_file;
ALTER TABLE import_batch DROP COLUMN undone_at, DROP COLUMN undone_by, ADD CONSTRAINT uq_import_batch_file UNIQUE (kind, file_hash);
DROP TABLE import_mapping, import_change, import_fault, import_row, import_run;
