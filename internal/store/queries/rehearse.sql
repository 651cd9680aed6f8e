-- name: StoredCalls :many
-- Decided conversations, the last accepted first, each with the answers that were used for it under its own revision.
SELECT c.id, c.source, c.revision_id, c.content, c.accepted_at, c.simulated,
       ARRAY(SELECT i.part FROM interviews AS i
             WHERE i.conversation_id = c.id AND i.revision_id = c.revision_id AND i.chosen ORDER BY i.part)::text[] AS parts,
       ARRAY(SELECT i.answer FROM interviews AS i
             WHERE i.conversation_id = c.id AND i.revision_id = c.revision_id AND i.chosen ORDER BY i.part)::bytea[] AS answers
FROM conversations AS c
WHERE c.account_id = @account_id AND c.state = 'decided' AND c.id < @before::uuid
ORDER BY c.id DESC LIMIT @most::integer;
