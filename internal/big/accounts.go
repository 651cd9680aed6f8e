package main

import (
	"context"
	"fmt"
	"strings"

	"aftercall/automation"
	"aftercall/internal/store"
)

// account is one of those that the calls belong to.
type account struct {
	id, name, revision string
	share              float64 // of all calls
}

// rule is one automation of every account, and how often it fires.
type rule struct {
	id      string
	fires   float64
	actions []action
}

// action is one thing that a rule does.
type action struct {
	channel    string
	recipients []string // keys
	customer   bool
}

const (
	desk    = "email:desk@clinic.example"
	billing = "email:billing@clinic.example"
	books   = "email:accounts@clinic.example"
)

// rules are those of every account, in the order of its file. On average a call leads to three deliveries.
func rules() []rule {
	email := func(to ...string) action { return action{channel: "email", recipients: to} }
	alert := action{channel: "team_alert", recipients: []string{"all"}}
	task := action{channel: "task", recipients: []string{"-"}}
	return []rule{
		{"every-call", 1, []action{email(desk)}},
		{"callback-requested", 0.30, []action{email(desk), task, alert}},
		{"appointment-booked", 0.32, []action{
			{channel: "email", recipients: []string{"contact:customer_email"}, customer: true},
			{channel: "sms", recipients: []string{"contact:customer_number"}, customer: true}}},
		{"customer-complaint", 0.10, []action{email(desk), alert, task}},
		{"billing-inquiry", 0.08, []action{email(billing, books)}},
	}
}

// accounts are twelve: a large one, two of middle size, and nine small ones.
func accounts() []account {
	all := []account{{id: "northwind", name: "Northwind Dental", share: 0.4}, {id: "acme", name: "Acme Clinic", share: 0.2},
		{id: "umbra", name: "Umbra Repairs", share: 0.1}}
	for n := range 9 {
		all = append(all, account{id: fmt.Sprintf("branch-%d", n+1), name: fmt.Sprintf("Branch %d", n+1), share: 0.3 / 9})
	}
	return all
}

// settle gives the database the accounts, each with a config that is checked and active as any other.
func settle(ctx context.Context, db *store.Store) ([]account, error) {
	all := accounts()
	for n := range all {
		a := &all[n]
		files := automation.Files{"account.yaml": []byte(config(*a))}
		rev, problems := automation.Compile(files)
		if rev == nil {
			return nil, fmt.Errorf("compile the config of %s: %v", a.id, problems)
		}
		id, err := db.SaveRevision(ctx, store.RevisionFiles{AccountID: a.id, Digest: rev.Digest, Format: rev.Format, Files: files}, "big")
		if err != nil {
			return nil, err
		}
		if _, err := db.Activate(ctx, store.Activation{AccountID: a.id, RevisionID: id, By: "big"}); err != nil {
			return nil, err
		}
		a.revision = id
	}
	return all, nil
}

func config(a account) string {
	return strings.NewReplacer("ID", a.id, "NAME", a.name).Replace(`account: ID
name: NAME
timezone: Europe/London
from: { email: "calls@clinic.example", sms: "+442071838750" }
allow: { domains: [clinic.example], contacts: true }
variables:
  dyn_wish: { type: text, ask: What the customer would like to happen next }
automations:
  - id: every-call
    when: always
    actions: [ { email: { to: [desk@clinic.example], subject: "A call from {{customer_number}}", body: "{{conversation_duration}} with {{agent_name}}" } } ]
  - id: callback-requested
    when: { ask: "Did the customer ask to be called back?", said_by: customer }
    actions:
      - email: { to: [desk@clinic.example], subject: "Call back {{customer_number}}", body: "They would like {{dyn_wish}}" }
      - task: { title: "Call {{customer_number}} back", description: "{{dyn_wish}}" }
      - team_alert: { text: "{{customer_name}} wants a call back" }
  - id: appointment-booked
    when: { ask: "Did both sides agree on an appointment?" }
    actions:
      - email: { to: ["{{customer_email}}"], subject: "Your appointment", body: "We look forward to seeing you." }
      - sms: { to: ["{{customer_number}}"], body: "We look forward to seeing you." }
  - id: customer-complaint
    when: { ask: "Did the customer complain?", said_by: customer }
    actions:
      - email: { to: [desk@clinic.example], subject: "A complaint", body: "{{customer_name}} complained." }
      - team_alert: { text: "{{customer_name}} complained" }
      - task: { title: "See to the complaint of {{customer_name}}" }
  - id: billing-inquiry
    when: { ask: "Did the customer ask about a bill?", said_by: customer }
    actions: [ { email: { to: [billing@clinic.example, accounts@clinic.example], subject: "About a bill", body: "{{customer_name}} asked about a bill." } } ]
`)
}
