-- Where events may go and what came of it.

CREATE TABLE targets (
    target_no          BIGINT NOT NULL PRIMARY KEY,
    target_id          TEXT   NOT NULL UNIQUE,
    kind               TEXT   NOT NULL,
    url                TEXT   NOT NULL,
    url_hash           TEXT   NOT NULL,
    team               TEXT   NOT NULL,
    user_name          TEXT   NOT NULL,
    paused             TEXT   NOT NULL,
    server_instance_id TEXT,
    deployment_id      TEXT,
    environment_name   TEXT,
    git_sha            TEXT,
    first_seen_at      BIGINT NOT NULL,
    last_seen_at       BIGINT NOT NULL,
    last_delivery_at   BIGINT,
    UNIQUE (kind, url_hash, team, user_name)
);

-- passed: every entry up to this position has a ledger row or was not deliverable.
CREATE TABLE grants (
    target_no     BIGINT NOT NULL,
    stream_id     BIGINT NOT NULL,
    from_position BIGINT NOT NULL,
    passed        BIGINT NOT NULL,
    generation    BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    granted_at    BIGINT NOT NULL,
    revoked_at    BIGINT,
    paused        TEXT   NOT NULL,
    PRIMARY KEY (target_no, stream_id)
);

-- open_request: the request that left and is not answered yet, 0 if none.
CREATE TABLE leases (
    target_no    BIGINT NOT NULL,
    stream_id    BIGINT NOT NULL,
    token        BIGINT NOT NULL,
    pid          BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    boot         TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL,
    open_request BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id)
);

-- How many ledger rows of a stream hold each outcome, kept with every change.
CREATE TABLE tallies (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    entries   BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, outcome)
);
