package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

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
			claimed, err := h.Claim(b.Context(), <-ids, "email", "w1", time.Now())
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
