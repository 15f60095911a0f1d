-- Takes 0017 back. Frozen.
SET LOCAL lock_timeout = '3s';
DROP TABLE default_view;
