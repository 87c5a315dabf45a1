CREATE TRIGGER released_holds_are_kept BEFORE DELETE ON released_holds
BEGIN
    SELECT RAISE(ABORT, 'released holds are never deleted');
END;

CREATE TRIGGER released_holds_never_change BEFORE UPDATE ON released_holds
BEGIN
    SELECT RAISE(ABORT, 'released holds never change');
END;
