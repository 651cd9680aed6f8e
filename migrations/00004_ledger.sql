-- The ledger: every delivery is a row before it is a request, and every try at it is a row after.

-- +goose Up
CREATE TABLE deliveries (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    conversation_id uuid        NOT NULL REFERENCES conversations (id),
    run             integer     NOT NULL,
    automation      text        NOT NULL,
    action          integer     NOT NULL,
    recipient       text        NOT NULL,
    copy            integer     NOT NULL DEFAULT 0, -- 0 is the delivery as planned, n the n-th resend of it
    resend_of       uuid        REFERENCES deliveries (id),
    channel         text        NOT NULL,
    customer        boolean     NOT NULL,
    state           text        NOT NULL CHECK (state IN ('planned', 'sending', 'retrying', 'sent', 'delivered',
                                                          'held', 'failed', 'skipped', 'cancelled', 'unknown')),
    reason          text        NOT NULL CHECK (reason = '' OR known_reason(reason)),
    detail          text        NOT NULL,
    due_at          timestamptz,
    deadline_at     timestamptz,
    test            boolean     NOT NULL,
    content         jsonb       NOT NULL, -- rendered once, sent as stored
    attempt         integer     NOT NULL DEFAULT 0, -- counts claims
    worker_id       text        NOT NULL DEFAULT '', -- who holds or held the last claim
    claim_id        uuid,       -- the group of claims it was claimed in
    claimed_at      timestamptz,
    address         text        NOT NULL DEFAULT '',
    provider        text        NOT NULL DEFAULT '',
    provider_id     text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deliveries_key UNIQUE (conversation_id, run, automation, action, recipient, copy),
    CHECK ((copy = 0) = (resend_of IS NULL)),
    CHECK (state NOT IN ('planned', 'retrying') OR due_at IS NOT NULL),
    CHECK (state <> 'sending' OR (attempt > 0 AND worker_id <> '' AND claimed_at IS NOT NULL))
);
CREATE INDEX deliveries_open ON deliveries (conversation_id, channel, due_at) WHERE state IN ('planned', 'retrying');
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state IN ('planned', 'retrying');
CREATE INDEX deliveries_deadline ON deliveries (deadline_at) WHERE state IN ('planned', 'retrying');
CREATE INDEX deliveries_sending ON deliveries (worker_id) WHERE state = 'sending';
CREATE INDEX deliveries_resends ON deliveries (resend_of) WHERE resend_of IS NOT NULL;

CREATE TABLE attempts (
    delivery_id uuid        NOT NULL REFERENCES deliveries (id),
    attempt     integer     NOT NULL CHECK (attempt > 0),
    account_id  text        NOT NULL,
    worker_id   text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('sent', 'retrying', 'failed', 'skipped', 'held', 'unknown')),
    class       text        NOT NULL,
    status      integer     NOT NULL,
    detail      text        NOT NULL,
    provider    text        NOT NULL,
    provider_id text        NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (delivery_id, attempt)
);

CREATE TABLE tasks (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    conversation_id uuid        NOT NULL REFERENCES conversations (id),
    run             integer     NOT NULL,
    automation      text        NOT NULL,
    action          integer     NOT NULL,
    title           text        NOT NULL,
    description     text        NOT NULL,
    priority        text        NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    assignee        text        NOT NULL,
    due_at          timestamptz,
    state           text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'in_progress', 'done', 'dismissed')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (conversation_id, run, automation, action)
);

-- In-app messages to the team.
CREATE TABLE alerts (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    delivery_id     uuid        NOT NULL UNIQUE REFERENCES deliveries (id),
    conversation_id uuid        NOT NULL REFERENCES conversations (id),
    automation      text        NOT NULL,
    audience        text        NOT NULL,
    text            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX alerts_by_account ON alerts (account_id, id);

-- Messages that were kept instead of sent.
CREATE TABLE captured (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    delivery_id     uuid        NOT NULL REFERENCES deliveries (id),
    attempt         integer     NOT NULL,
    conversation_id uuid        NOT NULL REFERENCES conversations (id),
    external_id     text        NOT NULL,
    automation      text        NOT NULL,
    channel         text        NOT NULL,
    recipients      text        NOT NULL,
    subject         text        NOT NULL,
    text            text        NOT NULL,
    html            text        NOT NULL,
    fields          jsonb       NOT NULL,
    test            boolean     NOT NULL,
    captured_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (delivery_id, attempt)
);
CREATE INDEX captured_by_account ON captured (account_id, id);
CREATE INDEX captured_by_channel ON captured (account_id, channel, id);

-- Running workers and their leases. A worker serves every account.
CREATE TABLE workers (
    id         text        PRIMARY KEY,
    host       text        NOT NULL,
    version    text        NOT NULL,
    started_at timestamptz NOT NULL,
    beat_at    timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE workers;
DROP TABLE captured;
DROP TABLE alerts;
DROP TABLE tasks;
DROP TABLE attempts;
DROP TABLE deliveries;
