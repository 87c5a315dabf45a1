-- One row for each row of a source whose event the journal holds; append-only. beside: columns of
-- the row that mean nothing here, or hold something else than they should, as JSON.
CREATE TABLE provenance (
    source_no   BIGINT NOT NULL,
    part        TEXT   NOT NULL,
    row_no      BIGINT NOT NULL,
    digest      TEXT   NOT NULL,
    event_id    TEXT   NOT NULL,
    queued_at   BIGINT,
    retry_count BIGINT,
    taken_at    BIGINT NOT NULL,
    beside      TEXT   NOT NULL,
    PRIMARY KEY (source_no, part, row_no, digest)
) WITHOUT ROWID;

CREATE INDEX provenance_by_event ON provenance (event_id, source_no);

-- Rows that were not imported, with their bytes as hex: why is conflict, or what is wrong with
-- them. resolution is empty while an operator has not decided.
CREATE TABLE set_aside (
    aside_no        INTEGER PRIMARY KEY,
    source_no       BIGINT NOT NULL,
    part            TEXT   NOT NULL,
    row_no          BIGINT NOT NULL,
    digest          TEXT   NOT NULL,
    event_id        TEXT   NOT NULL,
    why             TEXT   NOT NULL,
    detail          TEXT   NOT NULL,
    existing_digest TEXT   NOT NULL,
    incoming_digest TEXT   NOT NULL,
    queued_at       BIGINT,
    retry_count     BIGINT,
    beside          TEXT   NOT NULL,
    size            BIGINT NOT NULL,
    raw             TEXT   NOT NULL,
    set_aside_at    BIGINT NOT NULL,
    resolution      TEXT   NOT NULL,
    resolved_at     BIGINT,
    UNIQUE (source_no, part, row_no, digest)
);

CREATE INDEX set_aside_by_state ON set_aside (why, resolution, aside_no);
CREATE INDEX set_aside_by_source ON set_aside (source_no, why, resolution);
CREATE INDEX set_aside_by_event ON set_aside (event_id, aside_no);

CREATE TRIGGER provenance_is_kept BEFORE DELETE ON provenance
BEGIN
    SELECT RAISE(ABORT, 'where events came from is never forgotten');
END;

CREATE TRIGGER provenance_never_changes BEFORE UPDATE ON provenance
BEGIN
    SELECT RAISE(ABORT, 'where events came from never changes');
END;

CREATE TRIGGER set_aside_is_kept BEFORE DELETE ON set_aside
BEGIN
    SELECT RAISE(ABORT, 'what was set aside is never deleted');
END;

CREATE TRIGGER set_aside_never_changes
BEFORE UPDATE OF aside_no, source_no, part, row_no, digest, event_id, why, existing_digest,
    incoming_digest, beside, size, raw
ON set_aside
BEGIN
    SELECT RAISE(ABORT, 'what was set aside never changes');
END;
