package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store/db"
)

// Customer is somebody whose calls are looked for to be erased: by an e-mail address, or by a phone number.
type Customer struct {
	email, phone  string // as they are searched for
	international string // all digits of a number with a country code, else ""
}

// ErrNoCustomer is returned for a text that is neither a phone number nor an e-mail address.
var ErrNoCustomer = errors.New("that is neither a phone number nor an e-mail address")

var phoneForm = regexp.MustCompile(`^(?:tel:)?[+(]?[0-9][0-9 \x{a0}\x{2011}()./-]*$`)

// ParseCustomer reads a phone number in any format, or an e-mail address. Erasing what a slip of the fingers names would be
// bad, so it takes nothing else.
func ParseCustomer(s string) (Customer, error) {
	s = strings.TrimSpace(s)
	if local, domain, at := strings.Cut(s, "@"); at {
		key := emailKey(s)
		if local == "" || domain == "" || key == "" || strings.ContainsAny(s, " ,;<>") || strings.Contains(domain, "@") {
			return Customer{}, ErrNoCustomer
		}
		return Customer{email: key}, nil
	}
	key := phoneKey(s)
	if len(key) < 6 || !phoneForm.MatchString(s) {
		return Customer{}, ErrNoCustomer
	}
	return Customer{phone: key, international: international(s)}, nil
}

// Exact reports whether the customer is known by all there is to know: an address, or a number with its country code.
func (c Customer) Exact() bool { return c.email != "" || c.international != "" }

// calls reports whether a number may be the customer's: it ends alike, and where both have their country code they are one.
func (c Customer) calls(number string) bool {
	if c.phone == "" || phoneKey(number) != c.phone {
		return false
	}
	other := international(number)
	return c.international == "" || other == "" || other == c.international
}

// international gives a number's digits with the country code; "" where it has none.
func international(number string) string {
	number = strings.ReplaceAll(bare(number), "(0)", "")
	digits := string(digitsOf(number))
	if strings.HasPrefix(number, "+") {
		return digits
	}
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		return rest
	}
	return ""
}

// Call is a conversation as the one who is to erase it sees it.
type Call struct {
	ID, ExternalID, Channel string
	AcceptedAt              time.Time
}

// customerMost is how many conversations, and eventsMost how many events with their bodies, are looked at at a time.
const (
	customerMost = 500
	eventsMost   = 20
)

// CallsOf lists every conversation of a customer in an account, in the order of acceptance: their calls, with the events of these.
func (s *Store) CallsOf(ctx context.Context, accountID string, who Customer) (calls []Call, err error) {
	after, more := FirstID(time.Time{}), true
	for more {
		rows, err := s.q.CallsOfCustomer(ctx, db.CallsOfCustomerParams{AccountID: accountID, Email: who.email, Phone: who.phone,
			After: after, Most: customerMost})
		if err != nil {
			return nil, fmt.Errorf("list a customer's calls: %w", err)
		}
		for _, r := range rows {
			after = r.ID
			if who.email != "" || who.calls(r.CustomerNumber) || who.calls(r.FarNumber) || who.calls(r.OtherNumber) {
				calls = append(calls, Call{ID: r.ID, ExternalID: r.ExternalID, Channel: r.Channel, AcceptedAt: r.AcceptedAt})
			}
		}
		more = len(rows) == customerMost
	}
	return s.withEvents(ctx, accountID, calls)
}

// MentionsOf lists the events that mention a customer and are decided as conversations of their own. Only their bodies say so, so
// each of them is read.
func (s *Store) MentionsOf(ctx context.Context, accountID string, who Customer) (events []Call, err error) {
	return lookThrough(func(after string) ([]Call, string, error) { return s.MentionsAfter(ctx, accountID, who, after) })
}

// MentionsAfter looks through the next of these events after one, by its conversation's id, "" being before the first. last is where it
// ended: after itself once there are no more.
func (s *Store) MentionsAfter(ctx context.Context, accountID string, who Customer, after string) (events []Call, last string, err error) {
	rows, err := s.q.EventsDecided(ctx, db.EventsDecidedParams{AccountID: accountID, After: cmp.Or(after, uuid.Nil.String()), Most: eventsMost})
	if err != nil {
		return nil, after, fmt.Errorf("look through decided events for a customer: %w", err)
	}
	last, mentioned := after, map[string]bool{}
	var page []string
	for _, r := range rows {
		last, page = r.ID, append(page, r.EventID)
		mentioned[r.EventID] = who.mentioned(r.Body)
	}
	if err := s.conflictsOf(ctx, accountID, page, who, mentioned); err != nil {
		return nil, after, err
	}
	for _, r := range rows {
		if mentioned[r.EventID] {
			events = append(events, Call{ID: r.ID, ExternalID: r.ExternalID, Channel: r.Channel, AcceptedAt: r.AcceptedAt})
		}
	}
	return events, last, nil
}

// lookThrough takes page after page of what is found.
func lookThrough[T any](next func(after string) ([]T, string, error)) (all []T, err error) {
	for after, more := "", true; more; {
		found, last, err := next(after)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		more, after = last != after, last
	}
	return all, nil
}

// CallsByID lists those of these conversations that are the account's, with their events, in the order of acceptance.
func (s *Store) CallsByID(ctx context.Context, accountID string, ids []string) (calls []Call, err error) {
	rows, err := s.q.CallsByID(ctx, db.CallsByIDParams{Ids: ids, AccountID: accountID})
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	for _, r := range rows {
		calls = append(calls, Call{ID: r.ID, ExternalID: r.ExternalID, Channel: r.Channel, AcceptedAt: r.AcceptedAt})
	}
	return s.withEvents(ctx, accountID, calls)
}

// EventsOfCalls lists, by our ids, the events of calls by the platform's ids of these, whether or not the calls have come in.
func (s *Store) EventsOfCalls(ctx context.Context, accountID string, calls []string) (ids []string, err error) {
	named := make([]string, len(calls))
	for n, c := range calls {
		named[n] = clean(c)
	}
	rows, err := s.q.EventsBeside(ctx, db.EventsBesideParams{AccountID: accountID, CallIds: named})
	if err != nil {
		return nil, fmt.Errorf("list the events of calls: %w", err)
	}
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids, nil
}

// withEvents adds the events of some calls, and puts each once, in the order of acceptance.
func (s *Store) withEvents(ctx context.Context, accountID string, calls []Call) ([]Call, error) {
	var external []string
	for _, c := range calls {
		external = append(external, c.ExternalID)
	}
	for batch := range slices.Chunk(external, customerMost) {
		rows, err := s.q.EventsBeside(ctx, db.EventsBesideParams{AccountID: accountID, CallIds: batch})
		if err != nil {
			return nil, fmt.Errorf("list the events of calls: %w", err)
		}
		for _, r := range rows {
			calls = append(calls, Call{ID: r.ID, ExternalID: r.ExternalID, Channel: r.Channel, AcceptedAt: r.AcceptedAt})
		}
	}
	slices.SortFunc(calls, func(a, b Call) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(calls, func(a, b Call) bool { return a.ID == b.ID }), nil
}

// EventsOf lists the events of an account that belong to no conversation and mention a customer. Nothing but their bodies
// says so, so each of them is read.
func (s *Store) EventsOf(ctx context.Context, accountID string, who Customer) (ids []string, err error) {
	return lookThrough(func(after string) ([]string, string, error) { return s.EventsAfter(ctx, accountID, who, after) })
}

// EventsAfter looks through the next of these events after one, as MentionsAfter does.
func (s *Store) EventsAfter(ctx context.Context, accountID string, who Customer, after string) (ids []string, last string, err error) {
	rows, err := s.q.EventsAlone(ctx, db.EventsAloneParams{AccountID: accountID, After: cmp.Or(after, uuid.Nil.String()), Most: eventsMost})
	if err != nil {
		return nil, after, fmt.Errorf("look through events for a customer: %w", err)
	}
	last, mentioned := after, map[string]bool{}
	var page []string
	for _, r := range rows {
		last, page = r.ID, append(page, r.ID)
		mentioned[r.ID] = who.mentioned(r.Body)
	}
	if err := s.conflictsOf(ctx, accountID, page, who, mentioned); err != nil {
		return nil, after, err
	}
	for _, id := range page {
		if mentioned[id] {
			ids = append(ids, id)
		}
	}
	return ids, last, nil
}

// ViewsOf lists the searches that people keep, for an account or for all of theirs, and in which a customer is named.
func (s *Store) ViewsOf(ctx context.Context, accountID string, who Customer) (ids []string, err error) {
	rows, err := s.q.ViewsKept(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("look through kept searches for a customer: %w", err)
	}
	for _, r := range rows {
		if who.inText(r.Name) || who.inText(r.Query) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// EraseViews erases searches that people keep.
func (s *Store) EraseViews(ctx context.Context, e Erasure, ids []string) error {
	if err := s.q.EraseViews(ctx, db.EraseViewsParams{Ids: ids, AccountID: e.AccountID}); err != nil {
		return fmt.Errorf("erase kept searches of account %s: %w", e.AccountID, err)
	}
	return nil
}

// conflictsOf looks through what was posted under the same identities with another body.
func (s *Store) conflictsOf(ctx context.Context, accountID string, page []string, who Customer, mentioned map[string]bool) error {
	if len(page) == 0 {
		return nil
	}
	rows, err := s.q.ConflictsAlone(ctx, db.ConflictsAloneParams{Ids: page, AccountID: accountID})
	if err != nil {
		return fmt.Errorf("look through conflicting events for a customer: %w", err)
	}
	for _, r := range rows {
		mentioned[r.EventID] = mentioned[r.EventID] || who.mentioned(r.Body)
	}
	return nil
}

// mentioned reports whether a body that was posted names the customer anywhere. What is no JSON is a form, or it is read as it stands.
func (c Customer) mentioned(body []byte) bool {
	if json.Valid(body) {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var doc any
		return d.Decode(&doc) == nil && c.in(doc)
	}
	text := string(body)
	form, _ := url.ParseQuery(text) // what it can read of it
	for name, values := range form {
		text += "\n" + name + "\n" + strings.Join(values, "\n")
	}
	return c.inText(text)
}

func (c Customer) in(v any) bool {
	switch v := v.(type) {
	case string:
		return c.inText(v)
	case json.Number:
		return c.inText(v.String())
	case []any:
		for _, member := range v {
			if c.in(member) {
				return true
			}
		}
	case map[string]any:
		for key, member := range v {
			if c.inText(key) || c.in(member) {
				return true
			}
		}
	}
	return false
}

// numbers finds what may be phone numbers in a text, with the digits that follow them, such as a date; groups finds the ends of those.
var (
	numbers = regexp.MustCompile(`[+(]?[0-9][0-9 \x{a0}\x{2011}()./-]{4,}`)
	groups  = regexp.MustCompile(`[0-9]+`)
)

func (c Customer) inText(text string) bool {
	if c.email != "" {
		return strings.Contains(strings.ToLower(text), c.email)
	}
	return slices.ContainsFunc(numbers.FindAllString(text, -1), c.inRun)
}

// inRun reports whether a run of digits and signs is the customer's number, or has it in it beside other figures: it ends with a group of digits, and
// begins with the run or with a zero. Of a short number that would be half of everybody's.
func (c Customer) inRun(run string) bool {
	if c.calls(run) || len(c.phone) < 9 {
		return c.calls(run)
	}
	at := groups.FindAllStringIndex(run, -1)
	for n, begins := range at {
		from := begins[0]
		switch {
		case n == 0:
			from = 0
		case run[from] != '0' || begins[1]-from == 1: // the zero of "+44 (0)7700" begins nothing
			continue
		}
		for _, ends := range at[n:] {
			if c.calls(run[from:ends[1]]) {
				return true
			}
		}
	}
	return false
}

// Holdings is how much there is of some conversations.
type Holdings struct {
	Events, Calls, Decisions, Tasks, Deliveries int
	Waiting                                     int // deliveries that are still to be sent, or held
	UnderWay                                    int // being sent at this moment
	GoneOut                                     int // with an outside provider
}

// Holdings counts what there is of conversations of an account.
func (s *Store) Holdings(ctx context.Context, accountID string, conversationIDs []string) (Holdings, error) {
	r, err := s.q.CountHoldings(ctx, db.CountHoldingsParams{Ids: conversationIDs, AccountID: accountID})
	if err != nil {
		return Holdings{}, fmt.Errorf("count what there is of conversations: %w", err)
	}
	return Holdings{Events: int(r.Events), Calls: int(r.Calls), Decisions: int(r.Decisions), Tasks: int(r.Tasks),
		Deliveries: int(r.Deliveries), Waiting: int(r.Waiting), UnderWay: int(r.UnderWay), GoneOut: int(r.GoneOut)}, nil
}

// Plus adds up.
func (h Holdings) Plus(o Holdings) Holdings {
	return Holdings{Events: h.Events + o.Events, Calls: h.Calls + o.Calls, Decisions: h.Decisions + o.Decisions, Tasks: h.Tasks + o.Tasks,
		Deliveries: h.Deliveries + o.Deliveries, Waiting: h.Waiting + o.Waiting, UnderWay: h.UnderWay + o.UnderWay,
		GoneOut: h.GoneOut + o.GoneOut}
}
