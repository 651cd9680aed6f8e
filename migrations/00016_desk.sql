-- What people do with tasks and team alerts. A task knows who touched it last, and a version, so that of two people who
-- change it at once the second is told. Each person has read alerts: all up to one, and some after it.

-- +goose Up
ALTER TABLE tasks ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE tasks ADD COLUMN changed_by text NOT NULL DEFAULT ''; -- as they were known then; '': nobody yet

-- Where a task stands in its list: what is to be done by when it is due, what is finished by when that was.
-- +goose StatementBegin
CREATE FUNCTION task_order(state text, due_at timestamptz, updated_at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN state IN ('done', 'dismissed') THEN updated_at ELSE coalesce(due_at, '9999-12-31 00:00:00+00'::timestamptz) END
$$;
-- +goose StatementEnd

CREATE TABLE alert_reads (
    alert_id   uuid        NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    person     text        NOT NULL, -- their id; '': a machine that signs in by itself
    account_id text        NOT NULL,
    read_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (alert_id, person)
);
CREATE INDEX alert_reads_by_person ON alert_reads (person, account_id, alert_id);
CREATE TABLE alert_marks (
    person     text        NOT NULL,
    account_id text        NOT NULL,
    read_up_to uuid        NOT NULL, -- every alert up to this one is read
    read_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person, account_id)
);
SELECT guard_rows('alert_reads', 'account_id');
SELECT guard_rows('alert_marks', 'account_id');

-- +goose Down
DROP TABLE alert_marks;
DROP TABLE alert_reads;
DROP FUNCTION task_order(text, timestamptz, timestamptz);
ALTER TABLE tasks DROP COLUMN changed_by;
ALTER TABLE tasks DROP COLUMN version;
