package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/conversation"
	"aftercall/internal/store/db"
	"aftercall/interview"
)

// ConversationState is where a conversation stands in the line.
type ConversationState string

// The states of a conversation.
const (
	StateAccepted ConversationState = "accepted" // waits for its decision
	StateWaiting  ConversationState = "waiting"  // partly decided: the rest waits for the model
	StateDecided  ConversationState = "decided"  // every automation has its decision
)

// Pinned is a conversation as the decide job needs it.
type Pinned struct {
	Conversation *conversation.Conversation
	RevisionID   string
	State        ConversationState
	Version      int               // counts plans and merges; a plan made for another version is not saved
	Decided      map[string]bool   // automations of this run that have a final decision
	Answers      map[string][]byte // what was answered before under this revision, by part; what Recall returns
	AcceptedAt   time.Time
}

// Load loads a conversation for a run, grouped with others.
func (s *Store) Load(ctx context.Context, conversationID string, run int) (Pinned, error) {
	r, err := s.loads.do(ctx, opening{conversationID, int32(run)})
	if err == nil && r == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Pinned{}, fmt.Errorf("load conversation %s: %w", conversationID, err)
	}
	c, err := decodeConversation(r.ID, r.AccountID, r.Source, r.Content)
	if err != nil {
		return Pinned{}, err
	}
	p := Pinned{Conversation: c, RevisionID: r.RevisionID, State: ConversationState(r.State), Version: int(r.Version),
		Decided: make(map[string]bool, len(r.Decided)), Answers: make(map[string][]byte, len(r.Parts)), AcceptedAt: r.AcceptedAt}
	for _, automation := range r.Decided {
		p.Decided[automation] = true
	}
	for n, part := range r.Parts {
		p.Answers[part] = r.Answers[n]
	}
	return p, nil
}

// opening is a conversation to be loaded.
type opening struct {
	id  string
	run int32
}

// readConversations reads conversations in one statement; nil stands for one that does not exist.
func (s *Store) readConversations(ctx context.Context, wanted []opening) ([]*db.LoadConversationsRow, error) {
	var p db.LoadConversationsParams
	for _, w := range wanted {
		p.Ids, p.Runs = append(p.Ids, w.id), append(p.Runs, w.run)
	}
	rows, err := s.q.LoadConversations(ctx, p)
	if err != nil {
		return nil, err
	}
	found := make(map[opening]*db.LoadConversationsRow, len(rows))
	for n := range rows {
		found[opening{rows[n].ID, rows[n].Run}] = &rows[n]
	}
	loaded := make([]*db.LoadConversationsRow, len(wanted))
	for n, w := range wanted {
		loaded[n] = found[w]
	}
	return loaded, nil
}

// Recall returns the answers that are used for a conversation under a revision, by part.
func (s *Store) Recall(ctx context.Context, conversationID, revisionID string) (map[string][]byte, error) {
	rows, err := s.q.ChosenAnswers(ctx, db.ChosenAnswersParams{ConversationID: conversationID, RevisionID: revisionID})
	if err != nil {
		return nil, fmt.Errorf("recall the interview of conversation %s: %w", conversationID, err)
	}
	answers := make(map[string][]byte, len(rows))
	for _, r := range rows {
		answers[r.Part] = r.Answer
	}
	return answers, nil
}

// Record keeps a model call; of several valid answers to one part the first wins and is returned.
func (s *Store) Record(ctx context.Context, c interview.Call) ([]byte, error) {
	answer, err := s.calls.do(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("record an interview of conversation %s: %w", c.ConversationID, err)
	}
	return answer, nil
}

// writeCalls records model calls. A valid one that finds its part answered is kept beside the answer that is used.
func (s *Store) writeCalls(ctx context.Context, calls []interview.Call) (answers [][]byte, err error) {
	answers = make([][]byte, len(calls))
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		ids := make([]string, len(calls))
		at := make(map[string]int, len(calls))
		var first db.InsertCallsParams
		for n, c := range calls {
			ids[n] = newID()
			at[ids[n]] = n
			appendCall(&first, ids[n], c, c.Valid && c.Answer != nil)
		}
		inserted, err := q.InsertCalls(ctx, first)
		if err != nil {
			return err
		}
		kept := make([]bool, len(calls))
		for _, id := range inserted {
			kept[at[id]] = true
		}
		if err := addTokens(ctx, q, s.lane, calls); err != nil {
			return err
		}
		return settleCalls(ctx, q, calls, ids, kept, answers)
	})
	return answers, err
}

// settleCalls keeps the calls that came second and finds the answer to use for every call whose own is not it.
func settleCalls(ctx context.Context, q *db.Queries, calls []interview.Call, ids []string, kept []bool, answers [][]byte) error {
	var second db.InsertCallsParams
	var asked db.ChosenAnswersOfParams
	for n, c := range calls {
		if !kept[n] {
			appendCall(&second, ids[n], c, false)
		} else if c.Valid {
			answers[n] = c.Answer
			continue
		}
		asked.ConversationIds = append(asked.ConversationIds, c.ConversationID)
		asked.RevisionIds = append(asked.RevisionIds, c.RevisionID)
		asked.Parts, asked.AccountIds = append(asked.Parts, clean(c.Part)), append(asked.AccountIds, c.AccountID)
	}
	if len(second.Ids) > 0 {
		if _, err := q.InsertCalls(ctx, second); err != nil {
			return err
		}
	}
	if len(asked.Parts) == 0 {
		return nil
	}
	rows, err := q.ChosenAnswersOf(ctx, asked)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for n, c := range calls {
			if answers[n] == nil && c.ConversationID == r.ConversationID && c.RevisionID == r.RevisionID && clean(c.Part) == r.Part {
				answers[n] = r.Answer
			}
		}
	}
	return nil
}

func appendCall(p *db.InsertCallsParams, id string, c interview.Call, chosen bool) {
	p.Ids, p.AccountIds = append(p.Ids, id), append(p.AccountIds, c.AccountID)
	p.ConversationIds, p.RevisionIds = append(p.ConversationIds, c.ConversationID), append(p.RevisionIds, c.RevisionID)
	p.Parts, p.Purposes = append(p.Parts, clean(c.Part)), append(p.Purposes, clean(c.Purpose))
	p.PromptHashes, p.SchemaHashes = append(p.PromptHashes, c.PromptHash), append(p.SchemaHashes, c.SchemaHash)
	p.Valids, p.Chosens, p.Answers = append(p.Valids, c.Valid), append(p.Chosens, chosen), append(p.Answers, c.Answer)
	p.ErrorKinds, p.Statuses = append(p.ErrorKinds, clean(c.ErrorKind)), append(p.Statuses, int32(c.Status))
	p.Models, p.Endpoints = append(p.Models, clean(c.Reply.Model)), append(p.Endpoints, clean(c.Reply.Endpoint))
	p.Simulateds, p.TokensIn = append(p.Simulateds, c.Reply.Simulated), append(p.TokensIn, int32(c.Reply.TokensIn))
	p.TokensCached = append(p.TokensCached, int32(c.Reply.TokensCached))
	p.TokensOut = append(p.TokensOut, int32(c.Reply.TokensOut))
	p.FinishReasons = append(p.FinishReasons, clean(c.Reply.FinishReason))
	p.RequestIds = append(p.RequestIds, clean(c.Reply.RequestID))
	p.Fingerprints = append(p.Fingerprints, clean(c.Reply.Fingerprint))
	p.LatenciesMs = append(p.LatenciesMs, int32(c.Reply.Latency.Milliseconds()))
	p.CalledAts = append(p.CalledAts, orNow(c.At, time.Now()))
}
