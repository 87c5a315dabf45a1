-- What old programs noted of deliveries, one row for each content of each of their rows;
-- append-only. status is their word, a time that was not noted is NULL.
CREATE TABLE past_deliveries (
    past_no      INTEGER PRIMARY KEY,
    source_no    BIGINT NOT NULL,
    part         TEXT   NOT NULL,
    row_no       BIGINT NOT NULL,
    digest       TEXT   NOT NULL,
    target_no    BIGINT NOT NULL,
    stream_id    BIGINT NOT NULL,
    position     BIGINT NOT NULL,
    event_id     TEXT   NOT NULL,
    alias        TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    first_at     BIGINT,
    last_at      BIGINT,
    accepted_at  BIGINT,
    completed_at BIGINT,
    http_status  BIGINT,
    error        TEXT   NOT NULL,
    taken_at     BIGINT NOT NULL,
    UNIQUE (source_no, part, row_no, digest)
);

CREATE INDEX past_deliveries_by_entry ON past_deliveries (stream_id, position, past_no);

CREATE TRIGGER past_deliveries_are_kept BEFORE DELETE ON past_deliveries
BEGIN
    SELECT RAISE(ABORT, 'what old programs noted is never forgotten');
END;

CREATE TRIGGER past_deliveries_never_change BEFORE UPDATE ON past_deliveries
BEGIN
    SELECT RAISE(ABORT, 'what old programs noted never changes');
END;
