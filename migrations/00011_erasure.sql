-- Erasing calls and customers, and what must stay of it: that a call was erased, when, why and how much it was, in ids and
-- counts; and keyed hashes, by which a webhook that comes again is known. Nothing here says what a call was about.

-- +goose Up
-- The key of the hashes below. It is made here, belongs to this data and goes with it into every backup.
CREATE TABLE erasure_keys (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea   NOT NULL
);
INSERT INTO erasure_keys (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

CREATE TABLE erasures (
    id            uuid        PRIMARY KEY,
    account_id    text        NOT NULL REFERENCES accounts (id),
    cause         text        NOT NULL CHECK (cause IN ('conversation', 'customer', 'retention')),
    asked_by      text        NOT NULL,
    began_at      timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,                   -- NULL while it goes on, or if it broke off
    conversations integer     NOT NULL DEFAULT 0,
    events        integer     NOT NULL DEFAULT 0 -- those that belonged to no conversation
);
CREATE INDEX erasures_by_account ON erasures (account_id, id);

CREATE TABLE erased_conversations (
    id          uuid        PRIMARY KEY, -- the conversation's
    account_id  text        NOT NULL,
    erasure_id  uuid        NOT NULL REFERENCES erasures (id),
    accepted_at timestamptz NOT NULL,
    erased_at   timestamptz NOT NULL DEFAULT now(),
    counts      jsonb       NOT NULL     -- rows of it by table; of deliveries, by state
);
CREATE INDEX erased_conversations_by_erasure ON erased_conversations (erasure_id);

-- Webhooks look here, by the primary key: of a call's identity, or of an event's that belonged to none.
CREATE TABLE erased_hashes (
    hash            bytea PRIMARY KEY,
    account_id      text  NOT NULL,
    conversation_id uuid
);

SELECT guard_rows('erasures', 'account_id');
SELECT guard_rows('erased_conversations', 'account_id');
SELECT guard_rows('erased_hashes', 'account_id');

-- Which call an event is about that carries none; the events of a call are erased with it.
ALTER TABLE events ADD COLUMN call_id text NOT NULL DEFAULT '';

-- A conversation could not be deleted without reading all alerts and captured messages: nothing finds theirs by its id. Both
-- have their delivery, which has it.
ALTER TABLE alerts DROP CONSTRAINT alerts_conversation_id_fkey;
ALTER TABLE captured DROP CONSTRAINT captured_conversation_id_fkey;

-- +goose Down
ALTER TABLE captured ADD CONSTRAINT captured_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id);
ALTER TABLE alerts ADD CONSTRAINT alerts_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id);
ALTER TABLE events DROP COLUMN call_id;
DROP TABLE erased_hashes;
DROP TABLE erased_conversations;
DROP TABLE erasures;
DROP TABLE erasure_keys;
