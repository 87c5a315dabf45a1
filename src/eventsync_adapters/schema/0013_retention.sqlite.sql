-- The entry at position is without payload since the act purge_no.
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

-- A drain that read ahead may be answered after the payload went.
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

-- What is erased with a project goes while its stream is named in `purging`, and else never.
DROP TRIGGER provenance_is_kept;
CREATE TRIGGER provenance_is_kept BEFORE DELETE ON provenance
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN streams s ON s.stream_id = p.stream_id
                 WHERE p.only_row = 1 AND p.is_whole = 1
                   AND (instr(lower(OLD.event_id), s.stream)
                        OR EXISTS (SELECT 1 FROM entries e WHERE e.event_id = OLD.event_id
                                                             AND e.stream_id = s.stream_id)))
BEGIN
    SELECT RAISE(ABORT, 'where events came from is never forgotten');
END;

DROP TRIGGER set_aside_is_kept;
CREATE TRIGGER set_aside_is_kept BEFORE DELETE ON set_aside
WHEN NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1)
BEGIN
    SELECT RAISE(ABORT, 'what was set aside is never deleted');
END;

DROP TRIGGER bodies_are_kept;
CREATE TRIGGER bodies_are_kept BEFORE DELETE ON bodies
WHEN NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1
                                         AND stream_id = OLD.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'bodies are never deleted');
END;

DROP TRIGGER body_contents_are_kept;
CREATE TRIGGER body_contents_are_kept BEFORE DELETE ON body_contents
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN bodies b ON b.body_no = OLD.body_no
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND p.stream_id = b.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'contents of bodies are never deleted');
END;

DROP TRIGGER body_standings_are_kept;
CREATE TRIGGER body_standings_are_kept BEFORE DELETE ON body_standings
WHEN NOT EXISTS (SELECT 1 FROM purging WHERE only_row = 1 AND is_whole = 1
                                         AND stream_id = OLD.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'what was uploaded where is never deleted');
END;

DROP TRIGGER body_failures_are_kept;
CREATE TRIGGER body_failures_are_kept BEFORE DELETE ON body_failures
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN streams s ON s.stream_id = p.stream_id
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND s.stream = lower(OLD.project_uuid))
BEGIN
    SELECT RAISE(ABORT, 'failures of bodies are never deleted');
END;

DROP TRIGGER body_reopenings_are_kept;
CREATE TRIGGER body_reopenings_are_kept BEFORE DELETE ON body_reopenings
WHEN NOT EXISTS (SELECT 1 FROM purging p CROSS JOIN bodies b ON b.body_no = OLD.body_no
                 WHERE p.only_row = 1 AND p.is_whole = 1 AND p.stream_id = b.stream_id)
BEGIN
    SELECT RAISE(ABORT, 'what was done to bodies is never deleted');
END;

-- Of a delivery only the words of its error go.
DROP TRIGGER past_deliveries_never_change;
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
