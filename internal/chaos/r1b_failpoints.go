package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// failpoints is R1b: a process dies at each of twelve named points, and the ledger is then in exactly the state that the
// table below documents for it, and ends as the table says.
func failpoints() property {
	return property{
		id: "R1b", title: "death at twelve named points", try: tryFailpoints,
		weak: []weakness{
			{"calls-before-claiming", "doubled"},
			{"answers-before-storing", "lost"},
		},
	}
}

// moment is what the ledger says of the one call that is on its way when a process dies: counts of its rows.
type moment struct{ rows, answers, decided, planned, sending, sent, unknown int }

func (m moment) String() string {
	return fmt.Sprintf("%d rows, %d answers, %d decided, mails: %d planned, %d sending, %d sent, %d unknown",
		m.rows, m.answers, m.decided, m.planned, m.sending, m.sent, m.unknown)
}

// point is one failpoint, with the documented state.
type point struct {
	name   string
	says   string // what is true at the death, for the report
	at     moment // when the process is dead
	end    moment // when a healthy one has taken over and all is final
	models int    // model calls that the conversation cost in the end
	calls  [2]int // mail calls that it cost, at least and at most
}

// mailsPerCall is what one call of bed.Account leads to.
const mailsPerCall = 4

// points is the table, in the order in which a round goes through them. The first four leave mails in doubt, which the
// sweep that dies needs; the last two leave what any worker would take up, and so nobody comes after them but the healthy
// one.
func points() []point {
	sent := moment{rows: 1, answers: 1, decided: 1, sent: mailsPerCall}
	doubted := moment{rows: 1, answers: 1, decided: 1, unknown: mailsPerCall}
	sending := moment{rows: 1, answers: 1, decided: 1, sending: mailsPerCall}
	planned := moment{rows: 1, answers: 1, decided: 1, planned: mailsPerCall}
	answered, accepted := moment{rows: 1, answers: 1}, moment{rows: 1}
	once, never := [2]int{mailsPerCall, mailsPerCall}, [2]int{}
	some := [2]int{1, mailsPerCall}
	return []point{
		{"claim-after-commit", "claimed, nothing called: in doubt, and the provider has none", sending, doubted, 1, never},
		{"plan-after-commit", "planned and claimed in one, nothing called: in doubt, and the provider has none", sending, doubted, 1, never},
		{"call-answered", "called, no receipt: in doubt", sending, doubted, 1, some},
		{"receipt-before-commit", "answered, the receipt not written: in doubt", sending, doubted, 1, some},
		{"model-answered", "answer not kept: the model is asked again", accepted, sent, 2, once},
		{"answer-recorded", "answer kept: the model is never asked again", answered, sent, 1, once},
		{"plan-before-commit", "no plan: it is made again from the same answer", answered, sent, 1, once},
		{"claim-before-commit", "planned, not claimed: sent later, once", planned, sent, 1, once},
		{"receipt-after-commit", "sent; the job runs again and finds nothing", sent, sent, 1, once},
		{sweepPoint, "the dying sweep doubted nobody; the next one does", moment{}, moment{}, 0, never},
		{"ingest-before-commit", "no row and no 200: posted again, it is new", moment{}, sent, 1, once},
		{"ingest-after-commit", "a row and no 200: posted again, it is a duplicate", accepted, sent, 1, once},
	}
}

// sweepPoint has no call of its own: it dies over what the points before it left in doubt.
const sweepPoint = "sweep-doubted"

func (p point) web() bool { return strings.HasPrefix(p.name, "ingest-") }

func (p point) call(round int) string { return fmt.Sprintf("%s-%02d", p.name, round) }

func tryFailpoints(ctx context.Context, t *trial) error {
	variants := []string{"failpoints"}
	if t.full {
		variants = []string{"fast", "failpoints"} // 240 deaths, and each of them has a lease that must lapse
	}
	account := bed.Account()
	account["account.yaml"] = strings.ReplaceAll(account["account.yaml"], "      - team_alert: { to: all, text: \"Call {{conversation_uuid}}\" }\n", "")
	b, c, err := t.bed(ctx, bed.Options{Variants: variants, Config: account})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	web, err := b.WebProcess(ctx)
	if err != nil {
		return err
	}
	d := &dying{bed: b, checker: c, web: web, odd: map[string][]string{}, deaths: map[string]int{}}
	rounds := t.size(20, 1)
	for round := range rounds {
		if err := d.round(ctx, round); err != nil {
			return err
		}
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	if err := d.judge(ctx, h, rounds); err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: d.acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	d.report(t, l, rounds)
	return t.audit(ctx, b)
}

// dying leads processes to their failpoints.
type dying struct {
	bed     *bed.Bed
	checker *checker.Checker
	web     *bed.Process

	acked    []string
	tooEarly int                 // 200s for calls of which the process then died before it could have stored or said so
	deaths   map[string]int      // by point
	odd      map[string][]string // what was not as documented, by point
}

// round goes through the table once, and then lets a healthy worker put everything right.
func (d *dying) round(ctx context.Context, round int) error {
	for _, p := range points() {
		if err := d.die(ctx, p, round); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if err := d.bed.UseWeb(ctx, d.web); err != nil {
		return err
	}
	for _, p := range points() {
		if p.web() {
			if err := d.post(ctx, p.call(round), 0); err != nil {
				return err
			}
		}
	}
	w, err := d.bed.Worker(ctx)
	if err != nil {
		return err
	}
	if _, _, err := d.checker.Settle(ctx, 20*time.Second); err != nil {
		return err
	}
	if code, _ := w.Terminate(25 * time.Second); code != 0 {
		return fmt.Errorf("the healthy worker ended with %d", code)
	}
	return nil
}

// die starts a process with the failpoint, gives it a call, waits for its death and looks at what it left.
func (d *dying) die(ctx context.Context, p point, round int) error {
	open, err := d.sending(ctx)
	if err != nil {
		return err
	}
	process, err := d.start(ctx, p)
	if err != nil {
		return err
	}
	if p.name != sweepPoint {
		patience := time.Duration(0)
		if p.web() {
			patience = time.Nanosecond // one try, which finds the process dying
		}
		if err := d.post(ctx, p.call(round), patience); err != nil {
			return err
		}
	}
	select {
	case <-process.Ended():
	case <-time.After(10 * time.Second):
		process.Kill()
		d.odd[p.name] = append(d.odd[p.name], fmt.Sprintf("round %d: it did not come to its failpoint", round))
		return nil
	}
	d.deaths[p.name]++
	if p.name == sweepPoint {
		return d.stillOpen(ctx, open, round)
	}
	return d.compare(ctx, p, round, p.at, "at the death")
}

func (d *dying) start(ctx context.Context, p point) (*bed.Process, error) {
	env := "AFTERCALL_FAILPOINT=" + p.name + ":1"
	switch {
	case p.web():
		return d.bed.WebProcess(ctx, env)
	case p.name == sweepPoint: // it may die before it says that it works
		return d.bed.Serve(ctx, d.bed.Binary, []string{env}, "--only", "worker")
	}
	return d.bed.Worker(ctx, env)
}

// post posts one call. With patience 0 it is posted until it is answered.
func (d *dying) post(ctx context.Context, id string, patience time.Duration) error {
	if slices.Contains(d.acked, id) {
		return nil // a platform does not post again what was answered
	}
	posted, err := d.bed.Post(ctx, []bed.Call{bed.NewCall(id)}, bed.Posting{Patience: patience})
	if err != nil {
		return err
	}
	if patience > 0 {
		d.tooEarly += len(posted.Acked)
	}
	d.acked = append(d.acked, posted.Acked...)
	return nil
}

func (d *dying) sending(ctx context.Context) (int, error) {
	return d.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE state = 'sending'`)
}

// stillOpen checks that a sweep that died changed nothing.
func (d *dying) stillOpen(ctx context.Context, before, round int) error {
	now, err := d.sending(ctx)
	if err == nil && (now != before || before == 0) {
		d.odd[sweepPoint] = append(d.odd[sweepPoint], fmt.Sprintf("round %d: %d sending before, %d after", round, before, now))
	}
	return err
}

func (d *dying) compare(ctx context.Context, p point, round int, want moment, when string) error {
	var m moment
	err := d.checker.Pool().QueryRow(ctx, `
		SELECT (SELECT count(*) FROM conversations WHERE external_id = $1),
		       (SELECT count(*) FROM interviews AS i JOIN conversations AS c ON c.id = i.conversation_id WHERE c.external_id = $1 AND i.chosen),
		       (SELECT count(*) FROM conversations WHERE external_id = $1 AND state = 'decided'),
		       count(*) FILTER (WHERE d.state = 'planned'), count(*) FILTER (WHERE d.state = 'sending'),
		       count(*) FILTER (WHERE d.state = 'sent'), count(*) FILTER (WHERE d.state = 'unknown')
		FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id
		WHERE c.external_id = $1 AND d.channel = 'email'`, p.call(round)).
		Scan(&m.rows, &m.answers, &m.decided, &m.planned, &m.sending, &m.sent, &m.unknown)
	if err != nil {
		return fmt.Errorf("look at what %s left: %w", p.name, err)
	}
	if m != want {
		d.odd[p.name] = append(d.odd[p.name], fmt.Sprintf("round %d, %s: %s, not %s", round, when, m, want))
	}
	return nil
}

// judge compares how everything ended, and what it cost, with the table.
func (d *dying) judge(ctx context.Context, h checker.History, rounds int) error {
	models, mails := map[string]int{}, map[string]int{}
	for _, e := range h.Models() {
		models[e.About]++
	}
	for _, e := range h.Mails() {
		mails[e.About]++
	}
	for _, p := range points() {
		for round := range rounds {
			if p.name == sweepPoint {
				continue
			}
			if err := d.compare(ctx, p, round, p.end, "in the end"); err != nil {
				return err
			}
			id := p.call(round)
			if n := models["ref-"+id]; n != p.models {
				d.odd[p.name] = append(d.odd[p.name], fmt.Sprintf("round %d: %d model calls, not %d", round, n, p.models))
			}
			if n := mails[id]; n < p.calls[0] || n > p.calls[1] {
				d.odd[p.name] = append(d.odd[p.name], fmt.Sprintf("round %d: %d mail calls, not %d to %d", round, n, p.calls[0], p.calls[1]))
			}
		}
	}
	return nil
}

func (d *dying) report(t *trial, l checker.Ledger, rounds int) {
	total, around := 0, 0
	for _, p := range points() {
		total += d.deaths[p.name]
		around += p.end.unknown * rounds
		got := fmt.Sprintf("%d deaths, all as documented", d.deaths[p.name])
		if odd := d.odd[p.name]; len(odd) > 0 {
			got = fmt.Sprintf("%d deaths, %d things not as documented, first: %s", d.deaths[p.name], len(odd), odd[0])
		}
		t.want(p.name, got, fmt.Sprintf("%d, as documented: %s", rounds, p.says), d.deaths[p.name] == rounds && len(d.odd[p.name]) == 0)
	}
	t.equal("deaths", total, rounds*len(points()))
	t.equal("answered 200 by a process that then died on the way in", d.tooEarly, 0)
	t.equal("in doubt (only at the four points around the call)", l.Unknown.Count, around)
	t.exercised("of those, really taken by the provider", l.UnknownTaken)
	t.ledger(l)
}
