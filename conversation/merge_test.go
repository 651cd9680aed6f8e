package conversation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		later   func(*conversation.Conversation)
		want    func(*conversation.Conversation)
		changed bool
	}{
		"the same again": {func(*conversation.Conversation) {}, func(*conversation.Conversation) {}, false},
		"a late summary and contact": {
			func(c *conversation.Conversation) {
				c.Summary, c.Customer.Email = "Wants a call.", "pat@example.com"
			},
			func(c *conversation.Conversation) {
				c.Summary, c.Customer.Email = "Wants a call.", "pat@example.com"
			}, true},
		"what is there stays": {
			func(c *conversation.Conversation) {
				c.Agent.Name, c.Status, c.Metadata = "Other", conversation.Failed, map[string]any{"tier": "lead"}
			},
			func(*conversation.Conversation) {}, false},
		"a longer transcript replaces a shorter one": {
			func(c *conversation.Conversation) {
				c.Turns = append(c.Turns, conversation.Turn{Role: conversation.RoleAgent, Text: "Bye."})
			},
			func(c *conversation.Conversation) {
				c.Turns = append(c.Turns, conversation.Turn{Role: conversation.RoleAgent, Text: "Bye."})
			}, true},
		"a shorter transcript does not": {
			func(c *conversation.Conversation) { c.Turns = c.Turns[:1] }, func(*conversation.Conversation) {}, false},
		"new metadata joins": {
			func(c *conversation.Conversation) { c.Metadata = map[string]any{"goal": "met"} },
			func(c *conversation.Conversation) { c.Metadata["goal"] = "met" }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			earlier, later, want := sample(), sample(), sample()
			tt.later(later)
			tt.want(want)
			got, changed := conversation.Merge(earlier, later)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
			if changed != tt.changed {
				t.Errorf("changed = %t, want %t", changed, tt.changed)
			}
			if diff := cmp.Diff(sample(), earlier); diff != "" {
				t.Errorf("the earlier one was changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMergeWithNothing(t *testing.T) {
	t.Parallel()
	c := sample()
	if got, changed := conversation.Merge(nil, c); got != c || !changed {
		t.Errorf("Merge(nil, c) = %p, %t", got, changed)
	}
	if got, changed := conversation.Merge(c, nil); got != c || changed {
		t.Errorf("Merge(c, nil) = %p, %t", got, changed)
	}
}
