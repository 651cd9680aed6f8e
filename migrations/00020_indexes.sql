-- The indexes that pages, sweeps and erasing need on the tables that calls fill, built while calls come in: a build takes minutes
-- on a million of them, and nobody waits for it. It waits for whoever began before it, such as a backup, for a minute, and gives up
-- then; taken again, the step keeps what was built. Most hold the few rows that somebody has to look at, so that what goes well
-- pays next to nothing for them.

-- +goose NO TRANSACTION
-- +goose Up
-- What a build that was broken off has left is good for nothing.
-- +goose StatementBegin
DO $$
DECLARE
    broken regclass;
BEGIN
    FOR broken IN SELECT indexrelid FROM pg_index WHERE NOT indisvalid AND indrelid = ANY (
        '{conversations,events,decisions,deliveries,attempts,tasks,audit_log}'::regclass[]) LOOP
        EXECUTE format('DROP INDEX %s', broken);
    END LOOP;
END $$;
-- +goose StatementEnd
SET lock_timeout = '1min'; -- for nobody waits behind these

-- Undecided calls in their order; it counts an account's backlog as well, for which it stands in.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_undecided_by_account ON conversations (account_id, id) WHERE state <> 'decided';
DROP INDEX CONCURRENTLY IF EXISTS conversations_backlog;

-- Calls by who took them, and by how they came.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_by_agent ON conversations (account_id, agent_id, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_by_agent_name ON conversations (account_id, agent_name, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_by_channel ON conversations (account_id, channel, id);

-- When something was last heard from a source; and events that carry no conversation, which are erased by themselves.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_by_source ON events (account_id, source, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_alone ON events (account_id, id) WHERE conversation_id IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_alone_by_call ON events (account_id, call_id) WHERE conversation_id IS NULL AND call_id <> '';

-- Decisions that fired, with their run, so that the index alone tells those of a first one; those that wait for a person; and
-- those that nearly fired.
CREATE INDEX CONCURRENTLY IF NOT EXISTS decisions_fired_run ON decisions (account_id, automation, conversation_id, run) WHERE verdict = 'fires';
DROP INDEX CONCURRENTLY IF EXISTS decisions_fired;
CREATE INDEX CONCURRENTLY IF NOT EXISTS decisions_unsure ON decisions (account_id, conversation_id) INCLUDE (run, automation)
    WHERE verdict = 'unsure' AND review AND settled_as IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS decisions_nearly ON decisions (account_id, automation, conversation_id)
    WHERE reason IN ('unsure', 'evidence_not_found', 'wrong_speaker');

-- Deliveries that are in trouble: by their call, and by when they came to be. Who does not ask for a time does not get the last
-- of these, which would have to be sorted.
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_troubled ON deliveries (account_id, state, conversation_id)
    WHERE state IN ('held', 'failed', 'unknown');
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_troubled_of ON deliveries (account_id, state, automation, conversation_id)
    WHERE state IN ('held', 'failed', 'unknown');
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_moved ON deliveries (account_id, state, updated_at, id)
    WHERE state IN ('retrying', 'held', 'failed', 'unknown') AND updated_at > '-infinity';

-- The same by when they were planned, for one action on many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_troubled_by_id ON deliveries (account_id, state, id)
    WHERE state IN ('held', 'failed', 'unknown');

-- Held messages that wait for a person, those of test calls and sandboxes not; and those that a breaker holds. Every page counts
-- what waits, and the index alone tells.
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_to_review ON deliveries (account_id, conversation_id) INCLUDE (run, automation)
    WHERE state = 'held' AND NOT test;
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_stopped ON deliveries (account_id, automation, id)
    WHERE state = 'held' AND reason = 'breaker_open';

-- A provider chooses its ids; the store keeps no more of one than an index takes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS attempts_by_provider_id ON attempts (account_id, provider_id) WHERE provider_id <> '';

CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_by_state ON tasks (account_id, state, priority, task_order(state, due_at, updated_at), id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_by_assignee ON tasks (account_id, assignee, state, priority, task_order(state, due_at, updated_at), id);

-- What was done to one thing; what is done now and then, and by whom.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_by_target ON audit_log (account_id, target, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_by_act ON audit_log (act, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_by_person ON audit_log (person, id);
RESET lock_timeout;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS audit_log_by_person;
DROP INDEX CONCURRENTLY IF EXISTS audit_log_by_act;
DROP INDEX CONCURRENTLY IF EXISTS audit_log_by_target;
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_assignee;
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_state;
DROP INDEX CONCURRENTLY IF EXISTS attempts_by_provider_id;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_stopped;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_to_review;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_troubled_by_id;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_moved;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_troubled_of;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_troubled;
DROP INDEX CONCURRENTLY IF EXISTS decisions_nearly;
DROP INDEX CONCURRENTLY IF EXISTS decisions_unsure;
CREATE INDEX CONCURRENTLY IF NOT EXISTS decisions_fired ON decisions (account_id, automation, conversation_id) WHERE verdict = 'fires';
DROP INDEX CONCURRENTLY IF EXISTS decisions_fired_run;
DROP INDEX CONCURRENTLY IF EXISTS events_alone_by_call;
DROP INDEX CONCURRENTLY IF EXISTS events_alone;
DROP INDEX CONCURRENTLY IF EXISTS events_by_source;
DROP INDEX CONCURRENTLY IF EXISTS conversations_by_channel;
DROP INDEX CONCURRENTLY IF EXISTS conversations_by_agent_name;
DROP INDEX CONCURRENTLY IF EXISTS conversations_by_agent;
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_backlog ON conversations (account_id) WHERE state <> 'decided';
DROP INDEX CONCURRENTLY IF EXISTS conversations_undecided_by_account;
