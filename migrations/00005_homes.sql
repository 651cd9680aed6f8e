-- Where this data lives, so that a process that starts on a copy of it (a backup that was restored, a replica that took
-- over) knows that the original may have gone on without it.

-- +goose Up
CREATE TABLE homes (
    only_one          boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    system_identifier bigint,               -- of the server; NULL where it does not tell
    timeline          bigint,               -- of its log, which a recovery and a failover count up; NULL likewise
    database_oid      bigint      NOT NULL, -- another one after a restore into another database
    table_oid         bigint      NOT NULL, -- of this table: another one after a restore into the same database
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    restored_at       timestamptz           -- the last restore that was taken note of
);

-- Not decided in the backup: its messages may have gone out on the original.
ALTER TABLE conversations ADD COLUMN restored boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE conversations DROP COLUMN restored;
DROP TABLE homes;
