package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// Each benchmark counts conversations, written by many callers at once as under load.

func BenchmarkAccept(b *testing.B) {
	h := open(b, store.Options{})
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.ingest.Accept(b.Context(), h.arrival(phoneCall(fmt.Sprint(n.Add(1))))); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkSave(b *testing.B) {
	h := open(b, store.Options{})
	ids := make(chan string, b.N)
	for n := range b.N {
		ids <- h.accept(b, h.arrival(phoneCall(fmt.Sprint(n)))).ConversationID
	}
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if saved, err := h.planner.Save(b.Context(), h.plan(<-ids, 5)); err != nil || !saved.OK {
				b.Error(saved, err)
			}
		}
	})
}

func BenchmarkClaimAndRecordOutcome(b *testing.B) {
	h := open(b, store.Options{})
	ids := make(chan string, b.N)
	for n := range b.N {
		ids <- h.decided(b, fmt.Sprint(n), 5).ConversationID
	}
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			claimed, err := h.Claim(b.Context(), <-ids, "email", "w1", time.Now(), nil)
			if err != nil || len(claimed) != 5 {
				b.Error(len(claimed), err)
			}
			for _, c := range claimed {
				if err := h.RecordOutcome(b.Context(), outcome(c, "w1", store.Sent)); err != nil {
					b.Error(err)
				}
			}
		}
	})
}

// BenchmarkVitals is one look at an installation at which more waits than is counted, everywhere: the dearest there is.
func BenchmarkVitals(b *testing.B) {
	h := open(b, store.Options{})
	h.exec(b, filler, h.revision)
	h.exec(b, `INSERT INTO conversations (id, account_id, source, external_id, revision_id, content, state, decide_at, started_at, ended_at,
			channel, direction, status, agent_id, agent_name, customer_name, customer_email, customer_number, email_key, phone_key, far_phone_key)
		SELECT gen_random_uuid(), 'acme', 'phone', 'new-' || g, $1::uuid, '{}', 'accepted', now() - interval '1 h', now(), now(),
			'', '', '', '', '', '', '', '', '', '', '' FROM generate_series(1, 12000) AS g`, h.revision)
	h.exec(b, `INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state,
			reason, detail, due_at, deadline_at, test, content, attempt, worker_id, claimed_at)
		SELECT gen_random_uuid(), 'acme', c.id, 2, 'a', n, s, 'email', false, s, '', '', now(), now() + interval '1 h', false, '{}', 1, 'w', now()
		FROM conversations AS c, generate_series(1, 2) AS n, unnest('{planned,sending,held,unknown}'::text[]) AS s
		WHERE c.state = 'decided'`)
	h.exec(b, `INSERT INTO river_job (args, kind, queue, state, priority, scheduled_at, max_attempts)
		SELECT '{}', 'k', 'decide', 'available', 1 + g % 4, now() - interval '1 min', 25 FROM generate_series(1, 12000) AS g`)
	h.exec(b, "ANALYZE")
	for b.Loop() {
		if v := h.vitals(b); v.QueueJobs["decide"] != signals.Counted || v.Undecided["accepted"] != signals.Counted {
			b.Fatal(v)
		}
	}
}

// BenchmarkSaveByTwo is BenchmarkSave with a second process that decides for the same account.
func BenchmarkSaveByTwo(b *testing.B) {
	h := open(b, store.Options{})
	twin := openAt(b, h.url, store.Options{})
	ids := make(chan string, b.N)
	for n := range b.N {
		ids <- h.accept(b, h.arrival(phoneCall(fmt.Sprint(n)))).ConversationID
	}
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		s := []*house{h, twin}[n.Add(1)%2]
		for pb.Next() {
			if saved, err := s.planner.Save(b.Context(), s.plan(<-ids, 5)); err != nil || !saved.OK {
				b.Error(saved, err)
			}
		}
	})
}

// BenchmarkEndedWaits is one look for waits whose call has come, where very many wait for calls that never do.
func BenchmarkEndedWaits(b *testing.B) {
	h := open(b, store.Options{})
	h.wait(b, 200_000, 0, time.Now().Add(-time.Hour))
	h.exec(b, "ANALYZE")
	look := &store.EndLook{}
	for b.Loop() {
		if ended := h.waits(b, look); len(ended) != 0 {
			b.Fatal(len(ended))
		}
	}
}
