ALTER TABLE entries ADD COLUMN producer_no BIGINT;

CREATE TRIGGER entries_keep_their_producer BEFORE UPDATE OF producer_no ON entries
BEGIN
    SELECT RAISE(ABORT, 'entries never change');
END;

CREATE TRIGGER producers_are_kept BEFORE DELETE ON producers
BEGIN
    SELECT RAISE(ABORT, 'producers are never deleted');
END;

CREATE TRIGGER producers_never_change BEFORE UPDATE ON producers
BEGIN
    SELECT RAISE(ABORT, 'producers never change');
END;

-- Events that a policy dropped: everything but what they said; append-only.
CREATE TABLE audit (
    audit_no   INTEGER PRIMARY KEY,
    event_id   TEXT    NOT NULL,
    event_type TEXT,
    family     TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    at         BIGINT  NOT NULL
);

-- A replacement would delete a row without a trigger for that, and the numbers have no gaps.
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.audit_no <> (SELECT COALESCE(MAX(audit_no), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'rows of the audit never change');
END;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is never deleted');
END;

CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit never changes');
END;
