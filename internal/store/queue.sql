-- The part of River's job table that the sweep reads. Only sqlc reads this file; River's migrations create the table.
CREATE TYPE river_job_state AS ENUM (
    'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
);
CREATE TABLE river_job (
    id           bigint          PRIMARY KEY,
    args         jsonb           NOT NULL,
    attempted_by text[],
    kind         text            NOT NULL,
    queue        text            NOT NULL,
    state        river_job_state NOT NULL,
    scheduled_at timestamptz     NOT NULL
);
