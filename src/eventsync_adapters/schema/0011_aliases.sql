-- What old programs called targets. Their deliveries stand in the engine's own file.
CREATE TABLE aliases (
    alias     TEXT   NOT NULL,
    target_no BIGINT NOT NULL,
    called_at BIGINT NOT NULL,
    PRIMARY KEY (alias, target_no)
);

CREATE INDEX aliases_by_target ON aliases (target_no, alias);
