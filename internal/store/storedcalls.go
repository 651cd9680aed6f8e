package store

import (
	"context"
	"fmt"
	"time"

	"aftercall/conversation"
	"aftercall/internal/store/db"
)

// StoredCall is a decided conversation with the answers its decisions rest on.
type StoredCall struct {
	Conversation *conversation.Conversation
	RevisionID   string // it was decided under
	AcceptedAt   time.Time
	Simulated    bool              // the simulated model answered
	Answers      map[string][]byte // by part
}

// storedTime bounds one page of stored calls, whose transcripts may be long.
const storedTime = "SET LOCAL statement_timeout = '30s'"

// StoredCalls lists an account's decided conversations, the last accepted first, at most most of them; next is the cursor
// of what follows, "" if there is nothing.
func (r *Reader) StoredCalls(ctx context.Context, accountID, before string, most int) (calls []StoredCall, next string, err error) {
	if before, err = cursor(before); err != nil {
		return nil, "", fmt.Errorf("list stored calls of account %s: %w", accountID, err)
	}
	if !r.within.Has(accountID) {
		return nil, "", fmt.Errorf("list stored calls of account %s: %w", accountID, ErrNotFound)
	}
	err = r.snapshot(ctx, storedTime, func(q *db.Queries) error {
		rows, err := q.StoredCalls(ctx, db.StoredCallsParams{AccountID: accountID, Before: before, Most: int32(most)})
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := decodeConversation(row.ID, accountID, row.Source, row.Content)
			if err != nil {
				return err
			}
			answers := make(map[string][]byte, len(row.Parts))
			for n, part := range row.Parts {
				answers[part] = row.Answers[n]
			}
			calls = append(calls, StoredCall{Conversation: c, RevisionID: row.RevisionID, AcceptedAt: row.AcceptedAt,
				Simulated: row.Simulated, Answers: answers})
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list stored calls of account %s: %w", accountID, err)
	}
	if len(calls) == most && most > 0 {
		next = calls[most-1].Conversation.ID
	}
	return calls, next, nil
}
