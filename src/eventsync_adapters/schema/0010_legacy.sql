-- What came from the files of old programs, and from where. Most rows stand in the engine's file.

-- target: known:<digest> or unknown:<digest>; fingerprint: the file's parts as they were when
-- nothing waited in it, empty while something may wait; rows_left: rows it then held that are
-- all accounted for, with those of its body queue and of its failure log.
CREATE TABLE legacy_sources (
    source_no     BIGINT NOT NULL PRIMARY KEY,
    path          TEXT   NOT NULL UNIQUE,
    kind          TEXT   NOT NULL,
    target        TEXT   NOT NULL,
    spelling      TEXT   NOT NULL,
    fingerprint   TEXT   NOT NULL,
    rows_left     BIGINT NOT NULL,
    bodies_left   BIGINT NOT NULL,
    failures_left BIGINT NOT NULL,
    noted_at      BIGINT NOT NULL
);
