-- What decides whether an entry may leave is looked up twice, so that one damaged copy frees nothing.
CREATE INDEX holds_again ON holds (position, stream_id);
CREATE INDEX grant_acts_by_stream ON grant_acts (target_no, stream_id, generation, act_no);

-- Their numbers never come back.
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
