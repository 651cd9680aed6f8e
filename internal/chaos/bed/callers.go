package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Account is the config that most runs use: three automations that fire on every call of the fake model, with four mails
// to three addresses, a task and a team alert, and one that never fires.
func Account() map[string]string {
	return map[string]string{"account.yaml": `account: chaos
name: Chaos Ltd
timezone: Europe/London
language: en
missing: not stated
from: { email: "Chaos Ltd <calls@chaos.example>" }
allow: { domains: [chaos.example], contacts: true }
variables:
  dyn_reason: { type: text, ask: "Why the customer called, in their words", said_by: customer }
automations:
  - id: wanted
    name: Something was wanted
    when: { ask: "Did the customer ask for something?", said_by: customer }
    actions:
      - email: { to: [desk@chaos.example, lead@chaos.example], subject: "Call {{conversation_uuid}}", body: "Wanted by {{customer_number}}: {{conversation_transcript}}" }
  - id: reason
    name: With its reason
    when: { ask: "Did the customer say why?", said_by: customer }
    actions:
      - email: { to: [desk@chaos.example], subject: "Reason of {{conversation_uuid}}", body: "They said: {{dyn_reason}}" }
  - id: always-trace
    name: A trace of every call
    when: always
    actions:
      - email: { to: [archive@chaos.example], subject: "Trace of {{conversation_uuid}}", body: "Status {{conversation_status}}" }
      - task: { title: "File {{conversation_uuid}}" }
      - team_alert: { to: all, text: "Call {{conversation_uuid}}" }
  - id: never-happens
    name: Never happens
    when: { ask: "Did the customer ask for the moon?", said_by: customer }
    actions:
      - email: { to: [moon@chaos.example], subject: "Moon", body: "Moon" }
`}
}

// Wanted are the mails that Account makes of every call: automation and address.
func Wanted() [][2]string {
	return [][2]string{
		{"always-trace", "archive@chaos.example"}, {"reason", "desk@chaos.example"},
		{"wanted", "desk@chaos.example"}, {"wanted", "lead@chaos.example"},
	}
}

// Call is one conversation as a platform posts it to POST /v1/conversations.
type Call struct {
	ID   string
	Body []byte
}

// Turn is a turn of a call's transcript.
type Turn struct {
	Role string `json:"role"`
	Text string `json:"text"`
	AtMS int    `json:"at_ms"`
}

// NewCall makes a call with a plain transcript of about ten turns. The fake model finds it in the history by "ref-ID".
func NewCall(id string) Call {
	texts := []string{
		"Good morning, Chaos Limited, how can I help you?",
		"Hello, I am calling about my order, the reference is ref-" + id + " as it says here.",
		"Thank you, let me look. What is it about?",
		"It should have come on Monday and it did not come.",
		"I am sorry to hear that.",
		"Could somebody call me back when it is found, please?",
		"Of course, we will call this number.",
		"That would be kind, thank you very much.",
		"Is there anything else?",
		"No, that is all. Goodbye.",
	}
	turns := make([]Turn, len(texts))
	for i, t := range texts {
		turns[i] = Turn{Role: [...]string{"agent", "customer"}[i%2], Text: t, AtMS: 1000 + 4000*i}
	}
	return CallOf(id, turns, nil)
}

// CallOf makes a call with these turns; with sets or replaces members of the body.
func CallOf(id string, turns []Turn, with map[string]any) Call {
	body := map[string]any{
		"id": id, "agent": map[string]any{"id": "reception", "name": "Clara"}, "channel": "phone", "direction": "inbound",
		"status": "completed", "started_at": "2026-11-20T09:12:00Z", "ended_at": "2026-11-20T09:12:52Z",
		"from_number": "+447700900456", "to_number": "+442071838750",
		"customer": map[string]any{"name": "Ana Ruiz", "email": "ana.ruiz@chaos.example", "number": "+447700900456"},
		"turns":    turns,
	}
	for k, v := range with {
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are made of plain values
	}
	return Call{ID: id, Body: raw}
}

// Calls makes n calls whose ids begin with prefix.
func Calls(prefix string, n int) []Call {
	all := make([]Call, n)
	for i := range all {
		all[i] = NewCall(prefix + "-" + strconv.Itoa(i))
	}
	return all
}

// Posting says how calls are posted.
type Posting struct {
	Account  string        // default "chaos"
	Clients  int           // at once (default 8)
	PerS     float64       // calls begun a second; 0: as fast as the clients go
	Patience time.Duration // how long a call is posted again after an answer that is not final (default 2 min)
	Timeout  time.Duration // of one post (default 35 s)
	Hurry    time.Duration // if set, no Retry-After is waited for longer
}

// Posted is what the callers saw.
type Posted struct {
	Acked    []string        // ids that were answered 200: the product has promised to handle them
	Refused  map[string]int  // ids answered with another final status
	Statuses map[int]int     // answers by status; 0: no answer at all
	Took     []time.Duration // of each answer, in order of length
	Served   []time.Duration // of each answer 200, in order of length
	Unhinted int             // answers 429 and 503 that did not say when to come back
}

// Percentile is the time within which that share (0 to 1) of the answers came.
func (p Posted) Percentile(share float64) time.Duration {
	if len(p.Took) == 0 {
		return 0
	}
	return p.Took[min(int(share*float64(len(p.Took))), len(p.Took)-1)]
}

// Post posts the calls as a platform does: one that got no answer, 429 or 5xx is posted again, after the Retry-After if
// that is short, else after a fifth of a second. It returns when every call has its final answer or its patience is over.
func (b *Bed) Post(ctx context.Context, calls []Call, how Posting) (Posted, error) {
	how = how.withDefaults()
	key, ok := b.Keys[how.Account]
	if !ok {
		return Posted{}, fmt.Errorf("post calls: no account %q in the bed's config", how.Account)
	}
	out := Posted{Refused: map[string]int{}, Statuses: map[int]int{}}
	var mu sync.Mutex
	client := &http.Client{Timeout: how.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: how.Clients}}
	defer client.CloseIdleConnections()
	in := make(chan Call)
	var clients sync.WaitGroup
	for range how.Clients {
		clients.Go(func() {
			for c := range in {
				b.postOne(ctx, client, c, key, how, func(a answer, final bool) {
					mu.Lock()
					defer mu.Unlock()
					out.note(c.ID, a, final)
				})
			}
		})
	}
	feed(ctx, in, calls, how.PerS)
	clients.Wait()
	slices.Sort(out.Took)
	slices.Sort(out.Served)
	return out, ctx.Err()
}

// answer is what came of one post. Status 0: nothing came.
type answer struct {
	status int
	after  time.Duration // how long to wait before the next try
	hinted bool          // the answer said so itself
	took   time.Duration
}

func (p *Posted) note(id string, a answer, final bool) {
	p.Statuses[a.status]++
	if a.status != 0 {
		p.Took = append(p.Took, a.took)
	}
	if !a.hinted && (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable) {
		p.Unhinted++
	}
	if a.status == http.StatusOK {
		p.Served = append(p.Served, a.took)
	}
	if final && a.status == http.StatusOK {
		p.Acked = append(p.Acked, id)
	} else if final {
		p.Refused[id] = a.status
	}
}

func (p Posting) withDefaults() Posting {
	if p.Account == "" {
		p.Account = "chaos"
	}
	if p.Clients == 0 {
		p.Clients = 8
	}
	if p.Timeout == 0 {
		p.Timeout = 35 * time.Second
	}
	if p.Patience == 0 {
		p.Patience = 2 * time.Minute
	}
	return p
}

// pause is how long to wait before a call is posted again.
func (p Posting) pause(a answer) time.Duration {
	if p.Hurry > 0 {
		return min(a.after, p.Hurry)
	}
	return a.after
}

// feed hands out the calls at the given rate and closes in.
func feed(ctx context.Context, in chan<- Call, calls []Call, perS float64) {
	defer close(in)
	began := time.Now()
	for i, c := range calls {
		if perS > 0 && !Wait(ctx, time.Until(began.Add(time.Duration(float64(i)/perS*float64(time.Second))))) {
			return
		}
		select {
		case in <- c:
		case <-ctx.Done():
			return
		}
	}
}

func (b *Bed) postOne(ctx context.Context, client *http.Client, c Call, key string, how Posting, note func(a answer, final bool)) {
	until := time.Now().Add(how.Patience)
	for {
		began := time.Now()
		a := b.request(ctx, client, c, key)
		a.took = time.Since(began)
		again := a.status == 0 || a.status == http.StatusTooManyRequests || a.status >= 500
		note(a, !again)
		if !again || time.Now().After(until) || !Wait(ctx, how.pause(a)) {
			return
		}
	}
}

// request posts once.
func (b *Bed) request(ctx context.Context, client *http.Client, c Call, key string) answer {
	a := answer{after: 200 * time.Millisecond}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.web()+"/v1/conversations", bytes.NewReader(c.Body))
	if err != nil {
		return a
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return a
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		a.hinted = true
		if s <= 5 {
			a.after = time.Duration(s) * time.Second
		}
	}
	a.status = res.StatusCode
	return a
}

// Wait waits for d; false if ctx ended first.
func Wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
