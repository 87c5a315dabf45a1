-- One row per request, append-only; positions reads like 1-240,243.
CREATE TABLE requests (
    request_id  INTEGER PRIMARY KEY,
    target_no   BIGINT  NOT NULL,
    stream_id   BIGINT  NOT NULL,
    positions   TEXT    NOT NULL,
    event_count BIGINT  NOT NULL,
    body_bytes  BIGINT  NOT NULL,
    digest      TEXT    NOT NULL,
    opened_at   BIGINT  NOT NULL,
    closed_at   BIGINT,
    status      BIGINT,
    answer      TEXT    NOT NULL,
    guidance    TEXT    NOT NULL
);

CREATE INDEX requests_by_stream ON requests (target_no, stream_id, request_id);

-- What was said of single events, except plain success; request_id 0: there was no request.
CREATE TABLE answers (
    answer_id   INTEGER PRIMARY KEY,
    stream_id   BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    target_no   BIGINT NOT NULL,
    request_id  BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    category    TEXT
);

CREATE INDEX answers_by_entry ON answers (stream_id, position, answer_id);
CREATE INDEX answers_by_outcome ON answers (target_no, stream_id, outcome, answered_at, position);

-- Where each entry stands with each target; outcome 'owed' was never answered.
CREATE TABLE ledger (
    target_no  BIGINT NOT NULL,
    stream_id  BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    outcome    TEXT   NOT NULL,
    request_id BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    rejections BIGINT NOT NULL,
    round      BIGINT NOT NULL,
    seen       BIGINT NOT NULL,
    due_at     BIGINT,
    wait       BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, position)
) WITHOUT ROWID;

-- The unsettled ledger rows, in the order they come due; delivered ones never stand here.
CREATE TABLE due (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    lane      TEXT   NOT NULL,
    due_at    BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    aggregate TEXT,
    PRIMARY KEY (target_no, stream_id, lane, due_at, position)
) WITHOUT ROWID;

-- aggregate is set where later events of it wait behind the entry.
CREATE INDEX due_by_aggregate ON due (target_no, stream_id, aggregate, position);
