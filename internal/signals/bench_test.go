package signals_test

import (
	"log/slog"
	"testing"
	"time"

	"aftercall/internal/signals"
	"aftercall/internal/signals/collector"
)

// BenchmarkCall is what it costs to tell of one ordinary call from its webhook to its two messages, with nobody listening,
// measured, and followed by a collector as well.
func BenchmarkCall(b *testing.B) {
	c := collector.New()
	b.Cleanup(c.Close)
	for _, bench := range []struct {
		name string
		s    *signals.Signals
	}{{"nobody", nil}, {"measured", newSignals()}, {"followed", following(b, c)}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ordinary(b, bench.s)
			}
		})
		bench.s.Close()
	}
}

// ordinary tells of a call that is asked about five automations, of which one fires and sends two messages.
func ordinary(b *testing.B, s *signals.Signals) {
	took := 20 * time.Millisecond
	ctx, hook := s.Receive(b.Context(), "hook", nil)
	s.Webhook("hook", "new", took)
	hook.Note(slog.String("conversation_id", "c"), slog.Int("status", 200), slog.Duration("took", took))
	hook.End("")

	ctx, job := s.Resume(ctx, "decide", signals.Carry(ctx))
	for _, step := range []string{"load", "interview", "plan"} {
		_, span := signals.Step(ctx, step)
		span.End("")
	}
	_, model := signals.Call(ctx, "model")
	model.End("")
	s.ModelCall("interview", signals.Valid, took, 2000, 1000, 50)
	s.Interview(signals.Filled, took)
	for range 4 {
		s.Decision("no", "condition_not_met")
	}
	s.Decision("fires", "fired")
	for range 2 {
		s.Delivery("email", "planned")
	}
	s.Decided(took)
	s.DecideJob(signals.Decided, took)
	for range 2 {
		_, send := signals.Call(ctx, "send")
		send.Note(slog.String("delivery_id", "d"), slog.Int("attempt", 1))
		send.End("")
		s.Send("email", took)
		s.Delivery("email", "sent")
		s.Sent("email", took)
	}
	job.End("")
}
