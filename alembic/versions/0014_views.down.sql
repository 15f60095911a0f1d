-- Takes 0014 back. Frozen.
SET LOCAL lock_timeout = '3s';
DROP TABLE default_view;
