-- The journal: streams and holds. Entries and payloads stand in the engine's own file.

-- One row per stream; an appender takes it first, so positions have no gaps.
CREATE TABLE streams (
    stream_id BIGINT NOT NULL PRIMARY KEY,
    stream    TEXT   NOT NULL UNIQUE,
    head      BIGINT NOT NULL,
    chain     TEXT   NOT NULL,
    lamport   BIGINT NOT NULL
);

-- Why an entry may not be offered yet; releasing it removes the row.
CREATE TABLE holds (
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    hold      TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    held_at   BIGINT NOT NULL,
    PRIMARY KEY (stream_id, position)
);
