-- name: ListViews :many
SELECT id, account_id, name, query FROM saved_views
WHERE person = @person AND account_id = @account_id
ORDER BY name LIMIT @most::integer;

-- name: SaveView :many
-- In place of the one with that name. Nothing is returned where there are too many.
INSERT INTO saved_views (id, person, account_id, name, query)
SELECT @id, @person, @account_id, @name, @query
WHERE (SELECT count(*) FROM saved_views AS v WHERE v.person = @person AND v.account_id = @account_id AND v.name <> @name) < @most::integer
ON CONFLICT (person, account_id, name) DO UPDATE SET query = excluded.query
RETURNING id;

-- name: DropView :many
DELETE FROM saved_views WHERE id = @id AND person = @person RETURNING account_id;
