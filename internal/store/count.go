package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"aftercall/internal/store/db"
	"aftercall/reason"
	"aftercall/triggers"
)

// Counting is what one automation that fires for several counts a conversation as.
type Counting struct {
	Automation string
	By         []string  // values of what it is told apart by, in the author's order
	At         time.Time // when it happened
	Count      triggers.Count
}

// countKept is how late something may come in and still be counted with what happened about the same time.
const countKept = 24 * time.Hour

// tally is what is counted under one key: what no firing has used up, by time, and the firings.
type tally struct {
	unused []counted
	fired  []firing
}

// firing is when the first and the last of those happened with which an automation fired. The zero firing is none.
type firing struct{ from, to time.Time }

// takes reports whether something fits into one span with all of those: then it brings nothing new.
func (f firing) takes(at time.Time, within time.Duration) bool {
	return at.Before(f.from.Add(within)) && f.to.Before(at.Add(within))
}

// counted is one that was counted.
type counted struct {
	conversation, automation string
	at                       time.Time
}

// tallies are those of a batch, by key.
type tallies struct {
	all     map[string]*tally
	added   []addition
	settled db.SettleCountedParams
}

type addition struct {
	counted
	account, key string
	within       time.Duration
	in           firing
}

// countUp counts what the plans bring, in their order, and gives them back with those automations silent for which too few have
// come, or that have fired for the span already. Whoever else counts under one of the keys waits for the commit, so two workers
// never both bring the last one that is wanted.
func (p *Planner) countUp(ctx context.Context, q *db.Queries, plans []*planned) ([]*planned, error) {
	t, err := p.readTallies(ctx, q, plans)
	if err != nil || t == nil {
		return plans, err
	}
	kept := slices.Clone(plans)
	for n, plan := range plans {
		for _, c := range plan.Counts {
			one := counted{plan.ConversationID, c.Automation, c.At.UTC()}
			if why, detail := t.add(plan.AccountID, string(p.countKey(plan, c)), one, c.Count); why != "" {
				kept[n] = kept[n].silence(c.Automation, why, detail)
			}
		}
	}
	return kept, t.write(ctx, q)
}

func (p *Planner) countKey(plan *planned, c Counting) []byte {
	return p.hashes.of(append([]string{"count", plan.AccountID, c.Automation}, c.By...)...)
}

// readTallies locks the keys that the plans count under, in one order for everybody, and reads what is counted there about the
// same time; nil if nothing counts.
func (p *Planner) readTallies(ctx context.Context, q *db.Queries, plans []*planned) (*tallies, error) {
	t := &tallies{all: map[string]*tally{}}
	var r db.ReadCountedParams
	var locks []int64
	for _, plan := range plans {
		for _, c := range plan.Counts {
			key := p.countKey(plan, c)
			t.all[string(key)] = &tally{}
			r.Keys, r.AccountIds = append(r.Keys, key), append(r.AccountIds, plan.AccountID)
			r.Froms, r.Untils = append(r.Froms, c.At.Add(-c.Count.Within)), append(r.Untils, c.At.Add(c.Count.Within))
			r.Most = append(r.Most, int32(2*c.Count.AtLeast))
			locks = append(locks, int64(binary.BigEndian.Uint64(key)))
		}
	}
	if len(locks) == 0 {
		return nil, nil
	}
	slices.Sort(locks)
	if err := q.LockCounts(ctx, slices.Compact(locks)); err != nil {
		return nil, fmt.Errorf("wait for others that count: %w", err)
	}
	rows, err := q.ReadCounted(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("read what was counted: %w", err)
	}
	for _, row := range rows {
		of := t.all[string(row.Key)]
		if !row.FiredFrom.IsZero() {
			of.fired = append(of.fired, firing{row.FiredFrom.UTC(), row.FiredTo.UTC()})
			continue
		}
		of.unused = append(of.unused, counted{row.ConversationID, row.Automation, row.At.UTC()})
	}
	return t, nil
}

// add counts one more. It gives why the automation stays silent, or nothing if this one makes the number full: then all of the span
// are used up with it, so that no two firings rest on the same.
func (t *tallies) add(account, key string, one counted, wanted triggers.Count) (reason.Code, string) {
	of := t.all[key]
	for _, f := range of.fired {
		if f.takes(one.at, wanted.Within) {
			return reason.AlreadyFired, fmt.Sprintf("It fired for what came from %s on.", f.from.Format("2006-01-02 15:04:05 MST"))
		}
	}
	place, _ := slices.BinarySearchFunc(of.unused, one, func(a, b counted) int { return cmp.Or(a.at.Compare(b.at), -1) })
	of.unused = slices.Insert(of.unused, place, one)
	a := addition{counted: one, account: account, key: key, within: wanted.Within}
	most := 0
	for first := 0; first <= place; first++ {
		from := of.unused[first].at
		if !one.at.Before(from.Add(wanted.Within)) {
			continue
		}
		last := first
		for last < len(of.unused) && of.unused[last].at.Before(from.Add(wanted.Within)) {
			last++
		}
		if last-first >= wanted.AtLeast {
			fires := firing{from, of.unused[last-1].at}
			t.added = append(t.added, a)
			t.use(account, of.unused[first:last], fires)
			of.unused, of.fired = slices.Delete(of.unused, first, last), append(of.fired, fires)
			return "", ""
		}
		most = max(most, last-first)
	}
	t.added = append(t.added, a)
	return reason.TooFew, wanted.Tally(most)
}

// use notes that these have fired.
func (t *tallies) use(account string, some []counted, fires firing) {
	s := &t.settled
	for _, c := range some {
		for n := range t.added { // of the same batch
			if t.added[n].counted == c {
				t.added[n].in = fires
			}
		}
		s.ConversationIds, s.Automations = append(s.ConversationIds, c.conversation), append(s.Automations, c.automation)
		s.AccountIds, s.Froms = append(s.AccountIds, account), append(s.Froms, fires.from)
		s.Tos = append(s.Tos, fires.to)
	}
}

func (t *tallies) write(ctx context.Context, q *db.Queries) error {
	if len(t.settled.ConversationIds) > 0 {
		if err := q.SettleCounted(ctx, t.settled); err != nil {
			return fmt.Errorf("note what fired together: %w", err)
		}
	}
	var p db.InsertCountedParams
	now := time.Now()
	for _, a := range t.added {
		p.ConversationIds, p.Automations = append(p.ConversationIds, a.conversation), append(p.Automations, a.automation)
		p.AccountIds, p.Keys, p.Ats = append(p.AccountIds, a.account), append(p.Keys, []byte(a.key)), append(p.Ats, a.at)
		p.Froms, p.Tos = append(p.Froms, a.in.from), append(p.Tos, a.in.to)
		p.KeepUntils = append(p.KeepUntils, now.Add(a.within+countKept))
	}
	if len(p.Keys) == 0 {
		return nil
	}
	if err := q.InsertCounted(ctx, p); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

// silence gives the plan without what an automation would do, and with why. The plan itself is left as it is: if the transaction
// fails it is saved again.
func (p *planned) silence(automation string, why reason.Code, detail string) *planned {
	plan, silent := *p.Plan, *p
	silent.Plan, silent.contents = &plan, nil
	plan.Decisions = slices.Clone(p.Decisions)
	for n := range plan.Decisions {
		if d := &plan.Decisions[n]; d.Automation == automation {
			d.Verdict, d.Reason, d.Detail = triggers.Skipped, why, detail
		}
	}
	plan.Deliveries = nil
	for n, d := range p.Deliveries {
		if d.Automation != automation {
			plan.Deliveries, silent.contents = append(plan.Deliveries, d), append(silent.contents, p.contents[n])
		}
	}
	plan.Tasks = slices.DeleteFunc(slices.Clone(p.Tasks), func(t Task) bool { return t.Automation == automation })
	plan.Actions = map[string]int{}
	for id, n := range p.Actions {
		if id != automation {
			plan.Actions[id] = n
		}
	}
	return &silent
}
