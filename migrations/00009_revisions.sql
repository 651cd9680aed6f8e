-- What an author asks of a revision (why, from which commit, by which door), who may change an account's config, and what
-- became of a watched folder. All of it stands beside what was there: a version that does not know it stores and activates on.
-- Tables are locked in the order in which an activation writes to them, so that the two cannot wait for each other.

-- +goose Up
-- The one door by which an account's config may change; empty until a first one was used.
ALTER TABLE accounts
    ADD COLUMN authority    text NOT NULL DEFAULT '' CHECK (authority IN ('', 'files', 'cli')),
    ADD COLUMN authority_by text NOT NULL DEFAULT '',
    ADD COLUMN authority_at timestamptz;

ALTER TABLE revisions
    ADD COLUMN message text NOT NULL DEFAULT '',
    ADD COLUMN git_sha text NOT NULL DEFAULT '',
    ADD COLUMN origin  text NOT NULL DEFAULT '' CHECK (origin IN ('', 'files', 'cli'));

ALTER TABLE activations
    ADD COLUMN message text NOT NULL DEFAULT '',
    ADD COLUMN origin  text NOT NULL DEFAULT '' CHECK (origin IN ('', 'files', 'cli'));

UPDATE accounts AS a SET authority = 'files', authority_by = r.activated_by, authority_at = r.activated_at
FROM active_revisions AS r WHERE r.account_id = a.id AND r.activated_by LIKE 'folder %';

-- What became of the last look at an account's watched folder. The account may not exist yet: its first folder was wrong.
CREATE TABLE config_attempts (
    account_id    text        PRIMARY KEY,
    folder        text        NOT NULL,
    host          text        NOT NULL,
    state         text        NOT NULL CHECK (state IN ('applied', 'invalid', 'refused', 'failed')),
    problems      integer     NOT NULL,
    first_problem text        NOT NULL,
    digest        text        NOT NULL, -- of the files that were looked at
    since         timestamptz NOT NULL DEFAULT now(), -- it has stood like this
    attempted_at  timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE config_attempts;
ALTER TABLE accounts DROP COLUMN authority_at, DROP COLUMN authority_by, DROP COLUMN authority;
ALTER TABLE revisions DROP COLUMN origin, DROP COLUMN git_sha, DROP COLUMN message;
ALTER TABLE activations DROP COLUMN origin, DROP COLUMN message;
