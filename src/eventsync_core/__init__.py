"""
Capture events durably, deliver them to chosen targets, prove what came of each.

This package decides and performs nothing: no I/O, clock, randomness, environment, logging
or threads. The rooms, top to bottom; a room imports only rooms below it:

    testing      contract suites, state machines and strategies for adapter authors
    ports        every port on one page, for reading
    diagnosis    what is wrong with a home, and what helps
    status       one picture of what is stored, owed and delivered, and its exit code
    capture      the way in: redact, classify, validate, append, supersede
    dispatch     one round of delivery, and the drain that repeats it
    desk         retry, replay, hold and release
    ingest       the server's half of the batch contract
    upload       bodies go to a target after their events
    integrity    walk digests, chains and references; set damaged entries aside
    restoring    what holds in a store that stands where another stood
    support      what may be shown to somebody who helps
    telemetry    names of metrics, spans and log lines; a status as metrics
    portability  captured events as lines, exactly as they are stored
    retention    what may go: gc, archives, their return; when to suggest it
    migration    bring home what old programs left: read, merge, resolve, clean up
    stores       the ports of one durable store, and `atomic()`
    erasure      what a store holds of a project, and how it goes on request
    bodies       texts uploaded beside events: what waits, what each target holds
    authority    which server: claims in, one target or a conflict out
    egress       grants and permits: what may leave, to whom, since when
    inspection   what refers to what, and which counters agree with what they count
    legacy       rows of old files, where events came from, and what was set aside
    lines        what a line of an export or archive is: an event, or what is told of it
    measures     how much a store keeps, and since when it is owed, without reading it
    payloads     texts of entries, which may go on record while all else stays
    policy       retention and delivery, four presets; what may be dropped, and the audit of it
    traces       which trace a host was in when it captured an event
    ledger       what each target said about each entry; leases; the backlog; who stands for whom
    census       every entry in exactly one class per target
    journal      order and permanence of captured events
    receivers    outcomes, gates, and what an answer means
    targets      who a target is
    events       one fact: an id and its exact JSON text; the families of types
    codec        the only place that speaks JSON
    ids          names of streams and targets
    clock        microseconds since 1970, handed in
    errors       everything that can be raised
"""

__version__ = "0.1.0"
