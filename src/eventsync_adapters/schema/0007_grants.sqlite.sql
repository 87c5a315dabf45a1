-- Of grants that are there already, what they say themselves.
INSERT INTO grant_acts (target_no, act_no, stream_id, act, at, actor, reason, from_position,
                        generation)
SELECT target_no, ROW_NUMBER() OVER (PARTITION BY target_no ORDER BY at, stream_id, generation),
       stream_id, act, at, actor, reason, from_position, generation
FROM (
    SELECT target_no, stream_id, 'granted' AS act, granted_at AS at, actor, reason, from_position,
           CASE WHEN revoked_at IS NULL THEN generation ELSE generation - 1 END AS generation
    FROM grants
    UNION ALL
    SELECT target_no, stream_id, 'revoked', revoked_at, '', '', from_position, generation
    FROM grants WHERE revoked_at IS NOT NULL
) AS known;

CREATE TRIGGER grant_acts_are_kept BEFORE DELETE ON grant_acts
BEGIN
    SELECT RAISE(ABORT, 'what was done to grants is never deleted');
END;

CREATE TRIGGER grant_acts_never_change BEFORE UPDATE ON grant_acts
BEGIN
    SELECT RAISE(ABORT, 'what was done to grants never changes');
END;
