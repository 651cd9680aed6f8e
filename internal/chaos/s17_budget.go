package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// budgeted is S17: an account that is flooded with endless calls spends what its budget allows, and nobody else notices.
func budgeted() property {
	return property{
		id: "S17", title: "cost budget", try: tryBudgeted,
		weak: []weakness{{"no-reservation", "tokens the provider charged"}},
	}
}

// turnText is one turn of an endless call, of some 400 bytes.
const turnText = " and so it went on and on, nobody could say why, and then it went on again, and so it goes."

// endless is a call of about that many tokens, at four bytes a token. Each turn bears the call's reference, so that the
// history knows whose window was read.
func endless(id string, tokens int) bed.Call {
	turns := make([]bed.Turn, tokens/100)
	for i := range turns {
		text := "It is ref-" + id + ", turn " + strconv.Itoa(i)
		turns[i] = bed.Turn{Role: [...]string{"agent", "customer"}[i%2], Text: (text + strings.Repeat(turnText, 5))[:400], AtMS: i * 1000}
	}
	return bed.CallOf(id, turns, nil)
}

func tryBudgeted(ctx context.Context, t *trial) error {
	r := budgetRun{trial: t, calls: t.size(1000, 24), tokens: t.size(200_000, 50_000)}
	// Room for some twenty of the long calls, or five of the shorter ones; reading one takes about a quarter more than its text.
	r.budget = r.tokens * 5 / 4 * t.size(43, 11) / 2
	config := house("spender", "thrifty")
	config["spender/account.yaml"] += fmt.Sprintf("budget: { tokens_per_day: %d }\n", r.budget)
	var err error
	if r.bed, r.checker, err = t.bed(ctx, bed.Options{Config: config}); err != nil {
		return err
	}
	defer r.bed.Close()
	defer r.checker.Close()
	if _, err := webAndWorkers(ctx, r.bed, 1); err != nil {
		return err
	}
	if err := r.bed.Model(ctx, bed.Conduct{LatencyMS: 200}); err != nil {
		return err
	}
	thrifty := make(chan error, 1)
	others := t.size(60, 12)
	go func() {
		posted, err := r.bed.Post(ctx, bed.Calls("thrifty", others), bed.Posting{Account: "thrifty", PerS: float64(t.size(1, 4))})
		r.others = len(posted.Acked)
		thrifty <- err
	}()
	if err := r.flood(ctx); err != nil {
		return err
	}
	if err := <-thrifty; err != nil {
		return err
	}
	if r.left, err = r.settle(ctx); err != nil {
		return err
	}
	t.equal("calls of the other account accepted", r.others, others)
	return r.judge(ctx)
}

// budgetRun is one trial.
type budgetRun struct {
	*trial
	bed                   *bed.Bed
	checker               *checker.Checker
	calls, tokens, budget int
	acked, others         int
	left                  checker.Rest
}

// flood posts the endless calls, a few at a time: together they would be most of a gigabyte.
func (r *budgetRun) flood(ctx context.Context) error {
	const atOnce = 8
	began := time.Now()
	for from := 0; from < r.calls; from += atOnce {
		var some []bed.Call
		for i := from; i < min(from+atOnce, r.calls); i++ {
			some = append(some, endless("spender-"+strconv.Itoa(i), r.tokens))
		}
		posted, err := r.bed.Post(ctx, some, bed.Posting{Account: "spender", Clients: atOnce})
		if err != nil {
			return err
		}
		r.acked += len(posted.Acked)
	}
	r.exercised("endless calls", fmt.Sprintf("%d of %d tokens each, posted in %s", r.acked, r.tokens, time.Since(began).Round(100*time.Millisecond)))
	r.equal("endless calls accepted", r.acked, r.calls)
	return nil
}

func (r *budgetRun) settle(ctx context.Context) (checker.Rest, error) {
	_, left, err := r.checker.Settle(ctx, r.patience(3*time.Minute, 25*time.Second))
	return left, err
}

func (r *budgetRun) judge(ctx context.Context) error {
	r.want("not final", r.left, "none", r.left.Settled())
	if err := r.charged(); err != nil {
		return err
	}
	if err := r.decided(ctx); err != nil {
		return err
	}
	if err := r.alerted(); err != nil {
		return err
	}
	return r.audit(ctx, r.bed)
}

// charged adds up what the model provider charged for the spender's calls.
func (r *budgetRun) charged() error {
	h, err := checker.ReadHistory(r.bed.History)
	if err != nil {
		return err
	}
	spent, largest, calls := 0, 0, 0
	for _, e := range h.Models() {
		if strings.HasPrefix(e.About, "ref-thrifty-") {
			continue
		}
		calls++
		spent += e.Tokens
		largest = max(largest, e.Tokens)
	}
	r.exercised("budget of the day", r.budget)
	r.exercised("model calls about endless calls", fmt.Sprintf("%d, the largest of %d tokens", calls, largest))
	r.want("tokens the provider charged", spent, fmt.Sprintf("at most the budget and one call: %d", r.budget+largest), spent <= r.budget+largest)
	r.atLeast("of the budget used, in percent", 100*spent/r.budget, 50)
	return nil
}

// decided looks what became of the calls: read, or over the budget and shown for review; what needs no model was sent.
func (r *budgetRun) decided(ctx context.Context) error {
	const asked = 3 // automations that ask the model
	counts := []struct {
		name, query string
		least, most int
	}{
		{"endless calls read", `
			SELECT count(*) FROM conversations AS c WHERE c.account_id = 'spender' AND NOT EXISTS (
				SELECT 1 FROM decisions AS d WHERE d.conversation_id = c.id AND d.reason = 'budget_exceeded')`, 1, r.calls - 1},
		{"endless calls neither read nor decided as over the budget, for review", `
			SELECT count(*) FROM conversations AS c WHERE c.account_id = 'spender' AND (
				SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.reason = 'budget_exceeded' AND d.review)
				NOT IN (0, ` + strconv.Itoa(asked) + `)`, 0, 0},
		{"endless calls whose mail that needs no model was sent", `
			SELECT count(*) FROM deliveries WHERE account_id = 'spender' AND automation = 'always-trace' AND channel = 'email' AND state = 'sent'`,
			r.calls, r.calls},
		{"the other account's mails sent", `
			SELECT count(*) FROM deliveries WHERE account_id = 'thrifty' AND channel = 'email' AND state = 'sent'`,
			r.others * len(bed.Wanted()), r.others * len(bed.Wanted())},
		{"the other account's decisions stopped by a budget", `
			SELECT count(*) FROM decisions WHERE account_id = 'thrifty' AND reason = 'budget_exceeded'`, 0, 0},
	}
	for _, c := range counts {
		n, err := r.checker.Count(ctx, c.query)
		if err != nil {
			return err
		}
		if c.least == c.most {
			r.equal(c.name, n, c.most)
			continue
		}
		r.want(c.name, n, fmt.Sprintf("%d to %d", c.least, c.most), n >= c.least && n <= c.most)
	}
	return nil
}

// alerted counts the log lines that call somebody.
func (r *budgetRun) alerted() error {
	logs, err := r.bed.Logs()
	if err != nil {
		return err
	}
	warned, stopped := 0, 0
	for _, path := range logs {
		raw, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read a log: %w", err)
		}
		for l := range strings.Lines(string(raw)) {
			if strings.Contains(l, `"level":"WARN"`) && strings.Contains(l, "has used 80 % of its model budget") {
				warned++
			}
			if strings.Contains(l, `"level":"ERROR"`) && strings.Contains(l, "has used up its model budget") {
				stopped++
			}
		}
	}
	r.equal("warnings that the budget runs out", warned, 1)
	r.equal("alerts that it has run out", stopped, 1)
	return nil
}
