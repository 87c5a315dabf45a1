-- Payloads that went on record. Tombstones and what guards them stand in the engine's own file.

-- The acts by which payloads went or came back; only how much each did ever changes, and grows.
CREATE TABLE purges (
    purge_no BIGINT NOT NULL PRIMARY KEY,
    act      TEXT   NOT NULL,
    actor    TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    detail   TEXT   NOT NULL,
    events   BIGINT NOT NULL,
    bytes    BIGINT NOT NULL
);
CREATE UNIQUE INDEX purges_by_deed ON purges (at, act, detail, actor);

-- How many entries of a stream are without payload, kept with every act; superseded: of these.
CREATE TABLE purged_counts (
    stream_id  BIGINT NOT NULL PRIMARY KEY,
    entries    BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    archived   BIGINT NOT NULL,
    superseded BIGINT NOT NULL
);

-- How many ledger rows of entries without payload hold each outcome.
CREATE TABLE purged_tallies (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    entries   BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, outcome)
);

-- One row: the stream whose payloads may be deleted in this unit of work, 0 for none; is_whole:
-- all else that holds its content too.
CREATE TABLE purging (
    only_row  BIGINT NOT NULL PRIMARY KEY,
    stream_id BIGINT NOT NULL,
    is_whole  BIGINT NOT NULL
);
INSERT INTO purging (only_row, stream_id, is_whole) VALUES (1, 0, 0);

-- How many rows were erased with their project, and the highest number that was given until then.
CREATE TABLE erasures (
    what    TEXT   NOT NULL PRIMARY KEY,
    highest BIGINT NOT NULL,
    entries BIGINT NOT NULL
);
INSERT INTO erasures (what, highest, entries) VALUES ('bodies', 0, 0);
INSERT INTO erasures (what, highest, entries) VALUES ('set_aside', 0, 0);
