-- What operators do with entries: holds with their end, and acts among the answers.

-- actor: who held it; empty where capture did.
ALTER TABLE holds ADD COLUMN actor TEXT NOT NULL DEFAULT '';

-- Holds that are over, each entry's numbered from 1; append-only.
CREATE TABLE released_holds (
    stream_id   BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    hold        TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    held_at     BIGINT NOT NULL,
    released_by TEXT   NOT NULL,
    released_at BIGINT NOT NULL,
    PRIMARY KEY (stream_id, position, number)
);

-- act: empty for an answer, else what the operator named by actor did.
ALTER TABLE answers ADD COLUMN act TEXT NOT NULL DEFAULT '';
ALTER TABLE answers ADD COLUMN actor TEXT NOT NULL DEFAULT '';

CREATE INDEX grants_by_stream ON grants (stream_id, target_no);

-- round_after: requests up to this one belong to earlier rounds of the entry.
ALTER TABLE ledger ADD COLUMN round_after BIGINT NOT NULL DEFAULT 0;
