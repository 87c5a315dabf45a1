-- Counters of entries that are no plain ones, so that counting them reads none of them.

-- How many entries are held for that reason; superseded, purged: those that are so too.
CREATE TABLE held_counts (
    stream_id  BIGINT NOT NULL,
    hold       TEXT   NOT NULL,
    superseded BIGINT NOT NULL,
    purged     BIGINT NOT NULL,
    entries    BIGINT NOT NULL,
    PRIMARY KEY (stream_id, hold, superseded, purged)
);

-- How many ledger rows that a grant does not reach hold each outcome.
CREATE TABLE below_tallies (
    target_no BIGINT NOT NULL,
    stream_id BIGINT NOT NULL,
    outcome   TEXT   NOT NULL,
    entries   BIGINT NOT NULL,
    PRIMARY KEY (target_no, stream_id, outcome)
);

CREATE INDEX holds_by_reason ON holds (stream_id, hold, position);

INSERT INTO held_counts (stream_id, hold, superseded, purged, entries)
SELECT h.stream_id, h.hold,
       CASE WHEN s.position IS NULL THEN 0 ELSE 1 END,
       CASE WHEN g.position IS NULL THEN 0 ELSE 1 END, COUNT(*)
FROM holds h
LEFT JOIN superseded s ON s.stream_id = h.stream_id AND s.position = h.position
LEFT JOIN purged g ON g.stream_id = h.stream_id AND g.position = h.position
GROUP BY 1, 2, 3, 4;

INSERT INTO below_tallies (target_no, stream_id, outcome, entries)
SELECT l.target_no, l.stream_id, l.outcome, COUNT(*)
FROM grants a JOIN ledger l ON l.target_no = a.target_no AND l.stream_id = a.stream_id
                           AND l.position <= a.from_position
GROUP BY 1, 2, 3;
