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

// TestMergeByRank: a higher rank wins in either order, for what it was given; what its event does not say is filled.
func TestMergeByRank(t *testing.T) {
	t.Parallel()
	event := func(ranks conversation.Ranks, status conversation.Status, number, plan, note string) *conversation.Conversation {
		c := &conversation.Conversation{Ranks: ranks, Status: status, ToNumber: number, Note: note}
		if plan != "" {
			c.Metadata = map[string]any{"plan": plan}
		}
		return c
	}
	end := event(conversation.Ranks{conversation.Rest: 2}, conversation.Completed, "+442079460000", "", "")
	missed := event(conversation.Ranks{conversation.Rest: 1, "status": 3}, conversation.Failed, "1000", "gold", "")
	mailbox := event(nil, conversation.Completed, "1001", "silver", "VIP")
	want := event(conversation.Ranks{conversation.Rest: 2, "status": 3, "metadata.plan": 1, "note": 0}, conversation.Failed, "+442079460000", "gold", "VIP")
	for _, order := range [][3]*conversation.Conversation{{end, missed, mailbox}, {end, mailbox, missed}, {missed, end, mailbox}, {missed, mailbox, end},
		{mailbox, end, missed}, {mailbox, missed, end}} {
		two, _ := conversation.Merge(order[0], order[1])
		three, _ := conversation.Merge(two, order[2])
		if diff := cmp.Diff(want, three); diff != "" {
			t.Errorf("merged (-want +got):\n%s", diff)
		}
		if again, changed := conversation.Merge(three, order[2]); changed || cmp.Diff(three, again) != "" {
			t.Errorf("the same again changes %+v to %+v", three, again)
		}
	}
	if _, changed := conversation.Merge(mailbox, event(conversation.Ranks{"status": 3}, conversation.Completed, "", "", "")); !changed {
		t.Error("a higher rank of the same word is not kept")
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
