package main

import (
	"testing"

	"aftercall/internal/llm/simulated"
	"aftercall/internal/store"
	"aftercall/reason"
)

// TestSimulatedModelDecidesNothingInEarnest: outside demo and tests, a server that says it is the simulated model is a
// setting that an operator must mend. The call waits, and says so.
func TestSimulatedModelDecidesNothingInEarnest(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), simulated.New(simulated.Options{}))
	id := h.postCall([]byte(downCallNumber(1)))
	s := h.until(id, func(s store.Story) bool { return sent(s) == 1 })
	for _, d := range s.Decisions {
		if d.Automation == "callback" && d.Reason != reason.ModelUnavailable {
			t.Errorf("callback is %s, %s; want it to wait with model_unavailable", d.Verdict, d.Reason)
		}
	}
	if s.State != store.StateWaiting {
		t.Errorf("the conversation is %s, want waiting", s.State)
	}
}
