-- INTEGER PRIMARY KEY is the key SQLite stores a table by. entry_id counts the entries of all
-- streams as they come, so that rows are only ever added at the end and pages stay full.
CREATE TABLE entries (
    entry_id         INTEGER PRIMARY KEY,
    stream_id        BIGINT  NOT NULL,
    position         BIGINT  NOT NULL,
    event_id         TEXT    NOT NULL UNIQUE,
    event_type       TEXT,
    aggregate        TEXT,
    captured_at      BIGINT  NOT NULL,
    size             BIGINT  NOT NULL,
    digest           TEXT    NOT NULL,
    canonical_digest TEXT    NOT NULL,
    chain            TEXT    NOT NULL,
    UNIQUE (stream_id, position)
);

CREATE TABLE payloads (
    entry_id INTEGER PRIMARY KEY,
    text     TEXT    NOT NULL
);

CREATE TRIGGER entries_are_kept BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries are never deleted');
END;

CREATE TRIGGER entries_never_change
BEFORE UPDATE OF entry_id, stream_id, position, event_id, digest, canonical_digest, chain
ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries never change');
END;

CREATE TRIGGER payloads_never_change BEFORE UPDATE ON payloads
BEGIN
    SELECT RAISE(ABORT, 'payloads never change');
END;
