-- Of its events and of its bodies, by their whole names, and of nothing else.
DROP TRIGGER provenance_is_kept;
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

-- Whoever counts what it stores adds to both at once. An older program, which does not count, and has
-- the database open, may add nothing more, or the counters would drift.
CREATE TRIGGER entries_are_counted BEFORE UPDATE OF head ON streams
WHEN NEW.head > OLD.head AND NEW.kept IS OLD.kept AND typeof(OLD.kept) = 'integer'
BEGIN
    SELECT RAISE(ABORT, 'the database belongs to a newer eventsync; end this program and use that');
END;
