package main

import (
	"testing"

	"aftercall/deliver"
	"aftercall/internal/store"
)

func TestWhom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, key, address, want string }{
		{"the contact's e-mail", "contact:customer_email", "", "the customer"},
		{"the contact's number", "contact:customer_number", "", "the customer"},
		{"a person", "person:maria", "", "maria"},
		{"an address as written", "email:x@y.example", "", "x@y.example"},
		{"a number as written", "phone:+447700900123", "", "+447700900123"},
		{"nobody", "-", "", "nobody"},
		{"nothing", "", "", "nobody"},
		{"the team", "all", "", "everybody"},
		{"the team, as it was posted", "all", "all", "everybody"},
		{"one message to several", "together", "", "several people together"},
		{"one message to several, the customer among them", "contact:together", "", "several people together"},
		{"a task's group", "support", "", "support"},
		{"an address that is known", "person:maria", "maria@acme.example", "maria@acme.example"},
		{"an address that would write a line", "email:x@y\n.example", "", "x@y .example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := whom(store.StoryDelivery{Delivery: store.Delivery{Recipient: c.key}, Address: c.address}); got != c.want {
				t.Errorf("%q is %q, want %q", c.key, got, c.want)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, channel, provider string
		state                   store.DeliveryState
		want                    string
	}{
		{"a mail", deliver.Email, "sendgrid", store.Sent, "sent"},
		{"a captured mail", deliver.Email, "capture", store.Sent, "captured"},
		{"an alert", deliver.TeamAlert, "team_alert", store.Sent, "posted"},
		{"a captured alert", deliver.TeamAlert, "capture", store.Sent, "captured"},
		{"a task", deliver.Task, "", store.Sent, "written"},
		{"a task that was not written", deliver.Task, "", store.Skipped, "skipped"},
		{"a mail that hangs", deliver.Email, "sendgrid", store.Unknown, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := store.StoryDelivery{Provider: c.provider, Delivery: store.Delivery{Channel: c.channel, State: c.state}}
			if got := outcome(x); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
