-- Held entries that have a ledger row, so that counting looks at these few only.
CREATE TABLE held_rows (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, position)
) WITHOUT ROWID;

INSERT INTO held_rows (target_no, stream_id, position)
SELECT l.target_no, l.stream_id, l.position
FROM targets t CROSS JOIN holds h
     CROSS JOIN ledger l ON l.target_no = t.target_no AND l.stream_id = h.stream_id
                        AND l.position = h.position;

-- Also what an older program holds that has the database open.
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

-- Below a grant: counted when it begins elsewhere, and kept when a late answer comes.
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

-- What is owed, in the order in which it was captured; a pending entry is due, and is not owed.
ALTER TABLE due ADD COLUMN is_owed BIGINT NOT NULL DEFAULT 1;
UPDATE due SET is_owed = 0
WHERE EXISTS (SELECT 1 FROM ledger l WHERE l.target_no = due.target_no
                  AND l.stream_id = due.stream_id AND l.position = due.position
                  AND l.outcome = 'pending');
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
DROP INDEX due_by_position;
CREATE INDEX due_by_owed ON due (target_no, stream_id, is_owed, position);
