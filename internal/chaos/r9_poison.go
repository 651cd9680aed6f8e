package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// poisoned is R9: conversations that hurt whoever handles them. They end, with a reason, and nobody else suffers.
func poisoned() property {
	return property{
		id: "R9", title: "poison", try: tryPoisoned,
		weak: []weakness{
			{"no-panic-guard", "processes that ended"},
			{"no-body-limit", "poison not answered as it should be"},
		},
	}
}

// poison is one kind of conversation that hurts.
type poison struct {
	kind   string
	status int                    // with which it is answered
	call   func(id string) []byte // the body
	reply  string                 // what the model answers about it; "": as always
	tells  string                 // what `why` must say about it, in the product's words
}

// said is a call in whose middle one more thing is said.
func said(texts ...string) func(string) []byte {
	return func(id string) []byte {
		turns := []bed.Turn{
			{Role: "agent", Text: "Good morning, Chaos Limited."},
			{Role: "customer", Text: "Hello, the reference is ref-" + id + " and I need something."},
		}
		for i, t := range texts {
			turns = append(turns, bed.Turn{Role: [...]string{"customer", "agent"}[i%2], Text: t, AtMS: 5000 + i})
		}
		return bed.CallOf(id, turns, nil).Body
	}
}

// written is a call whose metadata holds JSON as it stands.
func written(json string) func(string) []byte {
	return func(id string) []byte {
		plain := bed.NewCall(id).Body
		return append(append(bytes.TrimSuffix(plain, []byte("}")), `,"metadata":{"x":`+json...), "}}"...)
	}
}

func times(text string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text
	}
	return all
}

// poisons are the kinds. Those that are not accepted must leave nothing behind.
func poisons() []poison {
	const deep = 10_000
	long := strings.Repeat("word after word ", 6_300) // just under what one turn may hold
	return []poison{
		{kind: "panics when decided", status: 200, call: said("please explode-in-decide now"), tells: "The program failed each time"},
		{kind: "panics when planned", status: 200, call: said("please explode-in-plan now"), tells: "The program failed each time"},
		{kind: "panics when sent", status: 200, call: said("please explode-in-send now"), tells: "unknown"},
		{kind: "2 MB of transcript", status: 200, call: said(times(long, 20)...), tells: "own budget"},
		{kind: "300 kB of transcript", status: 200, call: said(times(long, 3)...), tells: "could not be rendered"},
		{kind: "a word of 100 kB", status: 200, call: said(strings.Repeat("w", 100_000))},
		{kind: "right to left and zero width", status: 200, call: said(strings.Repeat("\u202e\u05e9\u05dc\u05d5\u05dd\u200b\u200d\u2066\ufeff", 3_000))},
		{kind: "a number of 100,000 digits", status: 400, call: written(strings.Repeat("9", 100_000))},
		{kind: "a number beyond all numbers", status: 200, call: written("-1e999999999")},
		{kind: "a model that answers 10,000 deep", status: 200, call: said(), reply: strings.Repeat(`{"automations":`, deep) + strings.Repeat("}", deep), tells: "did not fit the form"},
		{kind: "a model that answers 300 kB of nothing", status: 200, call: said(), reply: strings.Repeat("nothing ", 40_000), tells: "did not fit the form"},
		{kind: "a model that cites turn 1e300", status: 200, call: said(), reply: `{"automations":{"wanted":{"evidence":[{"turn":1e300,"quote":"x"}],"verdict":"yes"}}}`, tells: "did not fit the form"},
		{kind: "JSON 10,000 deep", status: 400, call: written(strings.Repeat("[", deep) + strings.Repeat("]", deep))},
		{kind: "JSON 1,000,000 deep and open", status: 400, call: written(strings.Repeat(`{"a":[`, 500_000))},
		{kind: "invalid UTF-8", status: 400, call: bytesSaid("\xff\xfe\xc0\xaf")},
		{kind: "an encoded surrogate", status: 400, call: bytesSaid("\xed\xa0\x80")},
		{kind: "NUL as it is", status: 400, call: bytesSaid("\x00")},
		{kind: "NUL escaped", status: 400, call: said("a \x00 b")},
		{kind: "a body of 6 MB", status: 413, call: said(times(long, 60)...)},
	}
}

// bytesSaid is a call in which bytes stand that JSON has no way to write.
func bytesSaid(raw string) func(string) []byte {
	return func(id string) []byte {
		return bytes.Replace(said("here")(id), []byte(`"here"`), []byte(`"`+raw+`"`), 1)
	}
}

func tryPoisoned(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{Variants: []string{"poison-panics"}})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	processes, err := webAndWorkers(ctx, b, t.size(2, 1))
	if err != nil {
		return err
	}
	r := poisonRun{trial: t, bed: b, checker: c, kinds: poisons(), sent: map[string]poison{}}
	if err := r.model(ctx); err != nil {
		return err
	}
	for n := range t.size(2, 1) {
		if err := r.round(ctx, n); err != nil {
			return err
		}
	}
	ended := checker.Finding{}
	for _, p := range processes {
		if !p.Alive() {
			ended.Note(p.Name)
		}
	}
	t.zero("processes that ended", ended)
	return r.judge(ctx)
}

// webAndWorkers starts a web process and n workers.
func webAndWorkers(ctx context.Context, b *bed.Bed, n int) ([]*bed.Process, error) {
	web, err := b.WebProcess(ctx)
	if err != nil {
		return nil, err
	}
	all := []*bed.Process{web}
	for range n {
		w, err := b.Worker(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// poisonRun is one trial: rounds of the same load, first by itself and then with poison in it.
type poisonRun struct {
	*trial
	bed     *bed.Bed
	checker *checker.Checker
	kinds   []poison

	others        []string          // ids of the plain calls that were accepted
	sent          map[string]poison // by id
	wrong         checker.Finding   // answered otherwise than they should be
	quiet, beside []time.Duration   // the plain calls' times, without and with poison
}

// perRound are the plain calls of half a round, and the poison in the other half.
func (r *poisonRun) perRound() (plain, poison int) { return r.size(450, 25), r.size(100, len(r.kinds)) }

// model makes the model answer some of the poison badly. The ids are known beforehand.
func (r *poisonRun) model(ctx context.Context) error {
	replies := map[string]string{}
	_, n := r.perRound()
	for round := range r.size(2, 1) {
		for i := range n {
			if k := r.kinds[i%len(r.kinds)]; k.reply != "" {
				replies["ref-"+poisonID(round, i)] = k.reply
			}
		}
	}
	return r.bed.Model(ctx, bed.Conduct{LatencyMS: 100, Replies: replies})
}

func poisonID(round, i int) string { return fmt.Sprintf("poison-%d-%d", round, i) }

func (r *poisonRun) round(ctx context.Context, n int) error {
	plain, bad := r.perRound()
	const perS = 15
	for _, with := range []bool{false, true} {
		prefix := fmt.Sprintf("plain-%d-%t-", n, with)
		done := make(chan error, 1)
		go func() {
			if !with {
				done <- nil
				return
			}
			done <- r.poison(ctx, n, bad, perS*float64(bad)/float64(plain))
		}()
		posted, err := r.bed.Post(ctx, bed.Calls(prefix, plain), bed.Posting{PerS: perS})
		if err := <-done; err != nil {
			return err
		}
		if err != nil {
			return err
		}
		r.others = append(r.others, posted.Acked...)
		if _, _, err := r.checker.Settle(ctx, r.within(60*time.Second, 15*time.Second)); err != nil {
			return err
		}
		took, err := r.checker.Latencies(ctx, prefix)
		if err != nil {
			return err
		}
		if with {
			r.beside = append(r.beside, took...)
		} else {
			r.quiet = append(r.quiet, took...)
		}
	}
	return nil
}

// poison posts the poison of a round. Bodies are made as they are posted: together they are large.
func (r *poisonRun) poison(ctx context.Context, round, n int, perS float64) error {
	for i := range n {
		k, id := r.kinds[i%len(r.kinds)], poisonID(round, i)
		posted, err := r.bed.Post(ctx, []bed.Call{{ID: id, Body: k.call(id)}}, bed.Posting{})
		if err != nil {
			return err
		}
		status := http.StatusOK
		if len(posted.Acked) == 0 {
			status = posted.Refused[id]
		}
		if status != k.status {
			r.wrong.Note(fmt.Sprintf("%s: %d", k.kind, status))
		}
		r.sent[id] = k
		if !bed.Wait(ctx, time.Duration(float64(time.Second)/perS)) {
			return ctx.Err()
		}
	}
	return nil
}

func (r *poisonRun) judge(ctx context.Context) error {
	left, err := r.checker.Rest(ctx)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(r.bed.History)
	if err != nil {
		return err
	}
	l, err := r.checker.Ledger(ctx, checker.Question{History: h, Acked: r.others, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	plain, _ := r.perRound()
	r.equal("plain calls accepted", len(r.others), 2*plain*r.size(2, 1))
	r.exercised("poison", fmt.Sprintf("%d calls of %d kinds", len(r.sent), len(r.kinds)))
	r.zero("poison not answered as it should be", r.wrong)
	r.want("not final", left, "none", left.Settled())
	r.zero("lost", l.Lost)
	r.zero("doubled", l.Doubled)
	r.zero("plain mails not planned", l.Missing)
	if err := r.attempts(ctx); err != nil {
		return err
	}
	if err := r.reasons(ctx); err != nil {
		return err
	}
	if err := r.stories(ctx); err != nil {
		return err
	}
	quiet, beside := p95(r.quiet), p95(r.beside)
	r.exercised("plain calls without poison, p95 from accepted to final", quiet)
	most := max(quiet*12/10, quiet+r.within(150*time.Millisecond, time.Second))
	r.measured("the same with poison beside them", beside, fmt.Sprintf("at most 1.2 times that, or %s more: %s", r.within(150*time.Millisecond, time.Second), most), beside <= most)
	return r.audit(ctx, r.bed)
}

// p95 sorts the times, which come from several rounds.
func p95(times []time.Duration) time.Duration {
	slices.Sort(times)
	return checker.Share(times, 0.95).Round(time.Millisecond)
}

// attempts looks how often the poison was tried: River keeps what is done for a day.
func (r *poisonRun) attempts(ctx context.Context) error {
	most, err := r.checker.Count(ctx, `SELECT coalesce(max(attempt), 0) FROM river_job WHERE kind = 'conversation.decide'`)
	if err != nil {
		return err
	}
	r.atMost("attempts of the decide job that took most", most, 3)
	sends, err := r.checker.Count(ctx, `
		SELECT coalesce(max(d.attempt), 0) FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id
		WHERE starts_with(c.external_id, 'poison-')`)
	if err != nil {
		return err
	}
	r.atMost("attempts of the delivery that took most", sends, 1)
	return nil
}

// reasons looks at each poison that was accepted: every automation has its decision, and whatever was not sent says why.
func (r *poisonRun) reasons(ctx context.Context) error {
	const automations = 4
	rows, err := r.checker.Rows(ctx, `
		SELECT c.external_id FROM conversations AS c
		WHERE starts_with(c.external_id, 'poison-') AND (
			(SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.reason <> '') <> $1
			OR EXISTS (SELECT 1 FROM decisions AS d WHERE d.conversation_id = c.id AND d.verdict = 'unsure' AND NOT d.review)
			OR EXISTS (SELECT 1 FROM deliveries AS d WHERE d.conversation_id = c.id AND d.state IN ('failed', 'held', 'skipped') AND d.reason = ''))`, automations)
	if err != nil {
		return err
	}
	var unexplained checker.Finding
	for _, id := range rows {
		unexplained.Note(id)
	}
	r.zero("poison without a reason", unexplained)
	kept, err := r.checker.Rows(ctx, `SELECT external_id FROM conversations WHERE starts_with(external_id, 'poison-')`)
	if err != nil {
		return err
	}
	var refused checker.Finding
	for _, id := range kept {
		if r.sent[id].status != http.StatusOK {
			refused.Note(id + ", " + r.sent[id].kind)
		}
	}
	r.zero("refused poison of which something was kept", refused)
	return nil
}

// stories asks `aftercall why` about one poison of each kind.
func (r *poisonRun) stories(ctx context.Context) error {
	var untold checker.Finding
	told := 0
	for i, k := range r.kinds {
		if k.status != http.StatusOK {
			continue
		}
		out, code, err := r.bed.Run(ctx, "why", poisonID(0, i))
		if err != nil {
			return err
		}
		if told++; code != 0 || !strings.Contains(strings.Join(strings.Fields(out), " "), k.tells) {
			untold.Note(k.kind)
		}
	}
	r.exercised("kinds of poison that `aftercall why` was asked about", told)
	r.zero("of which it does not say what happened", untold)
	return nil
}
