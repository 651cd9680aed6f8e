-- What came in: one row per accepted webhook, one per conversation.
-- Conversation ids are UUIDs of version 7, so their order is the order of acceptance: lists page by id alone.

-- +goose Up
CREATE TABLE conversations (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    source          text        NOT NULL,
    external_id     text        NOT NULL,
    revision_id     uuid        NOT NULL,
    content         jsonb       NOT NULL,
    state           text        NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'waiting', 'decided')),
    run             integer     NOT NULL DEFAULT 1,
    version         integer     NOT NULL DEFAULT 1, -- counts plans and merges
    decide_at       timestamptz NOT NULL,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    decided_at      timestamptz,
    summary         text        NOT NULL DEFAULT '',
    simulated       boolean     NOT NULL DEFAULT false,

    -- Taken from content, for lists and for whoever must not read a transcript to know them.
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL,
    channel         text        NOT NULL,
    direction       text        NOT NULL,
    status          text        NOT NULL,
    agent_id        text        NOT NULL,
    agent_name      text        NOT NULL,
    customer_name   text        NOT NULL,
    customer_email  text        NOT NULL,
    customer_number text        NOT NULL,

    -- Taken from content, for search: e-mail in lower case, the last nine digits of the numbers.
    email_key       text        NOT NULL,
    phone_key       text        NOT NULL, -- of customer_number
    far_phone_key   text        NOT NULL, -- of the far end of the call, if that is another number

    CHECK ((state = 'decided') = (decided_at IS NOT NULL)),
    FOREIGN KEY (account_id, revision_id) REFERENCES revisions (account_id, id),
    UNIQUE (external_id, account_id, source)
);
CREATE INDEX conversations_by_account ON conversations (account_id, id);
CREATE INDEX conversations_by_email ON conversations (account_id, email_key, id) WHERE email_key <> '';
CREATE INDEX conversations_by_phone ON conversations (account_id, phone_key, id) WHERE phone_key <> '';
CREATE INDEX conversations_by_far_phone ON conversations (account_id, far_phone_key, id) WHERE far_phone_key <> '';
CREATE INDEX conversations_undecided ON conversations (decide_at, id) WHERE state <> 'decided';
CREATE INDEX conversations_backlog ON conversations (account_id) WHERE state <> 'decided';

CREATE TABLE events (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    source          text        NOT NULL,
    identity        text        NOT NULL,
    type            text        NOT NULL,
    content_type    text        NOT NULL,
    body            bytea       NOT NULL, -- as it came
    digest          bytea       NOT NULL, -- sha256 of body
    received_at     timestamptz NOT NULL,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    conversation_id uuid        REFERENCES conversations (id),
    UNIQUE (account_id, source, identity)
);
CREATE INDEX events_by_conversation ON events (conversation_id) WHERE conversation_id IS NOT NULL;

-- The same event posted again with another body: kept once per body, for a person to look at.
CREATE TABLE event_conflicts (
    event_id     uuid        NOT NULL REFERENCES events (id),
    account_id   text        NOT NULL,
    digest       bytea       NOT NULL,
    content_type text        NOT NULL,
    body         bytea       NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (event_id, digest)
);

-- +goose Down
DROP TABLE event_conflicts;
DROP TABLE events;
DROP TABLE conversations;
