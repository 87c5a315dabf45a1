-- What the versions 0001 to 0018 come to, in the words in which SQLite keeps it: a new database is made
-- from this and from the versions after it. A test holds it against the versions, one by one.

CREATE TABLE streams (
    stream_id BIGINT NOT NULL PRIMARY KEY,
    stream    TEXT   NOT NULL UNIQUE,
    head      BIGINT NOT NULL,
    chain     TEXT   NOT NULL,
    lamport   BIGINT NOT NULL
, kept BIGINT NOT NULL DEFAULT 0, kept_bytes BIGINT NOT NULL DEFAULT 0);
CREATE TABLE holds (
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    hold      TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    held_at   BIGINT NOT NULL, actor TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (stream_id, position)
);
CREATE TABLE entries (
    entry_id         INTEGER PRIMARY KEY,
    stream_id        BIGINT  NOT NULL,
    position         BIGINT  NOT NULL,
    event_id         TEXT    NOT NULL UNIQUE,
    event_type       TEXT,
    aggregate        TEXT,
    captured_at      BIGINT  NOT NULL,
    size             BIGINT  NOT NULL,
    digest           TEXT    NOT NULL,
    canonical_digest TEXT    NOT NULL,
    chain            TEXT    NOT NULL, producer_no BIGINT,
    UNIQUE (stream_id, position)
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
BEFORE UPDATE OF entry_id, stream_id, position, event_id, digest, canonical_digest, chain
ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries never change');
END;
CREATE TRIGGER payloads_never_change BEFORE UPDATE ON payloads
BEGIN
    SELECT RAISE(ABORT, 'payloads never change');
END;
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
    last_delivery_at   BIGINT, failures BIGINT NOT NULL DEFAULT 0, retry_at BIGINT NOT NULL DEFAULT 0, probe_until BIGINT NOT NULL DEFAULT 0, back_off_reason TEXT NOT NULL DEFAULT '', max_events BIGINT, max_bytes BIGINT, retry_least BIGINT, retry_most BIGINT, checked_at BIGINT, reset_fields TEXT NOT NULL DEFAULT '', reset_seen_at BIGINT, previous_server_instance_id TEXT, previous_deployment_id TEXT, previous_environment_name TEXT, previous_git_sha TEXT, no_connection BIGINT NOT NULL DEFAULT 0, body_failures BIGINT NOT NULL DEFAULT 0, body_retry_at BIGINT NOT NULL DEFAULT 0, body_probe_until BIGINT NOT NULL DEFAULT 0, body_back_off_reason TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, url_hash, team, user_name)
);
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
    paused        TEXT   NOT NULL, revoked_by TEXT NOT NULL DEFAULT '', revoked_reason TEXT NOT NULL DEFAULT '', from_body BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (target_no, stream_id)
);
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
CREATE TABLE tallies (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    entries   BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, outcome)
);
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
, act TEXT NOT NULL DEFAULT '', actor TEXT NOT NULL DEFAULT '');
CREATE INDEX answers_by_entry ON answers (stream_id, position, answer_id);
CREATE INDEX answers_by_outcome ON answers (target_no, stream_id, outcome, answered_at, position);
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
    wait       BIGINT NOT NULL, round_after BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (target_no, stream_id, position)
) WITHOUT ROWID;
CREATE TABLE due (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    lane      TEXT   NOT NULL,
    due_at    BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    aggregate TEXT, is_owed BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (target_no, stream_id, lane, due_at, position)
) WITHOUT ROWID;
CREATE INDEX due_by_aggregate ON due (target_no, stream_id, aggregate, position);
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
CREATE INDEX grants_by_stream ON grants (stream_id, target_no);
CREATE TRIGGER released_holds_are_kept BEFORE DELETE ON released_holds
BEGIN
    SELECT RAISE(ABORT, 'released holds are never deleted');
END;
CREATE TABLE supersessions (
    stream_id BIGINT NOT NULL PRIMARY KEY,
    entries   BIGINT NOT NULL
);
CREATE INDEX leases_by_stream ON leases (stream_id, target_no);
CREATE TABLE keyed (
    stream_id BIGINT NOT NULL,
    key       TEXT   NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (stream_id, key, position)
) WITHOUT ROWID;
CREATE TABLE superseded (
    stream_id     BIGINT NOT NULL,
    position      BIGINT NOT NULL,
    superseded_by BIGINT NOT NULL,
    superseded_at BIGINT NOT NULL,
    PRIMARY KEY (stream_id, position)
) WITHOUT ROWID;
CREATE INDEX superseded_by_newer ON superseded (stream_id, superseded_by, position);
CREATE TABLE superseded_rows (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, position)
) WITHOUT ROWID;
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
CREATE TABLE producers (
    producer_no  BIGINT NOT NULL PRIMARY KEY,
    user_name    TEXT   NOT NULL,
    team         TEXT   NOT NULL,
    installation TEXT   NOT NULL,
    UNIQUE (user_name, team, installation)
);
CREATE TRIGGER entries_keep_their_producer BEFORE UPDATE OF producer_no ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries never change');
END;
CREATE TRIGGER producers_are_kept BEFORE DELETE ON producers
BEGIN
    SELECT RAISE(ABORT, 'producers are never deleted');
END;
CREATE TRIGGER producers_never_change BEFORE UPDATE ON producers
BEGIN
    SELECT RAISE(ABORT, 'producers never change');
END;
CREATE TABLE audit (
    audit_no   INTEGER PRIMARY KEY,
    event_id   TEXT    NOT NULL,
    event_type TEXT,
    family     TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    at         BIGINT  NOT NULL
);
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.audit_no <> (SELECT COALESCE(MAX(audit_no), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit never change');
END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is never deleted');
END;
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit never changes');
END;
CREATE TABLE grant_acts (
    target_no     BIGINT NOT NULL,
    act_no        BIGINT NOT NULL,
    stream_id     BIGINT NOT NULL,
    act           TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    from_position BIGINT NOT NULL,
    generation    BIGINT NOT NULL, from_body BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (target_no, act_no)
);
CREATE TRIGGER grant_acts_are_kept BEFORE DELETE ON grant_acts
BEGIN
    SELECT RAISE(ABORT, 'what was done to grants is never deleted');
END;
CREATE TRIGGER grant_acts_never_change BEFORE UPDATE ON grant_acts
BEGIN
    SELECT RAISE(ABORT, 'what was done to grants never changes');
END;
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
CREATE TRIGGER bodies_keep_their_key BEFORE UPDATE OF body_no, stream_id, project_uuid,
    mission_slug, target_branch, mission_type, manifest_version, artifact_path, content_hash,
    hash_algorithm, size_bytes, added_at ON bodies
BEGIN
    SELECT RAISE(ABORT, 'who a body is never changes');
END;
CREATE TRIGGER body_contents_never_change BEFORE UPDATE ON body_contents
BEGIN
    SELECT RAISE(ABORT, 'contents of bodies never change');
END;
CREATE TRIGGER body_reopenings_never_change BEFORE UPDATE ON body_reopenings
BEGIN
    SELECT RAISE(ABORT, 'what was done to bodies never changes');
END;
CREATE TABLE legacy_sources (
    source_no   BIGINT NOT NULL PRIMARY KEY,
    path        TEXT   NOT NULL UNIQUE,
    kind        TEXT   NOT NULL,
    target      TEXT   NOT NULL,
    spelling    TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    rows_left   BIGINT NOT NULL,
    open_left   BIGINT NOT NULL,
    became      TEXT   NOT NULL,
    noted_at    BIGINT NOT NULL
);
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
CREATE TRIGGER provenance_never_changes BEFORE UPDATE ON provenance
BEGIN
    SELECT RAISE(ABORT, 'where events came from never changes');
END;
CREATE TRIGGER set_aside_never_changes
BEFORE UPDATE OF aside_no, source_no, part, row_no, digest, event_id, why, existing_digest,
    incoming_digest, beside, size, raw
ON set_aside
BEGIN
    SELECT RAISE(ABORT, 'what was set aside never changes');
END;
CREATE TABLE aliases (
    alias     TEXT   NOT NULL,
    target_no BIGINT NOT NULL,
    called_at BIGINT NOT NULL,
    PRIMARY KEY (alias, target_no)
);
CREATE INDEX aliases_by_target ON aliases (target_no, alias);
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
CREATE TRIGGER payloads_go AFTER DELETE ON payloads
BEGIN
    UPDATE streams
    SET kept = kept - 1,
        kept_bytes = kept_bytes - (SELECT size FROM entries WHERE entry_id = OLD.entry_id)
    WHERE stream_id = (SELECT stream_id FROM entries WHERE entry_id = OLD.entry_id);
END;
CREATE TABLE purges (
    purge_no BIGINT NOT NULL PRIMARY KEY,
    act      TEXT   NOT NULL,
    actor    TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    detail   TEXT   NOT NULL,
    events   BIGINT NOT NULL,
    bytes    BIGINT NOT NULL
);
CREATE UNIQUE INDEX purges_by_deed ON purges (at, act, detail, actor);
CREATE TABLE purged_counts (
    stream_id  BIGINT NOT NULL PRIMARY KEY,
    entries    BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    archived   BIGINT NOT NULL,
    superseded BIGINT NOT NULL
);
CREATE TABLE purged_tallies (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    entries   BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, outcome)
);
CREATE TABLE purging (
    only_row  BIGINT NOT NULL PRIMARY KEY,
    stream_id BIGINT NOT NULL,
    is_whole  BIGINT NOT NULL
, bodies TEXT NOT NULL DEFAULT '');
CREATE TABLE erasures (
    what    TEXT   NOT NULL PRIMARY KEY,
    highest BIGINT NOT NULL,
    entries BIGINT NOT NULL
);
CREATE TABLE purged (
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    purge_no  BIGINT NOT NULL,
    PRIMARY KEY (stream_id, position)
) WITHOUT ROWID;
CREATE TRIGGER payloads_go_on_record BEFORE DELETE ON payloads
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN entries e ON e.entry_id = OLD.entry_id
                 WHERE p.only_row = 1 AND p.stream_id = e.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'payloads are never deleted without a record');
END;
CREATE TRIGGER tombstones_are_kept BEFORE DELETE ON purged
WHEN NOT EXISTS (SELECT 1 FROM entries e CROSS JOIN payloads p ON p.entry_id = e.entry_id
                 WHERE e.stream_id = OLD.stream_id AND e.position = OLD.position)
BEGIN
    SELECT RAISE(ABORT, 'what was purged is never forgotten while it is gone');
END;
CREATE TRIGGER tombstones_never_change BEFORE UPDATE ON purged
BEGIN
    SELECT RAISE(ABORT, 'what was purged never changes');
END;
CREATE TRIGGER purges_are_kept BEFORE DELETE ON purges
BEGIN
    SELECT RAISE(ABORT, 'acts of purging are never deleted');
END;
CREATE TRIGGER purges_never_change BEFORE UPDATE ON purges
WHEN NEW.purge_no <> OLD.purge_no OR NEW.act <> OLD.act OR NEW.actor <> OLD.actor
    OR NEW.at <> OLD.at OR NEW.detail <> OLD.detail OR NEW.events < OLD.events
    OR NEW.bytes < OLD.bytes
BEGIN
    SELECT RAISE(ABORT, 'acts of purging never change');
END;
CREATE TRIGGER purged_rows_follow AFTER INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = NEW.stream_id
                                      AND g.position = NEW.position)
BEGIN
    INSERT INTO purged_tallies (target_no, stream_id, outcome, entries)
    VALUES (NEW.target_no, NEW.stream_id, NEW.outcome, 1)
    ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER purged_rows_change AFTER UPDATE OF outcome ON ledger
WHEN NEW.outcome <> OLD.outcome
    AND EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = NEW.stream_id
                                         AND g.position = NEW.position)
BEGIN
    UPDATE purged_tallies SET entries = entries - 1
    WHERE target_no = OLD.target_no AND stream_id = OLD.stream_id AND outcome = OLD.outcome;
    INSERT INTO purged_tallies (target_no, stream_id, outcome, entries)
    VALUES (NEW.target_no, NEW.stream_id, NEW.outcome, 1)
    ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER purged_are_superseded AFTER INSERT ON superseded
WHEN EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = NEW.stream_id
                                      AND g.position = NEW.position)
BEGIN
    UPDATE purged_counts SET superseded = superseded + 1 WHERE stream_id = NEW.stream_id;
END;
CREATE TRIGGER set_aside_is_kept BEFORE DELETE ON set_aside
WHEN NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1)
BEGIN
    SELECT RAISE(ABORT, 'what was set aside is never deleted');
END;
CREATE TRIGGER bodies_are_kept BEFORE DELETE ON bodies
WHEN NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1
                                         AND stream_id = OLD.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'bodies are never deleted');
END;
CREATE TRIGGER body_contents_are_kept BEFORE DELETE ON body_contents
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN bodies b ON b.body_no = OLD.body_no
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND p.stream_id = b.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'contents of bodies are never deleted');
END;
CREATE TRIGGER body_standings_are_kept BEFORE DELETE ON body_standings
WHEN NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1
                                         AND stream_id = OLD.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'what was uploaded where is never deleted');
END;
CREATE TRIGGER body_failures_are_kept BEFORE DELETE ON body_failures
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN streams s ON s.stream_id = p.stream_id
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND s.stream = lower(OLD.project_uuid))
BEGIN
    SELECT RAISE(ABORT, 'failures of bodies are never deleted');
END;
CREATE TRIGGER body_reopenings_are_kept BEFORE DELETE ON body_reopenings
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN bodies b ON b.body_no = OLD.body_no
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND p.stream_id = b.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'what was done to bodies is never deleted');
END;
CREATE TRIGGER past_deliveries_never_change BEFORE UPDATE ON past_deliveries
WHEN NEW.error <> ''
    OR (NEW.past_no, NEW.source_no, NEW.part, NEW.row_no, NEW.digest, NEW.target_no, NEW.stream_id,
        NEW.position, NEW.event_id, NEW.alias, NEW.status, NEW.attempts, NEW.first_at, NEW.last_at,
        NEW.accepted_at, NEW.completed_at, NEW.http_status, NEW.taken_at)
        IS NOT (OLD.past_no, OLD.source_no, OLD.part, OLD.row_no, OLD.digest, OLD.target_no,
                OLD.stream_id, OLD.position, OLD.event_id, OLD.alias, OLD.status, OLD.attempts,
                OLD.first_at, OLD.last_at, OLD.accepted_at, OLD.completed_at, OLD.http_status,
                OLD.taken_at)
    OR NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1
                                           AND stream_id = OLD.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'what old programs noted never changes');
END;
CREATE TABLE trace_contexts (
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    context   TEXT   NOT NULL,
    PRIMARY KEY (stream_id, position)
);
CREATE TRIGGER trace_contexts_never_change BEFORE UPDATE ON trace_contexts
BEGIN
    SELECT RAISE(ABORT, 'the trace of an event never changes');
END;
CREATE TRIGGER released_holds_never_change BEFORE UPDATE ON released_holds
WHEN NEW.reason <> ''
    OR (NEW.stream_id, NEW.position, NEW.number, NEW.hold, NEW.actor, NEW.held_at,
        NEW.released_by, NEW.released_at)
        IS NOT (OLD.stream_id, OLD.position, OLD.number, OLD.hold, OLD.actor, OLD.held_at,
                OLD.released_by, OLD.released_at)
    OR NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1
                                           AND stream_id = OLD.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'released holds never change');
END;
CREATE TABLE held_counts (
    stream_id  BIGINT NOT NULL,
    hold       TEXT   NOT NULL,
    superseded BIGINT NOT NULL,
    purged     BIGINT NOT NULL,
    entries    BIGINT NOT NULL,
    PRIMARY KEY (stream_id, hold, superseded, purged)
);
CREATE TABLE below_tallies (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    entries   BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, outcome)
);
CREATE INDEX holds_by_reason ON holds (stream_id, hold, position);
CREATE TABLE held_rows (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, position)
) WITHOUT ROWID;
CREATE TRIGGER holds_begin AFTER INSERT ON holds
BEGIN
    INSERT INTO held_counts (stream_id, hold, superseded, purged, entries)
    SELECT NEW.stream_id, NEW.hold,
           EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = NEW.stream_id
                                                AND s.position = NEW.position),
           EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = NEW.stream_id
                                            AND g.position = NEW.position), 1
    WHERE 1
    ON CONFLICT (stream_id, hold, superseded, purged) DO UPDATE SET entries = entries + 1;
    INSERT OR IGNORE INTO held_rows (target_no, stream_id, position)
    SELECT l.target_no, l.stream_id, l.position
    FROM targets t CROSS JOIN ledger l ON l.target_no = t.target_no
                                      AND l.stream_id = NEW.stream_id
                                      AND l.position = NEW.position;
END;
CREATE TRIGGER holds_end AFTER DELETE ON holds
BEGIN
    UPDATE held_counts SET entries = entries - 1
    WHERE stream_id = OLD.stream_id AND hold = OLD.hold
      AND superseded = EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = OLD.stream_id
                                                            AND s.position = OLD.position)
      AND purged = EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = OLD.stream_id
                                                    AND g.position = OLD.position);
    DELETE FROM held_rows
    WHERE target_no IN (SELECT target_no FROM targets) AND stream_id = OLD.stream_id
      AND position = OLD.position;
END;
CREATE TRIGGER held_rows_follow AFTER INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = NEW.stream_id
                                     AND h.position = NEW.position)
BEGIN
    INSERT OR IGNORE INTO held_rows (target_no, stream_id, position)
    VALUES (NEW.target_no, NEW.stream_id, NEW.position);
END;
CREATE TRIGGER held_are_superseded AFTER INSERT ON superseded
WHEN EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = NEW.stream_id
                                     AND h.position = NEW.position)
BEGIN
    UPDATE held_counts SET entries = entries - 1
    WHERE stream_id = NEW.stream_id AND superseded = 0
      AND hold = (SELECT h.hold FROM holds h WHERE h.stream_id = NEW.stream_id
                                               AND h.position = NEW.position)
      AND purged = EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = NEW.stream_id
                                                    AND g.position = NEW.position);
    INSERT INTO held_counts (stream_id, hold, superseded, purged, entries)
    SELECT h.stream_id, h.hold, 1,
           EXISTS (SELECT 1 FROM purged g WHERE g.stream_id = h.stream_id
                                            AND g.position = h.position), 1
    FROM holds h WHERE h.stream_id = NEW.stream_id AND h.position = NEW.position
    ON CONFLICT (stream_id, hold, superseded, purged) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER held_are_purged AFTER INSERT ON purged
WHEN EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = NEW.stream_id
                                     AND h.position = NEW.position)
BEGIN
    UPDATE held_counts SET entries = entries - 1
    WHERE stream_id = NEW.stream_id AND purged = 0
      AND hold = (SELECT h.hold FROM holds h WHERE h.stream_id = NEW.stream_id
                                               AND h.position = NEW.position)
      AND superseded = EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = NEW.stream_id
                                                            AND s.position = NEW.position);
    INSERT INTO held_counts (stream_id, hold, superseded, purged, entries)
    SELECT h.stream_id, h.hold,
           EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = h.stream_id
                                                AND s.position = h.position), 1, 1
    FROM holds h WHERE h.stream_id = NEW.stream_id AND h.position = NEW.position
    ON CONFLICT (stream_id, hold, superseded, purged) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER held_are_restored AFTER DELETE ON purged
WHEN EXISTS (SELECT 1 FROM holds h WHERE h.stream_id = OLD.stream_id
                                     AND h.position = OLD.position)
BEGIN
    UPDATE held_counts SET entries = entries - 1
    WHERE stream_id = OLD.stream_id AND purged = 1
      AND hold = (SELECT h.hold FROM holds h WHERE h.stream_id = OLD.stream_id
                                               AND h.position = OLD.position)
      AND superseded = EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = OLD.stream_id
                                                            AND s.position = OLD.position);
    INSERT INTO held_counts (stream_id, hold, superseded, purged, entries)
    SELECT h.stream_id, h.hold,
           EXISTS (SELECT 1 FROM superseded s WHERE s.stream_id = h.stream_id
                                                AND s.position = h.position), 0, 1
    FROM holds h WHERE h.stream_id = OLD.stream_id AND h.position = OLD.position
    ON CONFLICT (stream_id, hold, superseded, purged) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER grants_begin AFTER INSERT ON grants
BEGIN
    INSERT INTO below_tallies (target_no, stream_id, outcome, entries)
    SELECT target_no, stream_id, outcome, COUNT(*) FROM ledger
    WHERE target_no = NEW.target_no AND stream_id = NEW.stream_id
      AND position <= NEW.from_position
    GROUP BY outcome;
END;
CREATE TRIGGER grants_begin_elsewhere AFTER UPDATE OF from_position ON grants
WHEN NEW.from_position <> OLD.from_position
BEGIN
    DELETE FROM below_tallies WHERE target_no = NEW.target_no AND stream_id = NEW.stream_id;
    INSERT INTO below_tallies (target_no, stream_id, outcome, entries)
    SELECT target_no, stream_id, outcome, COUNT(*) FROM ledger
    WHERE target_no = NEW.target_no AND stream_id = NEW.stream_id
      AND position <= NEW.from_position
    GROUP BY outcome;
END;
CREATE TRIGGER below_rows_follow AFTER INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM grants a WHERE a.target_no = NEW.target_no
                 AND a.stream_id = NEW.stream_id AND a.from_position >= NEW.position)
BEGIN
    INSERT INTO below_tallies (target_no, stream_id, outcome, entries)
    VALUES (NEW.target_no, NEW.stream_id, NEW.outcome, 1)
    ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER below_rows_change AFTER UPDATE OF outcome ON ledger
WHEN NEW.outcome <> OLD.outcome
    AND EXISTS (SELECT 1 FROM grants a WHERE a.target_no = NEW.target_no
                    AND a.stream_id = NEW.stream_id AND a.from_position >= NEW.position)
BEGIN
    UPDATE below_tallies SET entries = entries - 1
    WHERE target_no = OLD.target_no AND stream_id = OLD.stream_id AND outcome = OLD.outcome;
    INSERT INTO below_tallies (target_no, stream_id, outcome, entries)
    VALUES (NEW.target_no, NEW.stream_id, NEW.outcome, 1)
    ON CONFLICT (target_no, stream_id, outcome) DO UPDATE SET entries = entries + 1;
END;
CREATE TRIGGER due_of_pending AFTER INSERT ON due
WHEN NEW.is_owed <> 0
    AND EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = NEW.target_no
                    AND l.stream_id = NEW.stream_id AND l.position = NEW.position
                    AND l.outcome = 'pending')
BEGIN
    UPDATE due SET is_owed = 0
    WHERE target_no = NEW.target_no AND stream_id = NEW.stream_id AND lane = NEW.lane
      AND due_at = NEW.due_at AND position = NEW.position;
END;
CREATE INDEX due_by_owed ON due (target_no, stream_id, is_owed, position);
CREATE TRIGGER provenance_is_kept BEFORE DELETE ON provenance
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN entries e ON e.event_id = OLD.event_id
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND p.stream_id = e.stream_id)
    AND NOT EXISTS (SELECT 1 FROM purging p
                    WHERE p.only_row = 1 AND p.is_whole = 1
                      AND substr(lower(OLD.event_id), 1, length(p.bodies)) = p.bodies
                      AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.event_id = OLD.event_id))
BEGIN
    SELECT RAISE(ABORT, 'where events came from is never forgotten');
END;
CREATE TRIGGER entries_are_counted BEFORE UPDATE OF head ON streams
WHEN NEW.head > OLD.head AND NEW.kept IS OLD.kept AND typeof(OLD.kept) = 'integer'
BEGIN
    SELECT RAISE(ABORT, 'the database belongs to a newer eventsync; end this program and use that');
END;
CREATE INDEX holds_again ON holds (position, stream_id);
CREATE INDEX grant_acts_by_stream ON grant_acts (target_no, stream_id, generation, act_no);
CREATE TRIGGER requests_are_kept BEFORE DELETE ON requests
BEGIN
    SELECT RAISE(ABORT, 'requests are never deleted');
END;
CREATE TRIGGER holds_end_on_record BEFORE DELETE ON holds
WHEN NOT EXISTS (SELECT 1 FROM released_holds r
                 WHERE r.stream_id = OLD.stream_id AND r.position = OLD.position
                   AND r.held_at = OLD.held_at AND r.hold = OLD.hold)
BEGIN
    SELECT RAISE(ABORT, 'holds end on record');
END;
INSERT INTO purging VALUES (1, 0, 0, '');
INSERT INTO erasures VALUES ('bodies', 0, 0);
INSERT INTO erasures VALUES ('set_aside', 0, 0);
