-- entry_id = stream_id * 1099511627776 (2^40) + position. One integer names stream and
-- position, so that entries, payloads and ledger rows of a stream are ranges of the key
-- SQLite stores tables by; INTEGER PRIMARY KEY is that key.
CREATE TABLE entries (
    entry_id         INTEGER PRIMARY KEY,
    event_id         TEXT    NOT NULL UNIQUE,
    event_type       TEXT,
    aggregate        TEXT,
    captured_at      BIGINT  NOT NULL,
    size             BIGINT  NOT NULL,
    digest           TEXT    NOT NULL,
    canonical_digest TEXT    NOT NULL,
    chain            TEXT    NOT NULL
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
BEFORE UPDATE OF entry_id, event_id, digest, canonical_digest, chain ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries never change');
END;

CREATE TRIGGER payloads_never_change BEFORE UPDATE ON payloads
BEGIN
    SELECT RAISE(ABORT, 'payloads never change');
END;
