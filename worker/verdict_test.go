package worker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river/rivertype"

	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/reason"
)

func TestSettle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	deadline := now.Add(lifetime)
	retry := func(after time.Duration) error {
		return &deliver.Error{Verdict: deliver.Retry, Class: "rate_limited", Status: 429, After: after}
	}
	for _, c := range []struct {
		name    string
		attempt int
		err     error
		want    store.Outcome
	}{
		{"accepted", 1, nil, store.Outcome{State: store.Sent, Provider: "p", ProviderID: "id"}},
		{"refused is final", 1, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Status: 400}, store.Outcome{State: store.Failed, Class: "bad_request", Status: 400}},
		{"no answer is unknown", 1, &deliver.Error{Verdict: deliver.Unknown, Class: "timeout"}, store.Outcome{State: store.Unknown, Class: "timeout"}},
		{"an error without a verdict is unknown", 1, errors.New("boom"), store.Outcome{State: store.Unknown, Class: "unclassified", Detail: "the channel gave no verdict"}},
		{"retry backs off", 1, retry(0), store.Outcome{State: store.Retrying, Class: "rate_limited", Status: 429, DueAt: now.Add(10 * time.Second)}},
		{"a provider's wait is never undercut", 1, retry(time.Minute), store.Outcome{State: store.Retrying, Class: "rate_limited", Status: 429, DueAt: now.Add(time.Minute)}},
		{"past the deadline it is too late", 1, retry(7 * time.Hour), store.Outcome{State: store.Failed, Reason: reason.TooLate, Class: "rate_limited", Status: 429}},
		{"the last attempt gives up", maxSends, retry(0), store.Outcome{State: store.Failed, Reason: reason.TooLate, Class: "rate_limited", Status: 429}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := settle(store.Outcome{Attempt: c.attempt, FinishedAt: now}, deliver.Receipt{Provider: "p", ProviderID: "id"}, c.err, deadline)
			c.want.Attempt, c.want.FinishedAt = c.attempt, now
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHopeless(t *testing.T) {
	t.Parallel()
	old := func(texts ...string) (all []rivertype.AttemptError) {
		for _, s := range texts {
			all = append(all, rivertype.AttemptError{Error: s})
		}
		return all
	}
	for _, c := range []struct {
		name    string
		attempt int
		earlier []rivertype.AttemptError
		err     error
		want    bool
	}{
		{"done", maxJobAttempts, nil, nil, false},
		{"a first panic", 1, nil, panicError("string"), false},
		{"a panic after other errors", 3, old("away", "away"), panicError("string"), false},
		{"another error after panics", 3, old("panic (string)", "panic (string)"), errors.New("away"), false},
		{"one panic too many", 3, old("panic (string)", "panic (string)"), fmt.Errorf("decide: %w", panicError("string")), true},
		{"the last attempt", maxJobAttempts, old("away"), errors.New("away"), true},
		{"later", maxJobAttempts, nil, later(time.Second), false},
		{"never", maxJobAttempts, nil, never(errors.New("gone")), false},
	} {
		job := &rivertype.JobRow{Attempt: c.attempt, MaxAttempts: maxJobAttempts, Errors: c.earlier}
		if got := hopeless(job, c.err); got != c.want {
			t.Errorf("%s: hopeless is %t", c.name, got)
		}
	}
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	t.Parallel()
	for n := 0; n < 20; n++ {
		if backoff(n) > backoff(n+1) {
			t.Errorf("backoff(%d) = %s is longer than backoff(%d) = %s", n, backoff(n), n+1, backoff(n+1))
		}
	}
	if got := backoff(100); got != 2*time.Hour {
		t.Errorf("backoff(100) = %s, want 2h", got)
	}
}

func TestWhenModelIsBackNeverUndercutsTheModel(t *testing.T) {
	t.Parallel()
	for _, waited := range []time.Duration{0, 2 * time.Minute, time.Hour} {
		for range 100 {
			if got := whenModelIsBack(&llm.Error{After: 40 * time.Second}, waited); got < 40*time.Second || got > 61*time.Second {
				t.Fatalf("after %s: wait %s, want 40 s and up to half of it more", waited, got)
			}
			if got := whenModelIsBack(&llm.Error{}, waited); got > time.Minute {
				t.Fatalf("after %s: wait %s without a word from the model", waited, got)
			}
		}
	}
}

func TestPriorityIsFairAndValid(t *testing.T) {
	t.Parallel()
	last := 1
	for _, backlog := range []int{0, 99, 100, 999, 1000, 4999, 5000, 10000} {
		p := priority(backlog)
		if p < last || p > 4 {
			t.Errorf("priority(%d) = %d after %d", backlog, p, last)
		}
		last = p
	}
	if last != 4 {
		t.Errorf("the largest backlog has priority %d, want 4", last)
	}
}
