-- Events that stand for earlier ones with their key. The links stand in the engine's own file.

-- How many entries of a stream are superseded, kept with every link.
CREATE TABLE supersessions (
    stream_id BIGINT NOT NULL PRIMARY KEY,
    entries   BIGINT NOT NULL
);

-- Whoever may have been sent a stream is looked up when an event with a key is captured.
CREATE INDEX leases_by_stream ON leases (stream_id, target_no);
