-- Texts that are uploaded beside events, where each stands with each target, and refusals.

-- retry_count, next_attempt_at, last_error: where a target that was never offered it starts from.
CREATE TABLE bodies (
    body_no          BIGINT NOT NULL PRIMARY KEY,
    stream_id        BIGINT NOT NULL,
    project_uuid     TEXT   NOT NULL,
    mission_slug     TEXT   NOT NULL,
    target_branch    TEXT   NOT NULL,
    mission_type     TEXT   NOT NULL,
    manifest_version TEXT   NOT NULL,
    artifact_path    TEXT   NOT NULL,
    content_hash     TEXT   NOT NULL,
    hash_algorithm   TEXT   NOT NULL,
    size_bytes       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    added_at         BIGINT NOT NULL,
    retry_count      BIGINT NOT NULL,
    next_attempt_at  BIGINT NOT NULL,
    last_error       TEXT   NOT NULL
);
CREATE UNIQUE INDEX bodies_by_key ON bodies (content_hash, artifact_path, project_uuid,
    mission_slug, target_branch, mission_type, manifest_version);
CREATE INDEX bodies_of_streams ON bodies (stream_id, body_no);

CREATE TABLE body_contents (
    body_no BIGINT NOT NULL PRIMARY KEY,
    content TEXT   NOT NULL
);

-- asked_at: when a request last carried it; settled_at: when it was uploaded or failed for good.
-- reopened: how often an operator let it go again. wait: how long the target is left to work on it.
CREATE TABLE body_standings (
    target_no  BIGINT NOT NULL,
    stream_id  BIGINT NOT NULL,
    body_no    BIGINT NOT NULL,
    state      TEXT   NOT NULL,
    attempts   BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    last_error TEXT   NOT NULL,
    asked_at   BIGINT,
    settled_at BIGINT,
    reopened   BIGINT NOT NULL,
    wait       BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, body_no)
);
CREATE INDEX body_standings_due ON body_standings (target_no, stream_id, state, due_at, body_no);
CREATE INDEX body_standings_there ON body_standings (state, body_no);

-- How a body stood with a target until an operator let it go again, numbered from 1; append-only.
CREATE TABLE body_reopenings (
    target_no    BIGINT NOT NULL,
    body_no      BIGINT NOT NULL,
    reopening_no BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    act          TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    last_error   TEXT   NOT NULL,
    settled_at   BIGINT,
    PRIMARY KEY (target_no, body_no, reopening_no)
);

CREATE TABLE body_failures (
    failure_no       BIGINT NOT NULL PRIMARY KEY,
    project_uuid     TEXT   NOT NULL,
    mission_slug     TEXT   NOT NULL,
    target_branch    TEXT   NOT NULL,
    mission_type     TEXT   NOT NULL,
    manifest_version TEXT   NOT NULL,
    artifact_path    TEXT   NOT NULL,
    content_hash     TEXT   NOT NULL,
    reason           TEXT   NOT NULL,
    hash_algorithm   TEXT   NOT NULL,
    size_bytes       BIGINT NOT NULL,
    failures         BIGINT NOT NULL,
    first_failed_at  BIGINT NOT NULL,
    last_failed_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX body_failures_by_key ON body_failures (content_hash, artifact_path,
    project_uuid, mission_slug, target_branch, mission_type, manifest_version, reason);

-- from_body: only bodies with a higher number may go.
ALTER TABLE grants ADD COLUMN from_body BIGINT NOT NULL DEFAULT 0;
ALTER TABLE grant_acts ADD COLUMN from_body BIGINT NOT NULL DEFAULT 0;
-- body_…: the same as without, for faults that may be of the bodies that met them.
ALTER TABLE targets ADD COLUMN body_failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN body_retry_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN body_probe_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN body_back_off_reason TEXT NOT NULL DEFAULT '';
