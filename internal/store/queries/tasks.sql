-- Tasks are listed in the order of task_order, one page from each shelf (account, state, priority): whatever is asked
-- for, an index has each shelf in that order. What is to be done goes up by when it is due, what is finished goes down.

-- name: TasksToDo :many
SELECT page.id, page.account_id, page.conversation_id, page.automation, page.title, page.description, page.priority, page.assignee,
       page.due_at, page.state, page.version, page.changed_by, page.created_at, page.updated_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM (SELECT t.*, task_order(t.state, t.due_at, t.updated_at) AS place
      FROM accounts AS a CROSS JOIN unnest(@states::text[]) AS s (state) CROSS JOIN unnest(@priorities::text[]) AS p (priority)
      CROSS JOIN LATERAL (
          SELECT x.* FROM tasks AS x
          WHERE x.account_id = a.id AND x.state = s.state AND x.priority = p.priority
            AND (task_order(x.state, x.due_at, x.updated_at), x.id) > (@after_at::timestamptz, @after_id::uuid)
            AND task_order(x.state, x.due_at, x.updated_at) < @due_before::timestamptz
          ORDER BY task_order(x.state, x.due_at, x.updated_at), x.id LIMIT @most::integer) AS t
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY task_order(t.state, t.due_at, t.updated_at), t.id LIMIT @most::integer) AS page
JOIN conversations AS c ON c.id = page.conversation_id AND c.account_id = page.account_id
ORDER BY page.place, page.id;

-- name: TasksToDoOf :many
SELECT page.id, page.account_id, page.conversation_id, page.automation, page.title, page.description, page.priority, page.assignee,
       page.due_at, page.state, page.version, page.changed_by, page.created_at, page.updated_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM (SELECT t.*, task_order(t.state, t.due_at, t.updated_at) AS place
      FROM accounts AS a CROSS JOIN unnest(@states::text[]) AS s (state) CROSS JOIN unnest(@priorities::text[]) AS p (priority)
      CROSS JOIN unnest(@assignees::text[]) AS w (assignee)
      CROSS JOIN LATERAL (
          SELECT x.* FROM tasks AS x
          WHERE x.account_id = a.id AND x.assignee = w.assignee AND x.state = s.state AND x.priority = p.priority
            AND (task_order(x.state, x.due_at, x.updated_at), x.id) > (@after_at::timestamptz, @after_id::uuid)
            AND task_order(x.state, x.due_at, x.updated_at) < @due_before::timestamptz
          ORDER BY task_order(x.state, x.due_at, x.updated_at), x.id LIMIT @most::integer) AS t
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY task_order(t.state, t.due_at, t.updated_at), t.id LIMIT @most::integer) AS page
JOIN conversations AS c ON c.id = page.conversation_id AND c.account_id = page.account_id
ORDER BY page.place, page.id;

-- name: FinishedTasks :many
SELECT page.id, page.account_id, page.conversation_id, page.automation, page.title, page.description, page.priority, page.assignee,
       page.due_at, page.state, page.version, page.changed_by, page.created_at, page.updated_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM (SELECT t.*, task_order(t.state, t.due_at, t.updated_at) AS place
      FROM accounts AS a CROSS JOIN unnest(@states::text[]) AS s (state) CROSS JOIN unnest(@priorities::text[]) AS p (priority)
      CROSS JOIN LATERAL (
          SELECT x.* FROM tasks AS x
          WHERE x.account_id = a.id AND x.state = s.state AND x.priority = p.priority
            AND (task_order(x.state, x.due_at, x.updated_at), x.id) < (@after_at::timestamptz, @after_id::uuid)
          ORDER BY task_order(x.state, x.due_at, x.updated_at) DESC, x.id DESC LIMIT @most::integer) AS t
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY task_order(t.state, t.due_at, t.updated_at) DESC, t.id DESC LIMIT @most::integer) AS page
JOIN conversations AS c ON c.id = page.conversation_id AND c.account_id = page.account_id
ORDER BY page.place DESC, page.id DESC;

-- name: FinishedTasksOf :many
SELECT page.id, page.account_id, page.conversation_id, page.automation, page.title, page.description, page.priority, page.assignee,
       page.due_at, page.state, page.version, page.changed_by, page.created_at, page.updated_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM (SELECT t.*, task_order(t.state, t.due_at, t.updated_at) AS place
      FROM accounts AS a CROSS JOIN unnest(@states::text[]) AS s (state) CROSS JOIN unnest(@priorities::text[]) AS p (priority)
      CROSS JOIN unnest(@assignees::text[]) AS w (assignee)
      CROSS JOIN LATERAL (
          SELECT x.* FROM tasks AS x
          WHERE x.account_id = a.id AND x.assignee = w.assignee AND x.state = s.state AND x.priority = p.priority
            AND (task_order(x.state, x.due_at, x.updated_at), x.id) < (@after_at::timestamptz, @after_id::uuid)
          ORDER BY task_order(x.state, x.due_at, x.updated_at) DESC, x.id DESC LIMIT @most::integer) AS t
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY task_order(t.state, t.due_at, t.updated_at) DESC, t.id DESC LIMIT @most::integer) AS page
JOIN conversations AS c ON c.id = page.conversation_id AND c.account_id = page.account_id
ORDER BY page.place DESC, page.id DESC;

-- name: FindTask :one
SELECT t.id, t.account_id, t.conversation_id, t.automation, t.title, t.description, t.priority, t.assignee, t.due_at, t.state,
       t.version, t.changed_by, t.created_at, t.updated_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM tasks AS t JOIN conversations AS c ON c.id = t.conversation_id AND c.account_id = t.account_id
WHERE t.id = @id AND (@every::boolean OR t.account_id = ANY(@account_ids::text[]));

-- name: SetTask :execrows
-- Only as it was shown: somebody else may have changed it since.
UPDATE tasks
SET state = CASE WHEN @state::text = '' THEN state ELSE @state END,
    priority = CASE WHEN @priority::text = '' THEN priority ELSE @priority END,
    assignee = CASE WHEN @assigns::boolean THEN @assignee::text ELSE assignee END,
    version = version + 1, changed_by = @changed_by, updated_at = now()
WHERE id = @id AND account_id = @account_id AND version = @version;

-- name: ActsOnTarget :many
-- What was done to one thing, the newest first.
SELECT id, account_id, coalesce(person_id::text, '')::text AS person_id, person, address, act, target, detail, at
FROM audit_log WHERE account_id = @account_id AND target = @target
ORDER BY id DESC LIMIT @most::integer;

-- name: InsertOwnTask :exec
-- A task that no automation wrote: it has no automation and no run, and stands in the order it came. The conversation is locked.
INSERT INTO tasks (id, account_id, conversation_id, run, automation, action, title, description, priority, assignee, due_at, changed_by)
SELECT @id::uuid, @account_id::text, @conversation_id::uuid, 0, '', coalesce(max(t.action), -1) + 1, @title::text, @description::text,
       @priority::text, @assignee::text, sqlc.narg(due_at)::timestamptz, @changed_by::text
FROM tasks AS t WHERE t.conversation_id = @conversation_id AND t.run = 0 AND t.automation = '';
