package delivertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"aftercall/deliver"
)

// Take makes a message a row.
type Take func(context.Context, deliver.Message) error

// RunRows holds a channel to the suite whose messages become rows of our own database. The rows are kept in memory here: the
// store's own have their tests on a database.
func RunRows(t *testing.T, open func(Take) deliver.Channel) {
	gone := errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
	Run(t, func(_ *testing.T, s Situation) Rig {
		r := &rows{}
		switch s {
		case Accepts:
		case Failing, Unreachable:
			r.broken = gone
		case Silent, LateAnswer:
			r.then = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		case Cut:
			r.then = func(context.Context) error { return gone }
		default:
			return Rig{Impossible: "the message becomes a row of our own database, which takes it or fails"}
		}
		return Rig{Channel: open(r.take), Once: true, Received: r.received}
	})
}

// rows are those there are, each once.
type rows struct {
	mu     sync.Mutex
	all    []Copy
	broken error
	then   func(context.Context) error // what it does when it has written a row; nil answers
}

func (r *rows) take(ctx context.Context, m deliver.Message) error {
	if r.broken != nil {
		return r.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	row := Copy{Delivery: m.DeliveryID, Key: m.DeliveryID, Text: m.Text}
	if !slices.Contains(r.all, row) {
		r.all = append(r.all, row)
	}
	r.mu.Unlock()
	if r.then != nil {
		return r.then(ctx)
	}
	return nil
}

func (r *rows) received() []Copy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}
