-- Words on an address that carry no time: one that is posted again, by a proxy or from a log, must not count a second time against a
-- later word. Each is known by a keyed hash, as the address is, and kept as long.

-- +goose Up
CREATE TABLE heard_words (
    account_id text        NOT NULL REFERENCES accounts (id),
    word       bytea       NOT NULL, -- HMAC of account, channel and the provider's id of it, under the key of erasure_keys
    heard_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, word)
);
SELECT guard_rows('heard_words', 'account_id');

-- +goose Down
DROP TABLE heard_words;
