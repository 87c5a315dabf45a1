UPDATE streams
SET (kept, kept_bytes) = (SELECT COUNT(*), COALESCE(SUM(e.size), 0)
                          FROM entries e JOIN payloads p ON p.entry_id = e.entry_id
                          WHERE e.stream_id = streams.stream_id);

-- What adds payloads counts them itself: with a trigger a full disk would undo no more than the one
-- insert, and leave the rest of the unit of work open.
CREATE TRIGGER payloads_go AFTER DELETE ON payloads
BEGIN
    UPDATE streams
    SET kept = kept - 1,
        kept_bytes = kept_bytes - (SELECT size FROM entries WHERE entry_id = OLD.entry_id)
    WHERE stream_id = (SELECT stream_id FROM entries WHERE entry_id = OLD.entry_id);
END;
