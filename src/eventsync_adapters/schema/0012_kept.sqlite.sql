UPDATE streams
SET (kept, kept_bytes) = (SELECT COUNT(*), COALESCE(SUM(e.size), 0)
                          FROM entries e JOIN payloads p ON p.entry_id = e.entry_id
                          WHERE e.stream_id = streams.stream_id);

-- An append adds payloads before their entries, and counts them itself as it raises the head.
CREATE TRIGGER payloads_come_back AFTER INSERT ON payloads
WHEN EXISTS (SELECT 1 FROM entries WHERE entry_id = NEW.entry_id)
BEGIN
    UPDATE streams
    SET kept = kept + 1,
        kept_bytes = kept_bytes + (SELECT size FROM entries WHERE entry_id = NEW.entry_id)
    WHERE stream_id = (SELECT stream_id FROM entries WHERE entry_id = NEW.entry_id);
END;

CREATE TRIGGER payloads_go AFTER DELETE ON payloads
BEGIN
    UPDATE streams
    SET kept = kept - 1,
        kept_bytes = kept_bytes - (SELECT size FROM entries WHERE entry_id = OLD.entry_id)
    WHERE stream_id = (SELECT stream_id FROM entries WHERE entry_id = OLD.entry_id);
END;
