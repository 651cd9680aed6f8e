package main

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/internal/store"
)

// table is one table's rows, to be copied in.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

// batch is the rows of some calls, table by table in the order in which they refer to each other.
type batch struct{ tables []*table }

func newBatch() *batch {
	b := &batch{}
	for _, t := range [][2]string{
		{"conversations", `id account_id source external_id revision_id content state version decide_at accepted_at decided_at summary
			started_at ended_at channel direction status agent_id agent_name customer_name customer_email customer_number
			email_key phone_key far_phone_key`},
		{"events", `id account_id source identity type content_type body digest received_at accepted_at conversation_id`},
		{"interviews", `id account_id conversation_id revision_id part purpose prompt_hash schema_hash valid chosen answer error_kind status
			model endpoint simulated tokens_in tokens_cached tokens_out finish_reason request_id fingerprint latency_ms called_at`},
		{"decisions", `conversation_id run automation account_id revision_id verdict reason evidence detail review actions decided_at`},
		{"variable_values", `conversation_id run name account_id type status raw value evidence problem`},
		{"deliveries", `id account_id conversation_id run automation action recipient channel customer state reason detail due_at
			deadline_at test content attempt worker_id claimed_at address provider provider_id created_at updated_at`},
		{"attempts", `delivery_id attempt account_id worker_id state class status detail provider provider_id started_at finished_at`},
		{"settlements", `delivery_id settled account_id conversation_id run person at`},
		{"audit_log", `id account_id person address act target detail at`},
		{"tasks", `id account_id conversation_id run automation action title description priority assignee due_at state created_at updated_at`},
		{"alerts", `id account_id delivery_id conversation_id automation audience text created_at`},
		{"captured", `id account_id delivery_id attempt conversation_id external_id automation channel recipients subject text html fields
			test captured_at`},
	} {
		b.tables = append(b.tables, &table{name: t[0], columns: strings.Fields(t[1])})
	}
	return b
}

func (b *batch) add(name string, row ...any) {
	for _, t := range b.tables {
		if t.name == name {
			t.rows = append(t.rows, row)
			return
		}
	}
	panic("no table " + name) // a slip in this package
}

// writer writes one call into a batch.
type writer struct {
	*batch
	dice
	account account
	id      [16]byte
	who     customer
	conv    *conversation.Conversation
	fresh   bool // of the last two days: people have not looked at all of it
}

// write adds everything that call n of the quarter has left.
func (q *quarter) write(b *batch, n int) error {
	d := q.dice(n)
	who := d.customer(q.conversations)
	w := &writer{batch: b, dice: d, account: q.accountOf(d), id: d.id(), who: who, conv: d.conversation(externalID(n), who),
		fresh: q.until.Sub(d.at) < 48*time.Hour}
	if err := w.call(); err != nil {
		return err
	}
	for _, r := range rules() {
		if err := w.decide(r); err != nil {
			return err
		}
	}
	return nil
}

func (q *quarter) accountOf(d dice) account {
	left := d.Float64()
	for _, a := range q.accounts[:len(q.accounts)-1] {
		if left -= a.share; left < 0 {
			return a
		}
	}
	return q.accounts[len(q.accounts)-1]
}

// call writes the conversation, its webhook and the call of the model about it.
func (w *writer) call() error {
	c := w.conv
	content, err := json.Marshal(c)
	if err != nil {
		return err
	}
	key := lastNine(w.who.number)
	w.add("conversations", w.id, w.account.id, "api", c.ExternalID, parsed(w.account.revision), content, "decided", int32(2), w.at, w.at,
		w.at.Add(2*time.Second), c.Summary, c.StartedAt, c.EndedAt, string(c.Channel), string(c.Direction), string(c.Status), c.Agent.ID,
		c.Agent.Name, c.Customer.Name, c.Customer.Email, w.who.number, strings.ToLower(c.Customer.Email), key, "")
	digest := sha256.Sum256(content)
	w.add("events", w.dice.id(), w.account.id, "api", c.ExternalID+"/conversation", "conversation", "application/json", content, digest[:], w.at, w.at, w.id)
	answer := []byte(`{"automations":{},"summary":"` + c.Summary + `"}`)
	w.add("interviews", w.dice.id(), w.account.id, w.id, parsed(w.account.revision), "all/0", "decide", "", "", true, true, answer, "", int32(200),
		"big", "none", false, int32(900+w.IntN(1500)), int32(512), int32(60+w.IntN(80)), "stop", "", "", int32(300+w.IntN(2500)), w.at.Add(time.Second))
	return nil
}

// decide writes what became of one automation.
func (w *writer) decide(r rule) error {
	verdict, reason, detail, actions, review := "no", "condition_not_met", "", 0, false
	switch {
	case r.fires == 1:
		verdict, reason, actions = "fires", "always", len(r.actions)
	case w.conv.Status == conversation.Failed:
		verdict, reason = "skipped", "filtered_status"
	case w.often(r.fires / 0.93): // of the calls that did not fail
		verdict, reason, actions = "fires", "fired", len(r.actions)
	case w.often(0.02):
		verdict, reason, detail = "unsure", "evidence_not_found", "The quote does not stand in the transcript."
		review = w.fresh || w.often(0.01)
	}
	evidence := []byte(`[]`)
	if reason == "fired" {
		evidence = quoted(w.conv)
	}
	w.add("decisions", w.id, int32(1), r.id, w.account.id, parsed(w.account.revision), verdict, reason, evidence, detail, review, int32(actions), w.at.Add(2*time.Second))
	if verdict != "fires" {
		return nil
	}
	if r.id == "callback-requested" {
		w.add("variable_values", w.id, int32(1), "dyn_wish", w.account.id, "text", "stated", "a call back", "a call back", []byte(`{"turn":2,"quote":"a call back"}`), "")
	}
	for k, a := range r.actions {
		for _, to := range a.recipients {
			if err := w.deliver(r, k, a, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func quoted(c *conversation.Conversation) []byte {
	b, _ := json.Marshal([]map[string]any{{"turn": 2, "quote": c.Turns[1].Text}}) // plain values
	return b
}

// fate is what became of a delivery: its state, and its tries.
type fate struct {
	state, reason, class, detail string
	tries                        int
}

// fate is nearly always that it was sent.
func (w *writer) fate(a action) fate {
	switch {
	case a.channel == "task":
		return fate{state: "sent"}
	case a.channel == "team_alert":
		return fate{state: "sent", tries: 1}
	case a.customer && w.who.email == "" && a.channel == "email":
		return fate{state: "skipped", reason: "recipients_empty", detail: "There is no address on the contact record."}
	case a.customer && w.often(0.005):
		return fate{state: "held", reason: "variable_missing_for_customer", detail: "not stated: dyn_wish"}
	case w.often(0.012):
		return fate{state: "failed", class: "refused", tries: 1}
	case w.often(0.001):
		return fate{state: "unknown", class: "no_answer", detail: "No answer was kept.", tries: 1}
	case w.often(0.002):
		return fate{state: "cancelled", detail: "Cancelled by a person."}
	case w.often(0.03):
		return fate{state: "sent", tries: 2}
	}
	return fate{state: "sent", tries: 1}
}

// deliver writes one delivery with its tries, and what it left on this machine.
func (w *writer) deliver(r rule, index int, a action, to string) error {
	f := w.fate(a)
	content, err := json.Marshal(store.Content{Subject: "About a call from " + w.who.number, Text: w.who.name + " called.\n\n" + w.conv.Summary, To: []string{to}})
	if err != nil {
		return err
	}
	id, done := w.dice.id(), w.at.Add(3*time.Second)
	provider, address := "", ""
	if f.tries > 0 {
		provider, address = map[string]string{"email": "sendgrid", "sms": "capture", "team_alert": "team_alert"}[a.channel], w.addressOf(to)
	}
	var claimed *time.Time
	worker := ""
	if f.tries > 0 {
		claimed, worker = &done, "big-worker"
	}
	w.add("deliveries", id, w.account.id, w.id, int32(1), r.id, int32(index), to, a.channel, a.customer, f.state, f.reason, f.detail, done,
		done.Add(6*time.Hour), false, content, int32(f.tries), worker, claimed, address, provider, "", w.at.Add(2*time.Second), done)
	for try := 1; try <= f.tries; try++ {
		state, class, status := f.state, f.class, 202
		if try < f.tries {
			state, class, status = "retrying", "rate_limited", 429
		}
		w.add("attempts", id, int32(try), w.account.id, worker, state, class, int32(status), "", provider, "", done, done)
	}
	w.leave(r, index, a, f, id, done)
	return nil
}

// person is who works on calls.
const person = "Ann"

// leave writes the task, the alert or the captured message of a delivery, or who called it off.
func (w *writer) leave(r rule, index int, a action, f fate, id [16]byte, done time.Time) {
	switch {
	case f.state == "cancelled":
		w.add("settlements", id, "cancelled", w.account.id, w.id, int32(0), person, done)
		w.add("audit_log", w.dice.id(), w.account.id, person, "192.0.2.7", "cancelled", uuid.UUID(id).String(), []byte(`{}`), done)
	case f.state != "sent":
	case a.channel == "task":
		state := one(w.dice, []string{"open", "in_progress", "done", "done", "done", "done", "dismissed"})
		w.add("tasks", w.dice.id(), w.account.id, w.id, int32(1), r.id, int32(index), "Call "+w.who.number+" back", w.conv.Summary,
			one(w.dice, []string{"low", "medium", "medium", "high", "urgent"}), "desk", w.at.Add(24*time.Hour), state, w.at, done)
	case a.channel == "team_alert":
		w.add("alerts", w.dice.id(), w.account.id, id, w.id, r.id, "all", w.who.name+" wants a call back", done)
	case a.channel == "sms":
		w.add("captured", w.dice.id(), w.account.id, id, int32(f.tries), w.id, w.conv.ExternalID, r.id, a.channel, w.who.number, "",
			"We look forward to seeing you.", "", []byte(`{}`), false, done)
	}
}

func (w *writer) addressOf(to string) string {
	switch to {
	case "contact:customer_email":
		return w.who.email
	case "contact:customer_number":
		return w.who.number
	}
	_, address, _ := strings.Cut(to, ":")
	return address
}
