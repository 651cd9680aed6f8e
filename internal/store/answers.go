package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"aftercall/internal/store/db"
)

// Asked is what a program asks for with an Idempotency-Key, so that it may ask again when it did not hear the answer. Both are
// hashes.
type Asked struct {
	Key     Key
	Token   []byte // what the program calls it
	Request []byte // what it asks for
}

// Answered is what became of the same Idempotency-Key before.
type Answered struct {
	Other  bool      // it was sent with another request
	Status int       // of the answer; 0: none is kept, because it is being done or its process died while doing it
	Body   string    // of the answer
	At     time.Time // when it was asked first
}

// answersKept is how long an answer can be asked for again, at least.
const answersKept = 24 * time.Hour

// ClaimAnswer notes that something is about to be done for a program. It gives nil to the first who asks, who then does it and
// calls KeepAnswer or ForgetAnswer; everybody else is told what became of it.
func (s *Store) ClaimAnswer(ctx context.Context, a Asked) (*Answered, error) {
	for range 3 { // between the two statements the first may have been forgotten
		n, err := s.q.ClaimAnswer(ctx, db.ClaimAnswerParams{KeyID: a.Key.ID, Token: a.Token, AccountID: a.Key.AccountID, Request: a.Request})
		if err != nil {
			return nil, fmt.Errorf("claim an answer: %w", err)
		}
		if n == 1 {
			return nil, nil
		}
		row, err := s.q.FindAnswer(ctx, db.FindAnswerParams{KeyID: a.Key.ID, Token: a.Token, AccountID: a.Key.AccountID})
		switch err = found(err); {
		case err == nil:
			return &Answered{Other: !bytes.Equal(row.Request, a.Request), Status: int(row.Status), Body: row.Body, At: row.CreatedAt}, nil
		case !errors.Is(err, ErrNotFound):
			return nil, fmt.Errorf("find an answer: %w", err)
		}
	}
	return nil, errors.New("claim an answer: others claim and forget it all the time")
}

// KeepAnswer keeps the answer to what was claimed. It has ids in it, and nothing that was said.
func (s *Store) KeepAnswer(ctx context.Context, a Asked, status int, body string) error {
	err := s.q.KeepAnswer(ctx, db.KeepAnswerParams{KeyID: a.Key.ID, Token: a.Token, AccountID: a.Key.AccountID, Status: int32(status), Body: clean(body)})
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	return nil
}

// ForgetAnswer gives up what was claimed, since nothing was done: it may be asked for again.
func (s *Store) ForgetAnswer(ctx context.Context, a Asked) error {
	err := s.q.ForgetAnswer(ctx, db.ForgetAnswerParams{KeyID: a.Key.ID, Token: a.Token, AccountID: a.Key.AccountID})
	if err != nil {
		return fmt.Errorf("forget an answer: %w", err)
	}
	return nil
}

// DropAnswers drops the answers that nobody can ask for any more, some at a time, and says how many.
func (s *Store) DropAnswers(ctx context.Context, now time.Time) (dropped int, err error) {
	for {
		n, err := s.q.DropOldAnswers(ctx, db.DropOldAnswersParams{Before: now.Add(-answersKept), Most: sweepMost})
		if err != nil {
			return dropped, fmt.Errorf("drop old answers: %w", err)
		}
		if dropped += int(n); n < sweepMost {
			return dropped, nil
		}
	}
}
