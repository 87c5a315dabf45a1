-- Who ended a grant and why, and all that was ever done to grants.

ALTER TABLE grants ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN revoked_reason TEXT NOT NULL DEFAULT '';

-- The acts on all grants to a target, numbered from 1; append-only.
CREATE TABLE grant_acts (
    target_no     BIGINT NOT NULL,
    act_no        BIGINT NOT NULL,
    stream_id     BIGINT NOT NULL,
    act           TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    from_position BIGINT NOT NULL,
    generation    BIGINT NOT NULL,
    PRIMARY KEY (target_no, act_no)
);
