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

-- Superseded entries that have a ledger row, so that counting looks at these few only.
CREATE TABLE superseded_rows (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, position)
) WITHOUT ROWID;

-- A grant that is widened, or a drain that read ahead, may add a row late.
CREATE TRIGGER superseded_rows_follow AFTER INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = NEW.stream_id
                                          AND s.position = NEW.position)
BEGIN
    INSERT OR IGNORE INTO superseded_rows (target_no, stream_id, position)
    VALUES (NEW.target_no, NEW.stream_id, NEW.position);
END;

CREATE TRIGGER superseded_are_kept BEFORE DELETE ON superseded
BEGIN
    SELECT RAISE(ABORT, 'what is superseded is never deliverable again');
END;

CREATE TRIGGER superseded_never_change BEFORE UPDATE ON superseded
BEGIN
    SELECT RAISE(ABORT, 'what is superseded never changes');
END;
