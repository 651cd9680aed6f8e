package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/conversation"
	"aftercall/internal/store/db"
)

// Event is one webhook, as it came.
type Event struct {
	AccountID, Source string
	Identity          string // unique within account and source: the event id, else call id and type
	Type              string // the platform's event type
	ContentType       string
	Body              []byte // raw, but for what ingest left out of it
	ReceivedAt        time.Time
}

// Arrival is an event with what was decoded from it.
type Arrival struct {
	Event        Event
	Conversation *conversation.Conversation // nil for an event that carries none; one that is decided is its own
	About        string                     // the platform's id of the call that an event is about which carries no finished one, if it says
	RevisionID   string                     // the revision active now; pinned if the conversation is new
	DecideAt     time.Time                  // when a new conversation is to be decided: now, or after the wait for the analysis
	Final        bool                       // nothing more to wait for: decide now even if the conversation was waiting for its analysis
	Trace        string                     // signals.Carry: for the decide job, so that its spans join the webhook's
}

// Accepted is what became of an arrival. All of it is committed.
type Accepted struct {
	ConversationID string // ours; empty for an event that carries none
	New            bool   // the conversation is new
	Duplicate      bool   // the same event with the same body was accepted before; nothing changed
	Conflict       bool   // the same event was accepted before with another body; the conflict is recorded, nothing else changed
	Merged         bool   // the event added something to an existing conversation
	Erased         bool   // what it is about was erased, and stays so; nothing changed
}

// DecideJob asks for a decision to be enqueued.
type DecideJob struct {
	AccountID, ConversationID string
	Run                       int
	At                        time.Time // zero: now
	Backlog                   int       // undecided conversations of the account, counted up to 10,000 and at most 1 s old
	Trace                     string    // of the webhook that asked for it; "" if nobody follows it
}

// Ingest accepts arrivals, grouped into common transactions.
type Ingest struct {
	pool     *pgxpool.Pool
	group    *group[*arrival, Accepted]
	hashes   hashes
	enqueue  func(ctx context.Context, tx pgx.Tx, jobs []DecideJob) error
	backlogs backlogs
}

// A platform has its answer within acceptPatience: 200, or to come back. Its transaction may take longer, or on a long
// line to the database (a new connection, every statement prepared for the first time) none would ever get through; the
// event is then known when it comes again.
const (
	acceptPatience = 1800 * time.Millisecond
	acceptTimeout  = 6 * time.Second
)

// longestID bounds what stands in a unique index: a longer event identity is kept as its digest, a longer conversation
// id is refused.
const longestID = 500

// NewIngest returns the ingest writer. enqueue inserts the jobs in the arrivals' own transaction.
func (s *Store) NewIngest(enqueue func(ctx context.Context, tx pgx.Tx, jobs []DecideJob) error) *Ingest {
	i := &Ingest{pool: s.ingest, hashes: s.hashes, enqueue: enqueue, backlogs: backlogs{counts: map[string]backlog{}}}
	i.group = newGroup(s, groupOf[*arrival, Accepted]{
		write: i.write, weigh: (*arrival).weight, patience: acceptPatience, timeout: acceptTimeout, leaves: true, overlaps: true})
	return i
}

// Accept stores an arrival: event, conversation and job in one transaction. It returns after the commit, or after
// 2 s at most: Away says of its error that the platform should come back, though the event may be stored all the same.
func (i *Ingest) Accept(ctx context.Context, a Arrival) (Accepted, error) {
	prepared, err := prepare(a)
	if err != nil {
		return Accepted{}, fmt.Errorf("accept event: %w", err)
	}
	prepared.hashes = i.hashes.arrival(prepared)
	accepted, err := i.group.do(ctx, prepared)
	if err != nil {
		return Accepted{}, fmt.Errorf("accept event: %w", err)
	}
	return accepted, nil
}

// arrival is an Arrival with everything computed that needs no database.
type arrival struct {
	Arrival
	eventKey
	digest  []byte
	callKey callKey
	content []byte   // of a conversation that is new
	hashes  [][]byte // by which it is known if what it is or is about was erased
}

// eventKey is an event's identity, callKey a conversation's.
type (
	eventKey struct{ account, source, identity string }
	callKey  struct{ external, account, source string }
)

func (k eventKey) compare(o eventKey) int {
	return cmp.Or(cmp.Compare(k.account, o.account), cmp.Compare(k.source, o.source), cmp.Compare(k.identity, o.identity))
}

func (k callKey) compare(o callKey) int {
	return cmp.Or(cmp.Compare(k.external, o.external), cmp.Compare(k.account, o.account), cmp.Compare(k.source, o.source))
}

// about is the call that an event is about which carries no finished one.
func (a *arrival) about() string {
	if a.Conversation != nil && a.Conversation.Event == nil {
		return ""
	}
	return clean(a.About)
}

func (a *arrival) weight() int { return len(a.Event.Body) + len(a.content) }

func prepare(a Arrival) (*arrival, error) {
	e := a.Event
	digest := sha256.Sum256(e.Body)
	p := &arrival{Arrival: a, digest: digest[:], eventKey: eventKey{clean(e.AccountID), clean(e.Source), clean(e.Identity)}}
	if len(p.identity) > longestID {
		long := sha256.Sum256([]byte(e.Identity))
		p.identity = "sha256:" + hex.EncodeToString(long[:])
	}
	if p.account == "" || p.source == "" || p.identity == "" {
		return nil, errors.New("an event needs an account, a source and an identity")
	}
	if p.Event.Body == nil {
		p.Event.Body = []byte{}
	}
	if a.Conversation == nil {
		return p, nil
	}
	own := *a.Conversation
	own.AccountID, own.Source, own.ExternalID = p.account, p.source, clean(own.ExternalID)
	if own.ExternalID == "" || len(own.ExternalID) > longestID {
		return nil, fmt.Errorf("a conversation's id has from 1 to %d bytes", longestID)
	}
	p.Conversation, p.callKey = &own, callKey{own.ExternalID, p.account, p.source}
	var err error
	p.content, err = encodeConversation(&own)
	return p, err
}

// errRaced says that another process accepted one of the batch's events meanwhile, or that one is about what was erased;
// the batch is then written anew, and finds it. So it is where the batch and an erasure waited for each other.
var errRaced = errors.New("an event was accepted by another process meanwhile")

func (i *Ingest) write(ctx context.Context, arrivals []*arrival) (out []Accepted, err error) {
	for try := range 3 {
		b := &intake{arrivals: arrivals, again: try > 0, now: time.Now(), seen: map[eventKey]*sighting{}, calls: map[callKey]*call{}}
		err = inTx(ctx, i.pool, func(tx pgx.Tx, q *db.Queries) error {
			if err := b.store(ctx, q); err != nil {
				return err
			}
			return i.enqueueDecides(ctx, tx, q, b)
		})
		if err == nil {
			return b.accepted(), nil
		}
		if !errors.Is(err, errRaced) && !crossed(err) {
			break
		}
	}
	return nil, err
}

// enqueueDecides inserts a job for each new conversation, and for each that need not wait any longer.
func (i *Ingest) enqueueDecides(ctx context.Context, tx pgx.Tx, q *db.Queries, b *intake) error {
	jobs := b.jobs()
	if len(jobs) == 0 {
		return nil
	}
	if err := i.backlogs.fill(ctx, q, jobs, b.now); err != nil {
		return err
	}
	if err := i.enqueue(ctx, tx, jobs); err != nil {
		return fmt.Errorf("enqueue decide jobs: %w", err)
	}
	return nil
}

// intake is one batch of arrivals on its way in.
type intake struct {
	arrivals []*arrival
	again    bool // not the first try: one of them may be about what was erased
	now      time.Time
	seen     map[eventKey]*sighting // every event of the batch, by its identity
	calls    map[callKey]*call      // every conversation that a new event of the batch is about
	order    []*call                // the same, in the order of arrival
	outcome  []Accepted             // by arrival, without the conversation's id unless it was erased
	repeats  []*arrival             // events accepted before with another body
}

// sighting is where an event was first seen: in the database, or earlier in the batch.
type sighting struct {
	id           string
	digest       []byte
	first        *arrival // nil if it was in the database
	conversation string
}

func (b *intake) store(ctx context.Context, q *db.Queries) error {
	if err := b.recognise(ctx, q); err != nil {
		return fmt.Errorf("look for repeated events: %w", err)
	}
	if err := b.holdCalls(ctx, q); err != nil {
		return err
	}
	if err := b.conversations(ctx, q); err != nil {
		return err
	}
	return b.events(ctx, q)
}

// holdCalls keeps the calls from being erased that events are about, until these are committed: an erasure
// that waits finds them, and one that was faster has left the hash by which they are refused.
func (b *intake) holdCalls(ctx context.Context, q *db.Queries) error {
	var p db.HoldConversationsParams
	for n, a := range b.arrivals {
		if about := a.about(); about != "" && !b.repeated(n) {
			p.ExternalIds, p.AccountIds = append(p.ExternalIds, about), append(p.AccountIds, a.account)
		}
	}
	if len(p.ExternalIds) == 0 {
		return nil
	}
	if _, err := q.HoldConversations(ctx, p); err != nil {
		return fmt.Errorf("hold the calls that events are about: %w", err)
	}
	return nil
}

// recognise tells new events from repeated ones, and says of the latter whether the body is the same.
func (b *intake) recognise(ctx context.Context, q *db.Queries) error {
	var p db.EventsByIdentityParams
	for _, a := range b.arrivals {
		p.AccountIds, p.Sources = append(p.AccountIds, a.account), append(p.Sources, a.source)
		p.Identities = append(p.Identities, a.identity)
	}
	known, err := q.EventsByIdentity(ctx, p)
	if err != nil {
		return err
	}
	for _, e := range known {
		s := &sighting{id: e.ID, digest: e.Digest}
		if e.ConversationID != nil {
			s.conversation = *e.ConversationID
		}
		b.seen[eventKey{e.AccountID, e.Source, e.Identity}] = s
	}
	erased, err := b.erased(ctx, q)
	if err != nil {
		return err
	}
	b.outcome = make([]Accepted, len(b.arrivals))
	for n, a := range b.arrivals {
		if id, was := erased.of(a); was {
			b.outcome[n] = Accepted{ConversationID: id, Erased: true}
			continue
		}
		s, repeated := b.seen[a.eventKey]
		switch {
		case !repeated:
			b.seen[a.eventKey] = &sighting{id: newID(), digest: a.digest, first: a}
		case bytes.Equal(s.digest, a.digest):
			b.outcome[n].Duplicate = true
		default:
			b.outcome[n].Conflict = true
			b.repeats = append(b.repeats, a)
		}
	}
	return nil
}

// erased finds what the batch's arrivals are about that was erased: the conversation's id by hash. The first try does without:
// an event of what was erased is not inserted, and that is one look-up with the insert instead of a statement for every batch.
func (b *intake) erased(ctx context.Context, q *db.Queries) (erasedIDs, error) {
	if !b.again {
		return nil, nil
	}
	var hashes [][]byte
	for _, a := range b.arrivals {
		hashes = append(hashes, a.hashes...)
	}
	rows, err := q.ErasedAmong(ctx, hashes)
	erased := make(erasedIDs, len(rows))
	for _, r := range rows {
		erased[string(r.Hash)] = r.ConversationID
	}
	return erased, err
}

// erasedIDs are the conversations that were erased, by hash.
type erasedIDs map[string]string

// of finds what an arrival is about that was erased: itself, or the call it belongs to.
func (e erasedIDs) of(a *arrival) (id string, was bool) {
	for _, hash := range a.hashes {
		if id, was = e[string(hash)]; was {
			return id, true
		}
	}
	return "", false
}

// repeated reports whether an arrival changes nothing.
func (b *intake) repeated(n int) bool {
	o := b.outcome[n]
	return o.Duplicate || o.Conflict || o.Erased
}

// events inserts the new events, and the bodies that contradict an earlier one, always in one order: two processes that
// accept the same events then wait for each other and never cross.
func (b *intake) events(ctx context.Context, q *db.Queries) error {
	var fresh []*sighting
	for _, s := range b.seen {
		if s.first != nil {
			fresh = append(fresh, s)
		}
	}
	slices.SortFunc(fresh, func(x, y *sighting) int { return x.first.compare(y.first.eventKey) })
	var p db.InsertEventsParams
	for _, s := range fresh {
		e := s.first.Event
		p.Ids, p.AccountIds = append(p.Ids, s.id), append(p.AccountIds, s.first.account)
		p.Sources, p.Identities = append(p.Sources, s.first.source), append(p.Identities, s.first.identity)
		p.Types, p.ContentTypes = append(p.Types, clean(e.Type)), append(p.ContentTypes, clean(e.ContentType))
		p.Bodies, p.Digests = append(p.Bodies, e.Body), append(p.Digests, s.digest)
		p.ReceivedAts = append(p.ReceivedAts, orNow(e.ReceivedAt, b.now))
		p.ConversationIds, p.CallIds = append(p.ConversationIds, s.conversation), append(p.CallIds, s.first.about())
		hashes := s.first.hashes
		p.Hashes, p.MoreHashes = append(p.Hashes, hashes[0]), append(p.MoreHashes, orEmpty(slices.Concat(hashes[1:]...)))
	}
	if len(fresh) > 0 {
		inserted, err := q.InsertEvents(ctx, p)
		if err != nil {
			return fmt.Errorf("insert events: %w", err)
		}
		if len(inserted) < len(fresh) {
			return errRaced
		}
	}
	return b.conflicts(ctx, q)
}

func (b *intake) conflicts(ctx context.Context, q *db.Queries) error {
	if len(b.repeats) == 0 {
		return nil
	}
	slices.SortFunc(b.repeats, func(x, y *arrival) int {
		return cmp.Or(x.compare(y.eventKey), bytes.Compare(x.digest, y.digest))
	})
	var p db.InsertConflictsParams
	for _, a := range b.repeats {
		p.EventIds, p.AccountIds = append(p.EventIds, b.seen[a.eventKey].id), append(p.AccountIds, a.account)
		p.Digests, p.Bodies = append(p.Digests, a.digest), append(p.Bodies, a.Event.Body)
		p.ContentTypes = append(p.ContentTypes, clean(a.Event.ContentType))
		p.ReceivedAts = append(p.ReceivedAts, orNow(a.Event.ReceivedAt, b.now))
	}
	if err := q.InsertConflicts(ctx, p); err != nil {
		return fmt.Errorf("record conflicting events: %w", err)
	}
	return nil
}

// accepted answers every arrival: a repeat from the row of the first.
func (b *intake) accepted() []Accepted {
	for n, a := range b.arrivals {
		if !b.outcome[n].Erased {
			b.outcome[n].ConversationID = b.seen[a.eventKey].conversation
		}
	}
	return b.outcome
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t
}
