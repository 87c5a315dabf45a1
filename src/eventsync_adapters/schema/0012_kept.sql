-- What is known of a stream without reading a payload: how many are kept, and their bytes.
ALTER TABLE streams ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN kept_bytes BIGINT NOT NULL DEFAULT 0;

-- What is owed, in the order in which it was captured.
CREATE INDEX due_by_position ON due (target_no, stream_id, position);
