package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/internal/store/db"
)

// ConversationQuery asks for a page of the list, the last accepted first.
type ConversationQuery struct {
	AccountID string // "" for all that may be seen

	// Search is one exact thing: an id of ours, a delivery's id, the platform's id, an event's, a phone number in any format, an e-mail
	// address, a provider's id of a message, or the id of an automation that fired.
	Search  string
	Regions []string // where a number without its country may be from (ISO 3166)

	Automation   string // by id: it fired; with an outcome, what the outcome is about
	Outcome      ConversationOutcome
	State        ConversationState
	Agent        string // id or name
	Channel      string
	Since, Until time.Time // accepted from the one until before the other; zero for no bound

	Before string // cursor from the page before; "" for the first page
	Limit  int    // default 50, at most 200
}

// ConversationOutcome is what became of a conversation, as lists are narrowed by it.
type ConversationOutcome string

// The outcomes. A conversation may have several.
const (
	OutcomeFired   ConversationOutcome = "fired"
	OutcomeNone    ConversationOutcome = "none"   // decided, and nothing fired
	OutcomeUnsure  ConversationOutcome = "unsure" // a decision waits for review
	OutcomeHeld    ConversationOutcome = "held"   // this and the rest: a delivery is
	OutcomeFailed  ConversationOutcome = "failed"
	OutcomeUnknown ConversationOutcome = "unknown"
)

// ConversationOutcomes lists them.
func ConversationOutcomes() []ConversationOutcome {
	return []ConversationOutcome{OutcomeFired, OutcomeNone, OutcomeHeld, OutcomeFailed, OutcomeUnsure, OutcomeUnknown}
}

// ConversationStates lists the states of a conversation.
func ConversationStates() []ConversationState {
	return []ConversationState{StateAccepted, StateWaiting, StateDecided}
}

// NewConversations counts what a list would show above a conversation by now, up to most.
func (r *Reader) NewConversations(ctx context.Context, q ConversationQuery, above string, most int) (n int, err error) {
	if !isID(above) {
		return 0, fmt.Errorf("count new conversations: %w", ErrNotFound)
	}
	within := r.within.Narrow(q.AccountID)
	q.Since = latest(q.Since, AcceptedAbout(above))
	err = r.read(ctx, func(d *db.Queries) error {
		ids, _, err := conversationIDs(ctx, d, q, within, uuid.Max.String(), most)
		for _, id := range ids {
			if id > above {
				n++
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count new conversations: %w", err)
	}
	return n, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// AcceptedAbout is when a conversation was accepted, as its id tells: ids are UUIDs of version 7 and begin with the time.
func AcceptedAbout(id string) time.Time {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return time.Time{}
	}
	var ms int64
	for _, b := range parsed[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// At most siftMost conversations are looked at together, fewer at first, and furthest of them for one page: where few are as
// asked, a page gives up there, shows what it has, and the next one goes on. So no search takes longer than another, however
// much there is.
const (
	siftMost = 500
	furthest = 4000
)

// agentNames is how many names of agents each account is looked through for one in other letters.
const agentNames = 100

// conversationIDs finds a page of ids. What is asked for decides which index is walked; the rest is sifted.
func conversationIDs(ctx context.Context, d *db.Queries, q ConversationQuery, within Accounts, before string, limit int) (ids []string, next string, err error) {
	w := walkOf(q, within, before)
	ids = []string{}
	if !w.sifts {
		ids, err = w.step(ctx, d, limit+1)
		if len(ids) > limit {
			ids, next = ids[:limit], ids[limit-1]
		}
		return append([]string{}, ids...), next, err
	}
	for looked := 0; looked < furthest; {
		most := min(siftMost, max(2*limit, looked))
		some, err := w.step(ctx, d, most)
		if err != nil || len(some) == 0 {
			return ids, "", err
		}
		looked += most
		w.sift.Ids = some
		fitting, err := d.SiftConversations(ctx, w.sift)
		if err != nil {
			return nil, "", err
		}
		if ids = append(ids, fitting...); len(ids) > limit {
			return ids[:limit], ids[limit-1], nil
		}
		if len(some) < most {
			return ids, "", nil
		}
		w.before = some[len(some)-1]
	}
	return ids, w.before, nil
}

// walk goes through the conversations of one index, the newest first.
type walk struct {
	next          func(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error)
	sift          db.SiftConversationsParams
	sifts         bool // what the index gives is not all that was asked for
	search        db.SearchConversationsParams
	agents        []string // names that the agent may go by; nil: not looked up yet
	before, since string
	within        Accounts
}

func (w *walk) step(ctx context.Context, d *db.Queries, most int) ([]string, error) {
	return w.next(ctx, d, w, int32(most))
}

// walkOf chooses the index that leaves least to sift.
func walkOf(q ConversationQuery, within Accounts, before string) *walk {
	w := &walk{before: before, since: FirstID(q.Since), within: within}
	if !q.Until.IsZero() {
		w.before = min(before, FirstID(q.Until))
	}
	w.sift = db.SiftConversationsParams{State: string(q.State), Channel: q.Channel, Agent: clean(q.Agent), Automation: clean(q.Automation),
		Every: within.every, AccountIds: within.list()}
	switch q.Outcome {
	case OutcomeHeld, OutcomeFailed, OutcomeUnknown:
		w.sift.DeliveryState = string(q.Outcome)
	case OutcomeUnsure, OutcomeNone:
		w.sift.Verdict = string(q.Outcome)
	case OutcomeFired:
		w.sift.Verdict = "fires"
	default:
		if q.Automation != "" {
			w.sift.Verdict = "fires"
		}
	}
	w.sifts = q.State != "" || q.Channel != "" || q.Agent != "" || w.sift.Verdict != "" || w.sift.DeliveryState != ""
	alone := q.State == "" && q.Channel == "" && q.Agent == ""
	verdict := w.sift.Verdict != ""
	switch {
	case strings.TrimSpace(q.Search) != "":
		w.search, w.next = searchOf(q), nextFound
	case w.sift.DeliveryState != "":
		w.next, w.sifts = nextTroubled, !alone
	case q.Outcome == OutcomeUnsure:
		w.next, w.sifts = nextUnsure, !alone || q.Automation != ""
	case w.sift.Verdict == "fires" && q.Automation != "":
		w.next, w.sifts = nextFired, !alone
	case q.State == StateAccepted || q.State == StateWaiting:
		w.next = nextUndecided
	case q.Agent != "":
		w.next, w.sifts = nextOfAgent, verdict || q.State != "" || q.Channel != ""
	case q.Channel != "":
		w.next, w.sifts = nextOfChannel, verdict || q.State != ""
	default:
		w.next = nextAccepted
	}
	return w
}

func nextAccepted(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	return d.ListConversations(ctx, db.ListConversationsParams{Before: w.before, Since: w.since, Most: most, Every: w.within.every, AccountIds: w.within.list()})
}

func nextUndecided(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	return d.ListUndecided(ctx, db.ListUndecidedParams{Before: w.before, Since: w.since, Most: most, Every: w.within.every, AccountIds: w.within.list()})
}

func nextOfAgent(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	if w.agents == nil {
		names, err := d.AgentsNamed(ctx, db.AgentsNamedParams{Agent: w.sift.Agent, Every: w.within.every, AccountIds: w.within.list(), Most: agentNames})
		if err != nil {
			return nil, err
		}
		w.agents = append(names, w.sift.Agent)
	}
	return d.ListOfAgent(ctx, db.ListOfAgentParams{Agent: w.sift.Agent, Names: w.agents, Before: w.before, Since: w.since, Most: most,
		Every: w.within.every, AccountIds: w.within.list()})
}

func nextOfChannel(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	return d.ListOfChannel(ctx, db.ListOfChannelParams{Channel: w.sift.Channel, Before: w.before, Since: w.since, Most: most,
		Every: w.within.every, AccountIds: w.within.list()})
}

func nextTroubled(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	if w.sift.Automation != "" {
		return d.ListTroubledOf(ctx, db.ListTroubledOfParams{State: w.sift.DeliveryState, Automation: w.sift.Automation, Before: w.before,
			Since: w.since, Most: most, Every: w.within.every, AccountIds: w.within.list()})
	}
	return d.ListTroubled(ctx, db.ListTroubledParams{State: w.sift.DeliveryState, Before: w.before, Since: w.since, Most: most,
		Every: w.within.every, AccountIds: w.within.list()})
}

func nextUnsure(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	return d.ListUnsure(ctx, db.ListUnsureParams{Before: w.before, Since: w.since, Most: most, Every: w.within.every, AccountIds: w.within.list()})
}

func nextFired(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	return d.ListFired(ctx, db.ListFiredParams{Automation: w.sift.Automation, Before: w.before, Since: w.since, Most: most,
		Every: w.within.every, AccountIds: w.within.list()})
}

func nextFound(ctx context.Context, d *db.Queries, w *walk, most int32) ([]string, error) {
	p := w.search
	p.Before, p.Since, p.Most, p.Every, p.AccountIds = w.before, w.since, most, w.within.every, w.within.list()
	return d.SearchConversations(ctx, p)
}

// searchOf says what one search may be. A UUID may be the platform's, too, but it is no number.
func searchOf(q ConversationQuery) db.SearchConversationsParams {
	search := strings.TrimSpace(clean(q.Search))
	p := db.SearchConversationsParams{ID: uuid.Nil.String(), ExternalID: search, Event: conversation.EventID + search, ProviderID: providerID(search), Automation: search, Phones: []string{}}
	if id, err := uuid.Parse(search); err == nil {
		p.ID = id.String()
	} else {
		p.Phones = phoneKeys(search, q.Regions)
	}
	if strings.Contains(search, "@") {
		p.Email = emailKey(search)
	}
	return p
}
