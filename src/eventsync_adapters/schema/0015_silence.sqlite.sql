-- Of a hold that is over only the words of its reason go, with their project.
DROP TRIGGER released_holds_never_change;
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
