-- What the lists look for beyond an account and a time, and the searches a person keeps. Each index holds the few rows that
-- somebody has to look at, or one row for each message a provider took, so that what goes well pays next to nothing for it.

-- +goose Up
-- Undecided calls in their order; it counts an account's backlog as well, for which it stands in.
CREATE INDEX conversations_undecided_by_account ON conversations (account_id, id) WHERE state <> 'decided';
DROP INDEX conversations_backlog;

-- By who took the call, and by how it came.
CREATE INDEX conversations_by_agent ON conversations (account_id, agent_id, id);
CREATE INDEX conversations_by_agent_name ON conversations (account_id, agent_name, id);
CREATE INDEX conversations_by_channel ON conversations (account_id, channel, id);

CREATE INDEX decisions_unsure ON decisions (account_id, conversation_id)
    WHERE verdict = 'unsure' AND review AND settled_as IS NULL;

-- Deliveries that are in trouble: by their call, and by when they came to be. Who does not ask for a time does not get the last
-- of them, which would have to be sorted.
CREATE INDEX deliveries_troubled ON deliveries (account_id, state, conversation_id) WHERE state IN ('held', 'failed', 'unknown');
CREATE INDEX deliveries_troubled_of ON deliveries (account_id, state, automation, conversation_id) WHERE state IN ('held', 'failed', 'unknown');
CREATE INDEX deliveries_moved ON deliveries (account_id, state, updated_at, id)
    WHERE state IN ('retrying', 'held', 'failed', 'unknown') AND updated_at > '-infinity';

-- A provider chooses its ids; the store keeps no more of one than an index takes.
CREATE INDEX attempts_by_provider_id ON attempts (account_id, provider_id) WHERE provider_id <> '';

-- The searches a person keeps, for one account or, '', for all of theirs. A machine that signs in by itself is nobody: ''.
CREATE TABLE saved_views (
    id         uuid        PRIMARY KEY,
    person     text        NOT NULL,
    account_id text        NOT NULL,
    name       text        NOT NULL,
    query      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (person, account_id, name)
);
SELECT guard_rows('saved_views', 'account_id');

-- +goose Down
DROP TABLE saved_views;
DROP INDEX attempts_by_provider_id;
DROP INDEX deliveries_moved;
DROP INDEX deliveries_troubled_of;
DROP INDEX deliveries_troubled;
DROP INDEX decisions_unsure;
DROP INDEX conversations_by_channel;
DROP INDEX conversations_by_agent_name;
DROP INDEX conversations_by_agent;
CREATE INDEX conversations_backlog ON conversations (account_id) WHERE state <> 'decided';
DROP INDEX conversations_undecided_by_account;
