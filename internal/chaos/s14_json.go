package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// parsed is S14: JSON that is none, or only just, or enormous, as a webhook's body and as a model's answer.
func parsed() property {
	return property{
		id: "S14", title: "JSON and size", try: tryParsed,
		weak: []weakness{
			{"lenient-json", "bodies answered otherwise than they should be"},
			{"no-body-limit", "bodies answered otherwise than they should be"},
		},
	}
}

// ownJSON are our own cases.
func ownJSON() (all []corpus.JSONCase) {
	for _, c := range []struct {
		name, expect string
		raw          []byte
	}{
		{"nothing", "reject", nil},
		{"two values", "reject", []byte(`{} {}`)},
		{"comma at the end of a list", "reject", []byte(`[1,]`)},
		{"comma at the end of an object", "reject", []byte(`{"a":1,}`)},
		{"single quotes", "reject", []byte(`{'a':1}`)},
		{"name without quotes", "reject", []byte(`{a:1}`)},
		{"comment", "reject", []byte(`{"a":/* b */1}`)},
		{"NaN", "reject", []byte(`NaN`)},
		{"leading zero", "reject", []byte(`-012`)},
		{"hexadecimal", "reject", []byte(`0x1F`)},
		{"plus", "reject", []byte(`+1`)},
		{"raw line break in a text", "reject", []byte("\"a\nb\"")},
		{"unknown escape", "reject", []byte(`"\x41"`)},
		{"open text", "reject", []byte(`"abc`)},
		{"open list", "reject", []byte(`[[[["a"`)},
		{"invalid UTF-8", "reject", []byte{'"', 0xff, '"'}},
		{"numbers of every kind", "accept", []byte(`[0,-0,1e5,1.5E-7,123456789012345678901234567890]`)},
		{"escapes of every kind", "accept", []byte(`"\" \\ \/ \b \f \n \r \t \u00e9 \ud83d\ude00"`)},
		{"half a surrogate pair", "either", []byte(`"\ud83d"`)},
		{"a name twice", "either", []byte(`{"a":1,"a":2}`)},
	} {
		all = append(all, corpus.JSONCase{Name: c.name, Expect: c.expect, Raw: c.raw})
	}
	return all
}

// jsonCases are our own cases and, where it is there, the suite's.
func (t *trial) jsonCases() ([]corpus.JSONCase, error) {
	suite, err := t.shared.JSONSuite()
	t.exercised("rows of the JSON test suite", fmt.Sprintf("%d, and own cases: %d", len(suite), len(ownJSON())))
	return append(ownJSON(), suite...), err
}

// bodyCase is a body and how it is to be answered.
type bodyCase struct {
	name    string
	body    []byte
	headers map[string]string
	stream  bool
	want    []int
}

// bodies are the cases as whole bodies, and inside a call that is right but for them.
func bodies(cases []corpus.JSONCase) (all []bodyCase) {
	for i, c := range cases {
		all = append(all, bodyCase{name: c.Name, body: c.Raw, want: []int{400}})
		in := bodyCase{name: c.Name + ", inside", body: written(string(c.Raw))(fmt.Sprintf("inside-%d", i)), want: []int{200, 400}}
		after := bodyCase{name: c.Name + ", after", body: append(bed.NewCall(fmt.Sprintf("after-%d", i)).Body, c.Raw...), want: []int{400}}
		if c.Expect == "reject" {
			in.want = []int{400}
		}
		if len(bytes.TrimSpace(c.Raw)) == 0 {
			after.want = []int{200}
		}
		all = append(all, in, after)
	}
	return all
}

// sizes are bodies at and beyond the limits.
func sizes() []bodyCase {
	const most = 5 << 20
	full := func(id string, n int) []byte {
		body := said(times(strings.Repeat("word after word ", 6_000), 50)...)(id)
		return append(body, bytes.Repeat([]byte(" "), n-len(body))...)
	}
	turns := func(id string, n int) []byte { return said(times("a", n)...)(id) }
	fill := func(unit string) []byte { return bytes.Repeat([]byte(unit), most/len(unit)) }
	plain := bed.NewCall("typed").Body
	return []bodyCase{
		{name: "5 MB", body: full("size-most", most), want: []int{200}},
		{name: "5 MB and a byte", body: full("size-more", most+1), want: []int{413}},
		{name: "5 MB and a byte, unannounced", body: full("size-stream", most+1), stream: true, want: []int{413}},
		{name: "6 MB of turns", body: said(times(strings.Repeat("word after word ", 6_000), 62)...)("size-turns"), want: []int{413}},
		{name: "19,000 turns", body: turns("turns-many", 19_000), want: []int{200}},
		{name: "100,000 turns", body: turns("turns-100000", 100_000), want: []int{400}},
		{name: "5 MB of brackets", body: fill("["), want: []int{400}},
		{name: "5 MB of objects", body: fill(`{"a":`), want: []int{400}},
		{name: "5 MB of names", body: append(append([]byte(`{`), bytes.Repeat([]byte(`"a":{},`), most/7-1)...), `"a":1}`...), want: []int{400}},
		{name: "5 MB of digits", body: fill("1"), want: []int{400}},
		{name: "5 MB of escapes", body: append(append([]byte(`"`), bytes.Repeat([]byte(`\u0000`), most/6-1)...), '"'), want: []int{400}},
		{name: "plain text", body: plain, headers: map[string]string{"Content-Type": "text/plain"}, want: []int{415}},
		{name: "Latin 1", body: plain, headers: map[string]string{"Content-Type": "application/json; charset=iso-8859-1"}, want: []int{415}},
		{name: "compressed", body: plain, headers: map[string]string{"Content-Encoding": "gzip"}, want: []int{415}},
	}
}

func tryParsed(ctx context.Context, t *trial) error {
	cases, err := t.jsonCases()
	if err != nil {
		return err
	}
	b, c, err := t.bed(ctx, bed.Options{})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	processes, err := webAndWorkers(ctx, b, 1)
	if err != nil {
		return err
	}
	if err := t.postBodies(ctx, b, c, processes[0], append(bodies(cases), sizes()...)); err != nil {
		return err
	}
	if err := t.answerBadly(ctx, b, c, cases, processes[1]); err != nil {
		return err
	}
	var ended checker.Finding
	for _, p := range processes {
		if !p.Alive() {
			ended.Note(p.Name)
		}
	}
	t.zero("processes that ended", ended)
	return t.audit(ctx, b)
}

// postBodies posts one body after another and watches time and memory of the process that takes them.
func (t *trial) postBodies(ctx context.Context, b *bed.Bed, c *checker.Checker, web *bed.Process, all []bodyCase) error {
	client := &http.Client{Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	var wrong checker.Finding
	var slowest, busiest, largest cost
	accepted := map[int]int{}
	for _, one := range all {
		hook := bed.Webhook{Path: "/v1/conversations", Header: http.Header{"Authorization": {"Bearer " + b.Keys["chaos"]}}, Body: one.body, Stream: one.stream}
		for k, v := range one.headers {
			hook.Header.Set(k, v)
		}
		before, busy := web.Resident(), web.Processor()
		peak := watch(web)
		began := time.Now()
		status := b.Send(ctx, client, hook)
		took := time.Since(began)
		slowest = slowest.or(cost{one.name, int64(took)})
		busiest = busiest.or(cost{one.name, int64(web.Processor() - busy)})
		largest = largest.or(cost{one.name, peak() - before})
		accepted[status]++
		if !slices.Contains(one.want, status) {
			wrong.Note(fmt.Sprintf("%s: %d", one.name, status))
		}
	}
	t.exercised("bodies posted, answers by status", fmt.Sprintf("%d, %v", len(all), accepted))
	t.zero("bodies answered otherwise than they should be", wrong)
	t.exercised("slowest answer", fmt.Sprintf("%s (%s)", time.Duration(slowest.of).Round(time.Millisecond), slowest.name))
	t.measured("processor time that one body took, at most", fmt.Sprintf("%s (%s)", time.Duration(busiest.of), busiest.name), "at most 1 s", busiest.of <= int64(time.Second))
	t.measured("memory that one body took, at most", fmt.Sprintf("%d MB (%s)", largest.of>>20, largest.name), "at most 64 MB", largest.of <= 64<<20)
	kept, err := c.Count(ctx, `SELECT (SELECT count(*) FROM conversations) + (SELECT count(*) FROM events) + (SELECT count(*) FROM river_job WHERE kind = 'conversation.decide')`)
	if err != nil {
		return err
	}
	t.equal("conversations, events and jobs, three for each 200", kept, 3*accepted[http.StatusOK])
	return nil
}

// cost is what one case took.
type cost struct {
	name string
	of   int64
}

func (c cost) or(other cost) cost {
	if other.of > c.of {
		return other
	}
	return c
}

// watch follows a process's memory until the function it returns is called, which gives the most there was.
func watch(p *bed.Process) (most func() int64) {
	done, result := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		peak := p.Resident()
		for {
			select {
			case <-tick.C:
				peak = max(peak, p.Resident())
			case <-done:
				result <- max(peak, p.Resident())
				return
			}
		}
	}()
	return func() int64 {
		close(done)
		return <-result
	}
}

// answerBadly lets the model answer calls with the cases: by themselves, after the right answer, and inside one.
func (t *trial) answerBadly(ctx context.Context, b *bed.Bed, c *checker.Checker, cases []corpus.JSONCase, worker *bed.Process) error {
	replies := map[string]string{}
	for i, one := range cases {
		if one.Expect != "reject" || !utf8.Valid(one.Raw) { // a model's answer is a text within JSON: it has no other bytes
			continue
		}
		for how, reply := range map[string]string{"alone": string(one.Raw), "within": `{"note":` + string(one.Raw) + `,<members>}`} {
			replies[fmt.Sprintf("ref-reply-%s-%d", how, i)] = reply
		}
	}
	for i, reply := range []string{"<answer><answer>", "[<answer>]", `{"a":<answer>}`, "{<members>,}", "{<members>", strings.Repeat("[", 100_000), `{"automations":` + strings.Repeat("9", 400_000) + "}"} {
		replies[fmt.Sprintf("ref-reply-own-%d", i)] = reply
	}
	if err := b.Model(ctx, bed.Conduct{Replies: replies}); err != nil {
		return err
	}
	var calls []bed.Call
	for ref := range replies {
		calls = append(calls, bed.NewCall(strings.TrimPrefix(ref, "ref-")))
	}
	before, peak := worker.Resident(), watch(worker)
	posted, err := b.Post(ctx, calls, bed.Posting{})
	if err != nil {
		return err
	}
	_, left, err := c.Settle(ctx, 30*time.Second)
	if err != nil {
		return err
	}
	grown := (peak() - before) >> 20
	t.equal("calls whose model answers badly", len(posted.Acked), len(calls))
	t.want("of them not final", left, "none", left.Settled())
	t.measured("memory of the worker grown by them", fmt.Sprintf("%d MB", grown), "at most 64 MB", grown <= 64)
	return t.unused(ctx, b, c)
}

// unused looks that no bad answer was used, and how often the model was asked.
func (t *trial) unused(ctx context.Context, b *bed.Bed, c *checker.Checker) error {
	rows, err := c.Rows(ctx, `
		SELECT DISTINCT c.external_id FROM conversations AS c
		WHERE starts_with(c.external_id, 'reply-') AND (
			EXISTS (SELECT 1 FROM interviews AS i WHERE i.conversation_id = c.id AND i.valid)
			OR (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.reason = 'answer_invalid' AND d.review) <> 3)`)
	if err != nil {
		return err
	}
	var used checker.Finding
	for _, id := range rows {
		used.Note(id)
	}
	t.zero("bad answers that were used, or not shown for review", used)
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	asked, most := map[string]int{}, 0
	for _, e := range h.Models() {
		if strings.HasPrefix(e.About, "ref-reply-") {
			asked[e.About]++
			most = max(most, asked[e.About])
		}
	}
	again := 0
	for _, n := range asked {
		if n > 1 {
			again++
		}
	}
	t.want("bad answers asked for again", fmt.Sprintf("%d of %d", again, len(asked)), "all", again == len(asked))
	t.atMost("model calls about one of them", most, 3)
	return nil
}
