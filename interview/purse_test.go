package interview_test

import (
	"context"
	"testing"

	"aftercall/internal/llm"
	"aftercall/reason"
)

// paying is a model that pays for each request as a client does, and has used 100 tokens each time.
type paying struct{ reserved []int }

func (p *paying) Complete(ctx context.Context, r llm.Request) (llm.Reply, error) {
	settle, err := r.Reserve(ctx, r.Tokens())
	if err != nil {
		return llm.Reply{}, err
	}
	p.reserved = append(p.reserved, r.Tokens())
	settle(100)
	return llm.Reply{Content: filled("", "no", ""), Model: "paying"}, nil
}

// TestWindowsArePaidForTogether: a long call is begun only if it can be read to its end.
func TestWindowsArePaidForTogether(t *testing.T) {
	t.Parallel()
	f, m, mem := long(100, nil), &paying{}, &memory{}
	var reserved, settled []int
	f.Reserve = func(_ context.Context, tokens int) (func(int), error) {
		reserved = append(reserved, tokens)
		return func(used int) { settled = append(settled, used) }, nil
	}
	if _, err := ask(t, m, mem, f, small); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range m.reserved {
		sum += n
	}
	if len(m.reserved) < 3 || len(reserved) != 1 || reserved[0] != sum || len(settled) != 1 || settled[0] != 100*len(m.reserved) {
		t.Errorf("%d windows cost %d: reserved %v, settled %v; want the sum, once", len(m.reserved), sum, reserved, settled)
	}
	if _, err := ask(t, m, mem, f, small); err != nil || len(reserved) != 1 {
		t.Errorf("what was read is paid for again: reserved %v, %v", reserved, err)
	}
	for kind, wants := range map[llm.Kind]bool{llm.Spent: true, llm.Busy: false} {
		m := &paying{}
		f.Reserve = func(context.Context, int) (func(int), error) { return nil, &llm.Error{Kind: kind} }
		said, err := ask(t, m, &memory{}, f, small)
		if decided := said.Failed["all/0"] == reason.BudgetExceeded && err == nil; decided != wants || len(m.reserved) != 0 {
			t.Errorf("%s: decided %v, %v, after %d requests", kind, decided, err, len(m.reserved))
		}
	}
}

// TestCostsBeyondAreReservedBesides: windows that cost more than was set aside for them find the rest beside it.
func TestCostsBeyondAreReservedBesides(t *testing.T) {
	t.Parallel()
	f, reserved := long(100, nil), 0
	f.Reserve = func(context.Context, int) (func(int), error) {
		reserved++
		return func(int) {}, nil
	}
	m := &overcharging{paying: paying{}}
	if _, err := ask(t, m, &memory{}, f, small); err != nil || reserved < 2 {
		t.Errorf("%d reservations, %v; want one for the windows and more for what they cost beyond it", reserved, err)
	}
}

// overcharging uses more than was reserved for each request.
type overcharging struct{ paying }

func (o *overcharging) Complete(ctx context.Context, r llm.Request) (llm.Reply, error) {
	settle, err := r.Reserve(ctx, r.Tokens())
	if err != nil {
		return llm.Reply{}, err
	}
	settle(2 * r.Tokens())
	return o.paying.Complete(ctx, r)
}
