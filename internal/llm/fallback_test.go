package llm_test

import (
	"testing"
	"time"

	"aftercall/internal/llm"
)

func TestFallback(t *testing.T) {
	t.Parallel()
	fail := func(k llm.Kind, after time.Duration) error { return &llm.Error{Kind: k, After: after} }
	cases := []struct {
		name          string
		first, second error
		asked         int // calls of the second
		kind          llm.Kind
		after         time.Duration
	}{
		{"first answers", nil, nil, 0, "", 0},
		{"first refuses, second answers", fail(llm.Refused, 0), nil, 1, "", 0},
		{"first is away, second answers", fail(llm.Unavailable, 0), nil, 1, "", 0},
		{"no money, second answers", fail(llm.Quota, 0), nil, 1, "", 0},
		{"patience is enough", fail(llm.RateLimited, time.Second), nil, 0, llm.RateLimited, time.Second},
		{"too long stays too long", fail(llm.TooLong, 0), nil, 0, llm.TooLong, 0},
		{"truncated is repaired, not asked elsewhere", fail(llm.Truncated, 0), nil, 0, llm.Truncated, 0},
		{"both refuse", fail(llm.Refused, 0), fail(llm.Refused, 0), 1, llm.Refused, 0},
		{"refused, then away: wait for the second", fail(llm.Refused, 0), fail(llm.Unavailable, time.Minute), 1, llm.Unavailable, time.Minute},
		{"away, then refused: wait for the first", fail(llm.Unavailable, time.Second), fail(llm.Refused, 0), 1, llm.Unavailable, time.Second},
		{"no budget, so no second model", fail(llm.Spent, 0), nil, 0, llm.Spent, 0},
		{"away, then no budget for the second: nothing to wait for", fail(llm.Unavailable, time.Second), fail(llm.Spent, 0), 1, llm.Spent, 0},
		{"both away: the shorter wait", fail(llm.Unavailable, time.Minute), fail(llm.Unavailable, time.Second), 1, llm.Unavailable, time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			second := &script{errs: []error{c.second}}
			_, err := llm.WithFallback(&script{errs: []error{c.first}}, second).Complete(t.Context(), llm.Request{})
			if second.calls != c.asked {
				t.Errorf("the second model was asked %d times, want %d", second.calls, c.asked)
			}
			if c.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if e := llm.AsError(err); err == nil || e.Kind != c.kind || e.After != c.after {
				t.Errorf("got %v after %v, want %s after %v", err, e.After, c.kind, c.after)
			}
		})
	}
	one := &script{errs: []error{nil}}
	if got := llm.WithFallback(one, nil); got != llm.Model(one) {
		t.Error("no second model: want the first as it is")
	}
}
