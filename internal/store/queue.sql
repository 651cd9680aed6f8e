-- The part of River's job table that sweeps, vitals and the page of a conversation read. Only sqlc reads this file; River's migrations
-- create the table.
CREATE TYPE river_job_state AS ENUM (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
);
CREATE TABLE river_job (
    id           bigint          PRIMARY KEY,
    args         jsonb           NOT NULL,
    attempt      smallint        NOT NULL,
    attempted_at timestamptz,
    attempted_by text[],
    created_at   timestamptz     NOT NULL,
    errors       jsonb[],
    finalized_at timestamptz,
    kind         text            NOT NULL,
    max_attempts smallint        NOT NULL,
    queue        text            NOT NULL,
    priority     smallint        NOT NULL,
    state        river_job_state NOT NULL,
    scheduled_at timestamptz     NOT NULL
);
