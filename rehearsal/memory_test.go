package rehearsal_test

import (
	"testing"

	"aftercall/interview"
	"aftercall/rehearsal"
)

// TestTheFirstValidAnswerCounts, for the same part of the same form, and for no other.
func TestTheFirstValidAnswerCounts(t *testing.T) {
	t.Parallel()
	m, ctx := rehearsal.NewMemory(), t.Context()
	record := func(conversation, revision, part, answer string, valid bool) string {
		t.Helper()
		raw, err := m.Record(ctx, interview.Call{ConversationID: conversation, RevisionID: revision, Part: part, Answer: []byte(answer), Valid: valid})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	record("c", "r", "all/0", "bad", false)
	if got := record("c", "r", "all/0", "first", true); got != "first" {
		t.Errorf("the first answer to use is %q", got)
	}
	if got := record("c", "r", "all/0", "second", true); got != "first" {
		t.Errorf("after a second one it is %q", got)
	}
	if got := record("c", "other", "all/0", "third", true); got != "third" {
		t.Errorf("under another revision it is %q", got)
	}
	known, err := m.Recall(ctx, "c", "r")
	if err != nil || len(known) != 1 || string(known["all/0"]) != "first" {
		t.Errorf("recalled %v, %v", known, err)
	}
	known["all/0"] = []byte("changed")
	if again, _ := m.Recall(ctx, "c", "r"); string(again["all/0"]) != "first" {
		t.Error("what was recalled can be changed")
	}
	if none, err := m.Recall(ctx, "nobody", "r"); err != nil || none == nil || len(none) != 0 {
		t.Errorf("of a stranger it recalls %v, %v", none, err)
	}
	if n := len(m.Calls()); n != 4 {
		t.Errorf("%d calls kept, want 4", n)
	}
}
