// Command operators is a room full of people who press every button there is, at random and all at once, on a product that is at
// work beside them.
//
//	operators -database URL -account chaos -actions 10000 -seed 7
//
// They see what a page would show them, and act through the room that the pages act through. Half of them pick what can be
// done, the others whatever comes first; one press in five is a double click. When all actions are taken it prints what was
// done, what was refused, and what went wrong otherwise, as one line of JSON. Whether it came to any harm is for its owner to find
// out. It promises nothing else.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/worker"
)

func main() {
	var r room
	database := flag.String("database", "", "URL of the product's database")
	flag.StringVar(&r.account, "account", "chaos", "whose calls")
	flag.IntVar(&r.actions, "actions", 100, "how many actions are taken")
	flag.IntVar(&r.people, "people", 8, "by how many people at once")
	flag.Uint64Var(&r.seed, "seed", 1, "seed of what they do")
	flag.Parse()
	if err := r.work(context.Background(), *database); err != nil {
		fmt.Fprintln(os.Stderr, "operators:", err)
		os.Exit(1)
	}
}

// room is where they sit.
type room struct {
	account         string
	actions, people int
	seed            uint64

	store *store.Store
	ops   *ops.Ops
	taken atomic.Int64

	mu    sync.Mutex // guards what follows
	tally tally
	bulks []string
}

// tally is what came of it.
type tally struct {
	Done    map[string]int // by action
	Refused map[string]int
	Wrong   []string // errors that are no refusal; the first ten
	Wrongs  int
}

func (r *room) work(ctx context.Context, database string) (err error) {
	r.tally = tally{Done: map[string]int{}, Refused: map[string]int{}}
	if r.store, err = store.Open(ctx, database, store.Options{Pool: r.people + 2, Ingest: -1}); err != nil {
		return err
	}
	defer r.store.Close()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	revisions := worker.NewRevisions(r.store, log)
	if err := revisions.Refresh(ctx); err != nil {
		return err
	}
	jobs, err := worker.NewInserter(r.store)
	if err != nil {
		return err
	}
	if r.ops, err = ops.New(ops.Config{Store: r.store, River: jobs, Revisions: revisions, Logger: log}); err != nil {
		return err
	}
	var all sync.WaitGroup
	for n := range r.people {
		all.Go(func() {
			p := person{room: r, rand: rand.New(rand.NewPCG(r.seed, uint64(n))), name: fmt.Sprintf("person-%d", n)}
			for r.taken.Add(1) <= int64(r.actions) {
				p.act(ctx)
			}
		})
	}
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(r.tally)
}

// note counts what came of an action.
func (r *room) note(action string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var refused *ops.Refused
	switch {
	case err == nil:
		r.tally.Done[action]++
	case errors.As(err, &refused), errors.Is(err, ops.ErrNotFound):
		r.tally.Refused[action]++
	default:
		if r.tally.Wrongs++; len(r.tally.Wrong) < 10 {
			r.tally.Wrong = append(r.tally.Wrong, action+": "+err.Error())
		}
	}
}

// person is one of them.
type person struct {
	*room
	rand *rand.Rand
	name string
}

func (p *person) by() store.Actor { return store.Actor{Name: p.name} }

// act takes one action on some call.
func (p *person) act(ctx context.Context) {
	rows, _, err := p.store.Conversations(ctx, store.ConversationQuery{AccountID: p.account, Limit: 200})
	if err != nil || len(rows) == 0 {
		p.note("look", errors.Join(err, pause(ctx, 50*time.Millisecond)))
		return
	}
	s, err := p.store.Story(ctx, p.account, rows[p.rand.IntN(len(rows))].ID)
	if err != nil {
		p.note("look", err)
		return
	}
	name, do := p.choose(ctx, s)
	press := func() { p.note(name, do()) }
	if p.rand.IntN(5) > 0 {
		press()
		return
	}
	var both sync.WaitGroup
	both.Go(press)
	both.Go(press)
	both.Wait()
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// choose picks an action.
func (p *person) choose(ctx context.Context, s store.Story) (name string, do func() error) {
	switch n := p.rand.IntN(100); {
	case n < 55 && len(s.Deliveries) > 0:
		return p.onDelivery(ctx, s)
	case n < 80 && len(s.Decisions) > 0:
		return p.onDecision(ctx, s)
	case n < 97:
		which, sandbox := []ops.Revision{ops.Same, ops.Active}[p.rand.IntN(2)], p.rand.IntN(3) == 0
		return "replay", func() error {
			_, err := p.ops.Replay(ctx, p.by(), p.account, s.Conversation.ID, which, sandbox)
			return err
		}
	}
	return p.inBulk(ctx)
}

// onDelivery does something to one delivery, mostly to one to which it can be done.
func (p *person) onDelivery(ctx context.Context, s store.Story) (name string, do func() error) {
	d := s.Deliveries[p.rand.IntN(len(s.Deliveries))]
	for range 10 {
		if d.State != store.Skipped && d.State != store.Delivered && (d.State != store.Sent || p.rand.IntN(3) == 0) {
			break
		}
		d = s.Deliveries[p.rand.IntN(len(s.Deliveries))]
	}
	fits := map[store.DeliveryState][]string{store.Unknown: {"settle", "settle", "resend"}, store.Held: {"release", "cancel"},
		store.Planned: {"cancel"}, store.Retrying: {"cancel"}}[d.State]
	if fits == nil || p.rand.IntN(4) == 0 {
		fits = []string{"resend", "settle", "release", "cancel"}
	}
	name = fits[p.rand.IntN(len(fits))]
	as := []store.DeliveryState{store.Sent, store.Failed}[p.rand.IntN(2)]
	return name, func() error {
		switch name {
		case "resend":
			_, err := p.ops.Resend(ctx, p.by(), p.account, d.ID)
			return err
		case "settle":
			return p.ops.Settle(ctx, p.by(), p.account, d.ID, as)
		case "release":
			return p.ops.Release(ctx, p.by(), p.account, d.ID)
		}
		return p.ops.Cancel(ctx, p.by(), p.account, d.ID)
	}
}

// onDecision does something about what was decided.
func (p *person) onDecision(ctx context.Context, s store.Story) (name string, do func() error) {
	d := s.Decisions[p.rand.IntN(len(s.Decisions))]
	name = []string{"fix", "fix", "approve", "approve", "dismiss", "mark"}[p.rand.IntN(6)]
	value, wrong := fmt.Sprint(p.rand.IntN(90)+10), p.rand.IntN(2) == 0
	id := s.Conversation.ID
	return name, func() (err error) {
		switch name {
		case "fix":
			_, err = p.ops.Fix(ctx, p.by(), p.account, id, d.Run, d.Automation, map[string]string{"dyn_count": value})
		case "approve":
			_, err = p.ops.Approve(ctx, p.by(), p.account, id, d.Run, d.Automation)
		case "dismiss":
			err = p.ops.Dismiss(ctx, p.by(), p.account, id, d.Run, d.Automation)
		default:
			err = p.ops.Mark(ctx, p.by(), p.account, id, d.Run, d.Automation, wrong, "")
		}
		return err
	}
}

// inBulk asks for a bulk job of some seconds, or aborts one.
func (p *person) inBulk(ctx context.Context) (name string, do func() error) {
	if p.rand.IntN(3) == 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.bulks) > 0 {
			id := p.bulks[p.rand.IntN(len(p.bulks))]
			return "abort", func() error { return p.ops.AbortBulk(ctx, p.by(), p.account, id) }
		}
	}
	actions := store.BulkActions()
	b := store.BulkRequest{Action: actions[p.rand.IntN(len(actions))]}
	since := time.Duration(p.rand.IntN(20)) * time.Second
	b.Filter.Since = time.Now().Add(-since - 5*time.Second)
	b.Filter.Until = b.Filter.Since.Add(5 * time.Second)
	switch b.Action {
	case store.BulkResend:
		b.Filter.State = store.Failed
	case store.BulkCancel:
		b.Filter.State = store.Held
	}
	return "bulk", func() error {
		id, err := p.ops.Bulk(ctx, p.by(), p.account, b)
		if err == nil {
			p.mu.Lock()
			p.bulks = append(p.bulks, id)
			p.mu.Unlock()
		}
		return err
	}
}
