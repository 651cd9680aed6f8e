package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// operated is O1: people press every button at random, all at once, while calls come in, the mail provider has its faults and a
// worker is killed now and then. Nothing goes out twice that nobody asked for twice, and the ledger balances.
func operated() property {
	return property{
		id: "O1", title: "people at the buttons", try: tryOperated,
		weak: []weakness{
			{"runs-forget-what-went-out", "went out in two runs"},
			{"presses-count-twice", "actions that went wrong"},
		},
	}
}

// operatedAccount has something for every button: mails that go, mails that are held for a value that the model never states well,
// and a question to which its answer does not count.
const operatedAccount = `account: chaos
name: Chaos Ltd
timezone: Europe/London
language: en
missing: not stated
from: { email: "Chaos Ltd <calls@chaos.example>" }
allow: { domains: [chaos.example], contacts: true }
people: { lead: { name: Lee Lead, email: lead@chaos.example } }
variables:
  dyn_count: { type: number, ask: "How many the customer wants" }
automations:
  - id: always-trace
    when: always
    actions:
      - email: { to: [archive@chaos.example], subject: "Trace of {{conversation_uuid}}", body: "Status {{conversation_status}}" }
      - task: { title: "File {{conversation_uuid}}" }
      - team_alert: { to: all, text: "Call {{conversation_uuid}}" }
  - id: counted
    when: { ask: "Did the customer order something?", said_by: customer }
    require: [dyn_count]
    actions:
      - email: { to: [desk@chaos.example, lead], subject: "Order of {{dyn_count}}", body: "{{dyn_count}} of them." }
      - task: { title: "Pack {{dyn_count}}", assignee: lead, due: { after: 4h } }
  - id: confirmed
    when: { ask: "Does the customer want a confirmation?", said_by: customer }
    actions:
      - email: { to: ["{{customer_email}}"], subject: "Your order", body: "You get {{dyn_count}}." }
      - email: { to: [front@chaos.example], subject: "A confirmation", body: "Was asked for." }
  - id: promised
    when: { ask: "Did the agent promise something?", said_by: agent }
    actions:
      - email: { to: [promises@chaos.example], subject: "A promise in {{conversation_uuid}}", body: "It was made." }
`

func tryOperated(ctx context.Context, t *trial) error {
	o := bed.Options{Config: map[string]string{"account.yaml": operatedAccount}, Variants: []string{"impatient"}}
	if t.full { // the run ends when nothing is tried again any more
		o.Variants = append(o.Variants, "soon-again")
	}
	b, c, err := t.bed(ctx, o)
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	workers, err := webAndWorkers(ctx, b, 2)
	if err != nil {
		return err
	}
	faults := map[string]float64{"400": 0.10, "429": 0.10, "500": 0.05, "hang_after_accept": 0.04}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 20, JitterMS: 60, RetryAfter: 1, Faults: faults}); err != nil {
		return err
	}
	began := t.size(20, 8) // calls that are there when people come in
	if _, err := b.Post(ctx, bed.Calls("o1-first", began), bed.Posting{}); err != nil {
		return err
	}
	people := make(chan error, 1)
	var did actions
	go func() { people <- t.operate(ctx, b, &did) }()
	n := t.size(380, 22)
	posted, err := b.Post(ctx, bed.Calls("o1", n), bed.Posting{PerS: float64(t.size(4, 6))})
	if err != nil {
		return err
	}
	if t.full { // a worker dies in the middle of it
		workers[1].Kill()
		if _, err := b.Worker(ctx); err != nil {
			return err
		}
	}
	if err := <-people; err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{}); err != nil {
		return err
	}
	left, err := quiet(ctx, c, t.patience(6*time.Minute, 40*time.Second))
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(posted.Acked), n)
	t.exercised("actions taken", did.String())
	t.exercised("refused", listed(did.Refused))
	t.want("actions that went wrong", fmt.Sprintf("%d %s", did.Wrongs, strings.Join(did.Wrong, "; ")), "0", did.Wrongs == 0)
	t.equal("not done at the end: runs, bulk jobs, deliveries, decisions", left, 0)
	if err := t.onceOnly(ctx, b, c); err != nil {
		return err
	}
	return t.audit(ctx, b)
}

// actions is what the operators say they did.
type actions struct {
	Done, Refused map[string]int
	Wrong         []string
	Wrongs        int
}

func (a actions) String() string { return listed(a.Done) }

// listed writes counts by name.
func listed(m map[string]int) string {
	total, parts := 0, []string{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		total += m[name]
		parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
	}
	return fmt.Sprintf("%d: %s", total, strings.Join(parts, ", "))
}

// operate lets them press buttons until they have pressed often enough.
func (t *trial) operate(ctx context.Context, b *bed.Bed, did *actions) error {
	var names []string
	if t.weak != "" && t.weak != "-" {
		names = append(names, t.weak)
	}
	binary, err := t.builder.Operators(ctx, names...)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "-database", b.Database.Direct("chaos"), "-account", "chaos",
		"-actions", strconv.Itoa(t.size(10_000, 400)), "-seed", strconv.FormatUint(t.seed, 10))
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("let operators act: %w", err)
	}
	if err := json.Unmarshal(out, did); err != nil {
		return fmt.Errorf("read what operators did: %w", err)
	}
	return nil
}

// quiet waits until nothing is on its way any more, and counts what is left.
func quiet(ctx context.Context, c *checker.Checker, most time.Duration) (left int, err error) {
	const open = `SELECT (SELECT count(*) FROM runs WHERE state = 'asked') + (SELECT count(*) FROM bulk_jobs WHERE state = 'running')
		+ (SELECT count(*) FROM deliveries WHERE state IN ('planned', 'retrying', 'sending'))
		+ (SELECT count(*) FROM conversations WHERE state <> 'decided')`
	for until := time.Now().Add(most); ; {
		if left, err = c.Count(ctx, open); err != nil || left == 0 || time.Now().After(until) || !bed.Wait(ctx, 200*time.Millisecond) {
			return left, err
		}
	}
}

// onceOnly holds the provider's history against what people asked for. It asks the tables in words of its own: the audit must not be
// its own witness.
func (t *trial) onceOnly(ctx context.Context, b *bed.Bed, c *checker.Checker) error {
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	taken, calls := map[string]int{}, map[string]bool{} // accepted mails by delivery, and deliveries after whose call none may follow
	var again checker.Finding
	for _, e := range h.Mails() {
		if calls[e.Delivery] {
			again.Note(e.Delivery)
		}
		if e.Accepted {
			taken[e.Delivery]++
			calls[e.Delivery] = true
		}
	}
	t.exercised("mails taken", len(taken))
	t.zero("called again after it was taken", again)
	rows, err := c.Rows(ctx, `SELECT d.id::text || ' ' || d.conversation_id || '/' || d.automation || '/' || d.action || '/' || d.recipient
		FROM deliveries AS d WHERE d.channel = 'email' AND d.resend_of IS NULL AND NOT d.test
		AND NOT EXISTS (SELECT 1 FROM settlements AS s WHERE s.delivery_id = d.id AND s.settled = 'failed')`)
	if err != nil {
		return err
	}
	places := map[string]int{}
	var twice checker.Finding
	for _, row := range rows {
		id, place, _ := strings.Cut(row, " ")
		if taken[id] == 0 {
			continue
		}
		if places[place]++; places[place] > 1 {
			twice.Note(place)
		}
	}
	t.zero("went out in two runs", twice)
	leaked, err := c.Rows(ctx, `SELECT d.id::text FROM deliveries AS d JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run WHERE r.sandbox`)
	if err != nil {
		return err
	}
	var out checker.Finding
	for _, id := range leaked {
		if taken[id] > 0 {
			out.Note(id)
		}
	}
	t.exercised("deliveries in a sandbox", len(leaked))
	t.zero("out of a sandbox", out)
	return nil
}
