-- no_connection: 1 when the last fault of the target was that no connection came about, else 0.
ALTER TABLE targets ADD COLUMN no_connection BIGINT NOT NULL DEFAULT 0;
