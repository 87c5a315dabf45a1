-- What capture notes beside the journal: who made an event, and what was dropped on purpose.
-- The rows of entries and of the audit stand in the engine's own file.

-- An entry names its producer by number; few producers make many entries.
CREATE TABLE producers (
    producer_no  BIGINT NOT NULL PRIMARY KEY,
    user_name    TEXT   NOT NULL,
    team         TEXT   NOT NULL,
    installation TEXT   NOT NULL,
    UNIQUE (user_name, team, installation)
);
