CREATE TRIGGER trace_contexts_never_change BEFORE UPDATE ON trace_contexts
BEGIN
    SELECT RAISE(ABORT, 'the trace of an event never changes');
END;
