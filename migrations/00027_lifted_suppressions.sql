-- Addresses that may be written to again stay as rows that say so, since when: what is heard again of an earlier moment, or late,
-- does not count against a later word. A version that does not know of it leaves no such address out.

-- +goose Up
ALTER TABLE suppressions DROP CONSTRAINT suppressions_reason_check,
    ADD CONSTRAINT suppressions_reason_check CHECK (reason IN ('', 'opted_out', 'bounced')) NOT VALID;

-- +goose Down
DELETE FROM suppressions WHERE reason = '';
ALTER TABLE suppressions DROP CONSTRAINT suppressions_reason_check,
    ADD CONSTRAINT suppressions_reason_check CHECK (reason IN ('opted_out', 'bounced')) NOT VALID;
