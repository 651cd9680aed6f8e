package conversation_test

import (
	"testing"
	"time"

	"aftercall/conversation"
)

func TestDurationIsNeverNegative(t *testing.T) {
	t.Parallel()
	c := sample()
	if got := c.Duration(); got != 2*time.Minute {
		t.Errorf("Duration = %v, want 2m", got)
	}
	c.StartedAt, c.EndedAt = c.EndedAt, c.StartedAt
	if got := c.Duration(); got != 0 {
		t.Errorf("Duration = %v, want 0", got)
	}
}

func TestCustomerNumber(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*conversation.Conversation)
		want   string
	}{
		"inbound: the caller":       {func(*conversation.Conversation) {}, "+447700900123"},
		"outbound: the called":      {func(c *conversation.Conversation) { c.Direction = conversation.Outbound }, "020 7946 0000"},
		"the contact record's wins": {func(c *conversation.Conversation) { c.Customer.Number = "+12025550142" }, "+12025550142"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			tt.change(c)
			if got := c.CustomerNumber(); got != tt.want {
				t.Errorf("CustomerNumber = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLocationFallsBackToTheAccounts(t *testing.T) {
	t.Parallel()
	account := time.FixedZone("account", 3600)
	c := sample()
	if got := c.Location(account); got.String() != "Europe/London" {
		t.Errorf("Location = %v, want Europe/London", got)
	}
	c.Timezone = "Nowhere/Land"
	if got := c.Location(account); got != account {
		t.Errorf("Location = %v, want the account's", got)
	}
}

func TestHasSpeech(t *testing.T) {
	t.Parallel()
	c := sample()
	if !c.HasSpeech() {
		t.Error("HasSpeech = false for a conversation with turns")
	}
	c.Turns = []conversation.Turn{{Role: conversation.RoleTool, Text: "{}"}, {Role: conversation.RoleCustomer}}
	if c.HasSpeech() {
		t.Error("HasSpeech = true for tools and silence")
	}
}
