-- What a later event with the key may still supersede; key is the SHA-256 of its text.
CREATE TABLE keyed (
    stream_id BIGINT NOT NULL,
    key       TEXT   NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (stream_id, key, position)
) WITHOUT ROWID;

-- The entry at position is never offered again: the one at superseded_by stands for it.
CREATE TABLE superseded (
    stream_id     BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    superseded_by BIGINT NOT NULL,
    superseded_at BIGINT NOT NULL,
    PRIMARY KEY (stream_id, position)
) WITHOUT ROWID;

CREATE INDEX superseded_by_newer ON superseded (stream_id, superseded_by, position);

CREATE TRIGGER superseded_are_kept BEFORE DELETE ON superseded
BEGIN
    SELECT RAISE(ABORT, 'what is superseded is never deliverable again');
END;

CREATE TRIGGER superseded_never_change BEFORE UPDATE ON superseded
BEGIN
    SELECT RAISE(ABORT, 'what is superseded never changes');
END;
