CREATE TRIGGER bodies_are_kept BEFORE DELETE ON bodies
BEGIN
    SELECT RAISE(ABORT, 'bodies are never deleted');
END;

CREATE TRIGGER bodies_keep_their_key BEFORE UPDATE OF body_no, stream_id, project_uuid,
    mission_slug, target_branch, mission_type, manifest_version, artifact_path, content_hash,
    hash_algorithm, size_bytes, added_at ON bodies
BEGIN
    SELECT RAISE(ABORT, 'who a body is never changes');
END;

CREATE TRIGGER body_contents_are_kept BEFORE DELETE ON body_contents
BEGIN
    SELECT RAISE(ABORT, 'contents of bodies are never deleted');
END;

CREATE TRIGGER body_contents_never_change BEFORE UPDATE ON body_contents
BEGIN
    SELECT RAISE(ABORT, 'contents of bodies never change');
END;

CREATE TRIGGER body_standings_are_kept BEFORE DELETE ON body_standings
BEGIN
    SELECT RAISE(ABORT, 'what was uploaded where is never deleted');
END;

CREATE TRIGGER body_failures_are_kept BEFORE DELETE ON body_failures
BEGIN
    SELECT RAISE(ABORT, 'failures of bodies are never deleted');
END;

CREATE TRIGGER body_reopenings_are_kept BEFORE DELETE ON body_reopenings
BEGIN
    SELECT RAISE(ABORT, 'what was done to bodies is never deleted');
END;

CREATE TRIGGER body_reopenings_never_change BEFORE UPDATE ON body_reopenings
BEGIN
    SELECT RAISE(ABORT, 'what was done to bodies never changes');
END;
