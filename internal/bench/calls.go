package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
)

// secret signs the webhooks of every source here.
const secret = "bench-webhook-secret"

// account is the config of an account with so many automations, each of which fires on every call of the fake model and
// sends one mail. Its id is its source's, too.
func account(id string, automations int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `account: %s
name: Northwind Dental
timezone: Europe/London
language: en
missing: not stated
from: { email: "Northwind Dental <desk@northwind.example>" }
allow: { domains: [northwind.example], contacts: true }
sources:
  - { id: %s, type: elevenlabs, secret: "${ENV:BENCH_SECRET}" }
variables:
  dyn_reason: { type: text, ask: "Why the caller called, in their words", said_by: customer }
  dyn_wish: { type: text, ask: "What the caller would like to happen next, in their words", said_by: customer }
automations:
`, id, id)
	for i := range automations {
		fmt.Fprintf(&b, `  - id: %s
    name: Follow-up %d
    when: { ask: "Did the caller %s?", said_by: customer }
    actions:
      - email:
          to: [desk@northwind.example]
          subject: "Follow-up %d for {{customer_number}}"
          body: |
            Hello,

            {{conversation_summary}}

            Why they called: {{dyn_reason}}

            {{#if dyn_wish}}What they would like: {{dyn_wish}}{{/if}}

            Northwind Dental
`, automation(i), i+1, questions()[i%len(questions())], i+1)
	}
	return b.String()
}

func automation(i int) string { return "auto-" + strconv.Itoa(i+1) }

func questions() []string {
	return []string{
		"book an appointment during the call", "ask about prices or costs", "say that they are unhappy, or ask for a human",
		"ask to be contacted again after the call", "give personal details that should be stored", "cancel an appointment",
		"ask for directions to the practice", "mention an allergy or a medicine", "ask about an invoice", "say they are in pain",
		"mention another practice", "ask for a document to be sent",
	}
}

// call is a finished call as ElevenLabs posts it, ready to be signed.
type call struct {
	id   string
	body []byte
}

// calls makes n calls of a run with so many turns.
func calls(run string, n, turns int) []call {
	all := make([]call, n)
	for i := range all {
		id := run + "-" + strconv.Itoa(i)
		all[i] = call{id, body(id, i, turns, time.Now())}
	}
	return all
}

func body(id string, n, turns int, now time.Time) []byte {
	lines := said()
	transcript := make([]map[string]any, turns)
	for k := range transcript {
		transcript[k] = map[string]any{
			"role": [...]string{"agent", "user"}[k%2], "message": fmt.Sprintf("%s (%d.%d)", lines[k%len(lines)], n, k),
			"time_in_call_secs": 6 * k,
		}
	}
	raw, err := json.Marshal(map[string]any{
		"type": "post_call_transcription", "event_timestamp": now.Unix(),
		"data": map[string]any{
			"agent_id": "agent-1", "agent_name": "Reception", "conversation_id": id, "status": "done", "transcript": transcript,
			"metadata": map[string]any{
				"start_time_unix_secs": now.Unix() - 300, "call_duration_secs": 240,
				"phone_call": map[string]any{"direction": "inbound", "external_number": "+447700900456", "agent_number": "+442071838750"},
			},
		},
	})
	if err != nil {
		panic(err) // it is made of plain values
	}
	return raw
}

// said is what is said in every call, a turn of the agent and one of the customer in turn.
func said() []string {
	return []string{
		"Good morning, Northwind Dental, this is the assistant speaking, how can I help you today?",
		"Hello, one of my teeth has been hurting since Monday and I would like to see somebody this week if there is a place.",
		"I am sorry to hear that. Have you been here before, and may I have your full name and your date of birth, please?",
		"Yes, I have, my name is Dana Example, born in March nineteen eighty-eight, and I usually see doctor Hale.",
		"Thank you, Dana. There is a place on Thursday at a quarter past ten with doctor Hale, or on Friday at four.",
		"Thursday at a quarter past ten is good for me. What is it going to cost, roughly, if the insurance does not pay?",
		"The consultation is eighty-five pounds, and x-rays are thirty more if they are needed. Shall I book that for you?",
		"Please do, and send me a confirmation and the price list by e-mail, and call me again if anything changes.",
	}
}

// webhook signs a call as it is posted.
func (c call) webhook(source string) bed.Webhook {
	return bed.Webhook{Path: "/hooks/" + source, Header: bed.SignElevenLabs(secret, time.Now(), c.body), Body: c.body}
}
