-- The ledger's rows are written under a lock on what they belong to: decisions and deliveries under their conversation's, an
-- attempt in the statement that moves its delivery. The foreign keys looked the same row up again for each of them, which
-- measured a tenth of the database's processor time; `aftercall audit` looks for rows without an owner instead.

-- +goose Up
ALTER TABLE decisions DROP CONSTRAINT decisions_conversation_id_fkey;
ALTER TABLE variable_values DROP CONSTRAINT variable_values_conversation_id_fkey;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_conversation_id_fkey;
ALTER TABLE attempts DROP CONSTRAINT attempts_delivery_id_fkey;
DROP INDEX deliveries_open; -- a conversation's deliveries are found by deliveries_key

-- +goose Down
CREATE INDEX deliveries_open ON deliveries (conversation_id, channel, due_at) WHERE state IN ('planned', 'retrying');
ALTER TABLE decisions ADD CONSTRAINT decisions_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id);
ALTER TABLE variable_values ADD CONSTRAINT variable_values_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id);
ALTER TABLE deliveries ADD CONSTRAINT deliveries_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES conversations (id);
ALTER TABLE attempts ADD CONSTRAINT attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries (id);
