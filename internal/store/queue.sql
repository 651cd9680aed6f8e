-- The part of River's job table that sweeps and vitals read. Only sqlc reads this file; River's migrations create the table.
CREATE TYPE river_job_state AS ENUM (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
);
CREATE TABLE river_job (
    id           bigint          PRIMARY KEY,
    args         jsonb           NOT NULL,
    attempted_by text[],
    kind         text            NOT NULL,
    queue        text            NOT NULL,
    priority     smallint        NOT NULL,
    state        river_job_state NOT NULL,
    scheduled_at timestamptz     NOT NULL
);
