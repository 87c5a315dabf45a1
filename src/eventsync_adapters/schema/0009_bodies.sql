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
    after_position   BIGINT NOT NULL,
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
    PRIMARY KEY (target_no, stream_id, body_no)
);
CREATE INDEX body_standings_due ON body_standings (target_no, stream_id, state, due_at, body_no);
CREATE INDEX body_standings_there ON body_standings (state, body_no);

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
