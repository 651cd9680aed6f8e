package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"aftercall/conversation"
	"aftercall/internal/store/db"
)

// call is a conversation that a batch of events is about: new with the first of them, or there already.
type call struct {
	id, account string
	key         callKey
	first       *arrival // the event that made it new; nil for one that was there
	content     *conversation.Conversation
	encoded     []byte // content as stored
	state       ConversationState
	run         int
	decideAt    time.Time
	summary     string

	grown   bool // content changed: a new version
	touched bool // only summary or decideAt changed
	enqueue bool // needs a decide job
	trace   string
}

// conversations inserts the new conversations of the batch and merges everything else into those that are there.
func (b *intake) conversations(ctx context.Context, q *db.Queries) error {
	for n, a := range b.arrivals {
		if a.Conversation != nil && !b.repeated(n) && b.calls[a.callKey] == nil {
			c := b.begin(a)
			b.calls[a.callKey] = c
			b.order = append(b.order, c)
		}
	}
	if len(b.order) == 0 {
		return nil
	}
	if err := b.insertCalls(ctx, q); err != nil {
		return err
	}
	for n, a := range b.arrivals {
		if a.Conversation == nil || b.repeated(n) {
			continue
		}
		c := b.calls[a.callKey]
		if c.first == a {
			b.outcome[n].New = true
		} else {
			b.outcome[n].Merged = c.take(a, b.now)
		}
		b.seen[a.eventKey].conversation = c.id
	}
	return b.updateCalls(ctx, q)
}

// begin makes a new conversation of its first event.
func (b *intake) begin(a *arrival) *call {
	decideAt := a.DecideAt
	if a.Final || decideAt.Before(b.now) {
		decideAt = b.now
	}
	return &call{
		id: newID(), account: a.account, key: a.callKey, first: a, content: a.Conversation, encoded: a.content,
		state: StateAccepted, run: 1, decideAt: decideAt, summary: clean(a.Conversation.Summary), enqueue: true,
		trace: a.Trace,
	}
}

// insertCalls inserts what is new, in one order for everybody. What turns out to be there already is locked and read.
func (b *intake) insertCalls(ctx context.Context, q *db.Queries) error {
	sorted := slices.SortedFunc(slices.Values(b.order), func(x, y *call) int { return x.key.compare(y.key) })
	var p db.InsertConversationsParams
	for _, c := range sorted {
		f := fieldsOf(c)
		p.Ids, p.AccountIds = append(p.Ids, c.id), append(p.AccountIds, c.account)
		p.Sources, p.ExternalIds = append(p.Sources, c.key.source), append(p.ExternalIds, c.key.external)
		p.RevisionIds, p.Contents = append(p.RevisionIds, c.first.RevisionID), append(p.Contents, c.encoded)
		p.DecideAts, p.Summaries = append(p.DecideAts, c.decideAt), append(p.Summaries, c.summary)
		p.StartedAts, p.EndedAts = append(p.StartedAts, f.startedAt), append(p.EndedAts, f.endedAt)
		p.Channels, p.Directions = append(p.Channels, f.channel), append(p.Directions, f.direction)
		p.Statuses, p.AgentIds = append(p.Statuses, f.status), append(p.AgentIds, f.agentID)
		p.AgentNames, p.CustomerNames = append(p.AgentNames, f.agentName), append(p.CustomerNames, f.name)
		p.CustomerEmails, p.CustomerNumbers = append(p.CustomerEmails, f.email), append(p.CustomerNumbers, f.number)
		p.EmailKeys, p.PhoneKeys = append(p.EmailKeys, f.emailKey), append(p.PhoneKeys, f.phoneKey)
		p.FarPhoneKeys = append(p.FarPhoneKeys, f.farPhoneKey)
	}
	inserted, err := q.InsertConversations(ctx, p)
	if err != nil {
		return fmt.Errorf("insert conversations: %w", err)
	}
	isNew := make(map[string]bool, len(inserted))
	for _, id := range inserted {
		isNew[id] = true
	}
	var there []*call
	var beside db.InsertBesideParams
	for _, c := range sorted {
		if !isNew[c.id] {
			there = append(there, c)
		} else if about := c.first.about(); about != "" {
			beside.ConversationIds, beside.AccountIds = append(beside.ConversationIds, c.id), append(beside.AccountIds, c.account)
			beside.CallIds = append(beside.CallIds, about)
		}
	}
	if len(beside.CallIds) > 0 {
		if err := q.InsertBeside(ctx, beside); err != nil {
			return fmt.Errorf("note which calls events are about: %w", err)
		}
	}
	return b.lockCalls(ctx, q, there)
}

func (b *intake) lockCalls(ctx context.Context, q *db.Queries, there []*call) error {
	if len(there) == 0 {
		return nil
	}
	var p db.LockConversationsByExternalIDParams
	for _, c := range there {
		p.ExternalIds, p.AccountIds = append(p.ExternalIds, c.key.external), append(p.AccountIds, c.account)
		p.Sources = append(p.Sources, c.key.source)
	}
	rows, err := q.LockConversationsByExternalID(ctx, p)
	if err != nil {
		return fmt.Errorf("read conversations to merge into: %w", err)
	}
	if len(rows) < len(there) {
		return errRaced // it was there a moment ago and is not now
	}
	for _, r := range rows {
		c := b.calls[callKey{r.ExternalID, r.AccountID, r.Source}]
		content, err := decodeConversation(r.ID, r.AccountID, r.Source, r.Content)
		if err != nil {
			return err
		}
		*c = call{id: r.ID, account: r.AccountID, key: c.key, content: content, encoded: r.Content,
			state: ConversationState(r.State), run: int(r.Run), decideAt: r.DecideAt, summary: r.Summary}
	}
	return nil
}

// take merges a further event. Until the decision everything may still be added, and a final event ends the wait for
// the analysis; after it only a summary that was missing is kept, to be shown.
func (c *call) take(a *arrival, now time.Time) (merged bool) {
	if c.state == StateDecided {
		if c.summary != "" || a.Conversation.Summary == "" {
			return false
		}
		c.summary, c.touched = clean(a.Conversation.Summary), true
		return true
	}
	content, changed := conversation.Merge(c.content, a.Conversation)
	if changed {
		own := *content
		own.AccountID, own.Source, own.ExternalID = c.key.account, c.key.source, c.key.external
		c.content, c.grown = &own, true
		if c.summary == "" {
			c.summary = clean(own.Summary)
		}
	}
	if a.Final && c.decideAt.After(now) {
		c.decideAt, c.touched, c.enqueue, c.trace = now, true, true, a.Trace
	}
	return changed
}

// updateCalls writes what merging changed.
func (b *intake) updateCalls(ctx context.Context, q *db.Queries) error {
	var grown []*call
	var t db.TouchConversationsParams
	for _, c := range b.order {
		switch {
		case c.grown:
			grown = append(grown, c)
		case c.touched:
			t.Ids, t.AccountIds = append(t.Ids, c.id), append(t.AccountIds, c.account)
			t.DecideAts, t.Summaries = append(t.DecideAts, c.decideAt), append(t.Summaries, c.summary)
		}
	}
	if len(t.Ids) > 0 {
		if err := q.TouchConversations(ctx, t); err != nil {
			return fmt.Errorf("update conversations: %w", err)
		}
	}
	return mergeCalls(ctx, q, grown)
}

func mergeCalls(ctx context.Context, q *db.Queries, grown []*call) error {
	if len(grown) == 0 {
		return nil
	}
	var p db.MergeConversationsParams
	for _, c := range grown {
		encoded, err := encodeConversation(c.content)
		if err != nil {
			return err
		}
		f := fieldsOf(c)
		p.Ids, p.AccountIds, p.Contents = append(p.Ids, c.id), append(p.AccountIds, c.account), append(p.Contents, encoded)
		p.DecideAts, p.Summaries = append(p.DecideAts, c.decideAt), append(p.Summaries, c.summary)
		p.StartedAts, p.EndedAts = append(p.StartedAts, f.startedAt), append(p.EndedAts, f.endedAt)
		p.Channels, p.Directions = append(p.Channels, f.channel), append(p.Directions, f.direction)
		p.Statuses, p.AgentIds = append(p.Statuses, f.status), append(p.AgentIds, f.agentID)
		p.AgentNames, p.CustomerNames = append(p.AgentNames, f.agentName), append(p.CustomerNames, f.name)
		p.CustomerEmails, p.CustomerNumbers = append(p.CustomerEmails, f.email), append(p.CustomerNumbers, f.number)
		p.EmailKeys, p.PhoneKeys = append(p.EmailKeys, f.emailKey), append(p.PhoneKeys, f.phoneKey)
		p.FarPhoneKeys = append(p.FarPhoneKeys, f.farPhoneKey)
	}
	if err := q.MergeConversations(ctx, p); err != nil {
		return fmt.Errorf("merge conversations: %w", err)
	}
	return nil
}

// jobs are the decide jobs the batch asks for.
func (b *intake) jobs() (jobs []DecideJob) {
	for _, c := range b.order {
		if !c.enqueue {
			continue
		}
		j := DecideJob{AccountID: c.account, ConversationID: c.id, Run: c.run, Trace: c.trace}
		if c.decideAt.After(b.now) {
			j.At = c.decideAt
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// callFields are the columns taken from a conversation's content.
type callFields struct {
	startedAt, endedAt              time.Time
	channel, direction, status      string
	agentID, agentName              string
	name, email, number             string
	emailKey, phoneKey, farPhoneKey string
}

func fieldsOf(call *call) callFields {
	c := call.content
	f := callFields{
		startedAt: c.StartedAt, endedAt: c.EndedAt,
		channel: clean(string(c.Channel)), direction: clean(string(c.Direction)), status: clean(string(c.Status)),
		agentID: clean(c.Agent.ID), agentName: clean(c.Agent.Name),
		name: clean(c.Customer.Name), email: clean(c.Customer.Email), number: clean(c.CustomerNumber()),
		emailKey: emailKey(c.Customer.Email), phoneKey: phoneKey(c.CustomerNumber()),
	}
	if c.Event != nil {
		f.status = clean(c.Event.Type) // it has no end state, and lists show what it is
	}
	for _, number := range farEnds(c) {
		if key := phoneKey(number); key != f.phoneKey && f.farPhoneKey == "" {
			f.farPhoneKey = key
		}
	}
	return f
}

// kept is a conversation as it is stored: with the ranks by which the next event of it is merged, which stand in no body.
type kept struct {
	*conversation.Conversation
	Ranks conversation.Ranks `json:"ranks,omitempty"`
}

func encodeConversation(c *conversation.Conversation) ([]byte, error) {
	return encode(kept{c, c.Ranks})
}

// decodeConversation reads a conversation as stored; its times come out in UTC.
func decodeConversation(id, account, source string, content []byte) (*conversation.Conversation, error) {
	var c conversation.Conversation
	k := kept{Conversation: &c}
	if err := json.Unmarshal(content, &k); err != nil {
		return nil, fmt.Errorf("decode conversation %s: %w", id, err)
	}
	c.Ranks = k.Ranks
	c.ID, c.AccountID, c.Source = id, account, source
	c.StartedAt, c.EndedAt = c.StartedAt.UTC(), c.EndedAt.UTC()
	return &c, nil
}
