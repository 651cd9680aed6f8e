package ingest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

const spike = `
  - id: missed-call-spike
    on: call.missed
    when: { at_least: 10, within: 5m, by: metadata.line, calls: { metadata: { office: london } } }
    actions: [ { team_alert: { send: now, text: "Ten calls missed on {{metadata.line}}" } } ]
`

func missed(line string, n int, at time.Time) []byte {
	return fmt.Appendf(nil, `{"id":"%s-%d","type":"call.missed","data":{"line":%q,"office":"london"},"at":%q}`, line, n, line, at.UTC().Format(time.RFC3339Nano))
}

// TestASpikeFiresOnce: with two workers that count at once, in whatever order the calls come, for each line on its own.
func TestASpikeFiresOnce(t *testing.T) {
	t.Parallel()
	l := decide(t, spike, 2)
	began := time.Now().Add(-time.Hour)
	var mu sync.Mutex
	var ids []string
	var posts sync.WaitGroup
	for n := range 24 {
		for _, line := range []string{"sales", "support"} {
			posts.Go(func() {
				// 24 within four minutes on one line: one span, whatever is the first of them to be counted. On the other one every minute, so
				// that never ten are within five minutes.
				at := began.Add(time.Duration(n*7%24) * 10 * time.Second)
				if line == "support" {
					at = began.Add(time.Duration(n) * time.Minute)
				}
				a := l.post(t, "/v1/events", bearer(apiKey), missed(line, n, at))
				mu.Lock()
				defer mu.Unlock()
				ids = append(ids, a.said.ConversationID)
			})
		}
	}
	posts.Wait()
	got := map[string]map[reason.Code]int{"sales": {}, "support": {}}
	for _, id := range ids {
		s := l.until(id, decided)
		line, _ := s.Conversation.Metadata["line"].(string)
		got[line][s.Decisions[0].Reason]++
		if s.Decisions[0].Reason == reason.Always && s.Decisions[0].Verdict != triggers.Fires || s.Decisions[0].Detail == "" {
			t.Errorf("%+v", s.Decisions[0])
		}
	}
	if diff := cmp.Diff(map[reason.Code]int{reason.TooFew: 9, reason.Always: 1, reason.AlreadyFired: 14}, got["sales"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[reason.Code]int{reason.TooFew: 24}, got["support"]); diff != "" {
		t.Error(diff)
	}
	if n := l.count(`SELECT count(*) FROM deliveries`); n != 1 {
		t.Errorf("%d deliveries of one firing", n)
	}
}

// TestASpikeIsExplained: what comes one by one says how far it is, the tenth fires, and those after it say that it has.
func TestASpikeIsExplained(t *testing.T) {
	t.Parallel()
	l, began := decide(t, spike, 1), time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	var last store.Story
	for n := range 12 {
		last = l.until(l.happens(missed("sales", n, began.Add(time.Duration(n)*10*time.Second))), decided)
		want := map[int]string{6: "7 of 10 within 5m.", 9: "10 of 10 within 5m.", 11: "It fired for what came from 2026-03-02 09:30:00 UTC on."}[n]
		if d := last.Decisions[0]; want != "" && d.Detail != want {
			t.Errorf("call %d: %s %q, want %q", n+1, d.Reason, d.Detail, want)
		}
	}
	if d := last.Decisions[0]; d.Reason != reason.AlreadyFired || d.Verdict != triggers.Skipped {
		t.Errorf("%s, %s", d.Verdict, d.Reason)
	}
	// The next span begins with what the last one has not used.
	for n := range 10 {
		last = l.until(l.happens(missed("sales", 20+n, began.Add(6*time.Minute+time.Duration(n)*time.Second))), decided)
	}
	if d := last.Decisions[0]; d.Verdict != triggers.Fires {
		t.Errorf("the tenth of the next span: %s %s %q", d.Verdict, d.Reason, d.Detail)
	}
	nowhere := []byte(`{"id":"x","type":"call.missed","data":{"office":"london"},"at":"2026-03-02T09:40:00Z"}`)
	if d := l.until(l.happens(nowhere), decided).Decisions[0]; d.Reason != reason.FilteredMetadata || d.Detail != "There is no metadata.line to count it by." {
		t.Errorf("%s %q", d.Reason, d.Detail)
	}
	// What nothing can be counted with any more goes with a sweep.
	if _, err := l.store.Pool().Exec(t.Context(), `UPDATE counted SET keep_until = now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for l.count(`SELECT count(*) FROM counted`) > 0 {
		if ctx.Err() != nil {
			t.Fatal("what was counted stays for ever")
		}
	}
}
