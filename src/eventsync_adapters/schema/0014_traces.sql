-- Which trace a host was in when it captured an event, where it said so.
CREATE TABLE trace_contexts (
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    context   TEXT   NOT NULL,
    PRIMARY KEY (stream_id, position)
);
