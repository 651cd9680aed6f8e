-- Accounts and what is configured for them. A revision is never changed; an account points at one of its own.

-- +goose Up
CREATE TABLE accounts (
    id         text        PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE revisions (
    id         uuid        PRIMARY KEY,
    account_id text        NOT NULL REFERENCES accounts (id),
    digest     text        NOT NULL,
    format     integer     NOT NULL,
    files      jsonb       NOT NULL, -- path → contents, base64
    created_by text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, digest),
    UNIQUE (account_id, id)
);

-- +goose StatementBegin
CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd

CREATE TRIGGER revisions_insert_only BEFORE UPDATE ON revisions
    FOR EACH ROW EXECUTE FUNCTION refuse_update();

CREATE TABLE active_revisions (
    account_id   text        PRIMARY KEY,
    revision_id  uuid        NOT NULL,
    activated_by text        NOT NULL DEFAULT '',
    activated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (account_id, revision_id) REFERENCES revisions (account_id, id)
);

-- Every activation there ever was, a rollback included.
CREATE TABLE activations (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id   text        NOT NULL,
    revision_id  uuid        NOT NULL,
    activated_by text        NOT NULL DEFAULT '',
    activated_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (account_id, revision_id) REFERENCES revisions (account_id, id)
);
CREATE INDEX activations_by_account ON activations (account_id, id DESC);

-- A source's id stands in the webhook's path and names the account, so it is unique in the installation.
CREATE TABLE sources (
    source_id  text        PRIMARY KEY,
    account_id text        NOT NULL REFERENCES accounts (id),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sources_by_account ON sources (account_id);

CREATE TABLE api_keys (
    id         uuid        PRIMARY KEY,
    account_id text        NOT NULL REFERENCES accounts (id),
    name       text        NOT NULL,
    prefix     text        NOT NULL, -- the readable beginning, to tell keys apart
    hash       bytea       NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX api_keys_by_account ON api_keys (account_id);

-- +goose Down
DROP TABLE api_keys;
DROP TABLE sources;
DROP TABLE activations;
DROP TABLE active_revisions;
DROP TABLE revisions;
DROP FUNCTION refuse_update();
DROP TABLE accounts;
