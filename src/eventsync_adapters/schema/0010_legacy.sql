-- What came from the files of old programs, and from where. Most rows stand in the engine's file.

-- target: known:<digest> or unknown:<digest>; fingerprint: the file's parts as they were when
-- all in it had been looked at, empty while something may be new; rows_left: rows it then held,
-- open_left: those of them that nobody has decided about; became: what became of them, as JSON.
CREATE TABLE legacy_sources (
    source_no   BIGINT NOT NULL PRIMARY KEY,
    path        TEXT   NOT NULL UNIQUE,
    kind        TEXT   NOT NULL,
    target      TEXT   NOT NULL,
    spelling    TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    rows_left   BIGINT NOT NULL,
    open_left   BIGINT NOT NULL,
    became      TEXT   NOT NULL,
    noted_at    BIGINT NOT NULL
);
