package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river/rivertype"

	"aftercall/automation"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/triggers"
)

// decideLine is the one wide log line of a decide job: ids and counts, nothing that was said.
type decideLine struct {
	conversation, account, revision string
	run, attempt                    int
	fired, unsure, waiting          int
	decisions, deliveries, calls    int
	simulated                       bool
	model                           *llm.Error // why it waits for the model
	gaveUp                          bool
}

// about says what the job is about, as soon as that is known.
func (l *decideLine) about(conv store.Pinned, rev *automation.Revision) {
	l.account, l.revision = conv.Conversation.AccountID, rev.ID
}

// of takes the counts from what was planned.
func (l *decideLine) of(p *store.Plan, said interview.Said) {
	l.calls, l.simulated = said.Calls, said.Simulated
	l.wrote(store.Saved{Decisions: p.Decisions, Written: p.Deliveries})
}

// wrote notes what stands now.
func (l *decideLine) wrote(s store.Saved) {
	l.decisions, l.deliveries, l.fired, l.unsure, l.waiting = len(s.Decisions), len(s.Written), 0, 0, 0
	for _, d := range s.Decisions {
		switch d.Verdict {
		case triggers.Fires:
			l.fired++
		case triggers.Unsure:
			l.unsure++
		case triggers.Waiting:
			l.waiting++
		}
	}
}

// log writes the line, and gives what it says. A snoozed job is no error: it says that it waits, and why.
func (l *decideLine) log(ctx context.Context, log *slog.Logger, took time.Duration, err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("conversation_id", l.conversation), slog.String("account_id", l.account), slog.String("revision_id", l.revision),
		slog.Int("run", l.run), slog.Int("attempt", l.attempt), slog.Int("decisions", l.decisions), slog.Int("fired", l.fired),
		slog.Int("unsure", l.unsure), slog.Int("waiting", l.waiting), slog.Int("deliveries", l.deliveries),
		slog.Int("model_calls", l.calls), slog.Bool("simulated_model", l.simulated), slog.Duration("took", took),
	}
	level := slog.LevelInfo
	var snooze *rivertype.JobSnoozeError
	switch {
	case errors.As(err, &snooze):
		attrs = append(attrs, slog.Duration("again_in", snooze.Duration))
		if l.model != nil {
			level = slog.LevelWarn
			attrs = append(attrs, slog.String("error_kind", string(l.model.Kind)), slog.Int("status", l.model.Status))
		}
	case err != nil:
		level, attrs = slog.LevelError, append(attrs, slog.String("error", err.Error()))
	}
	log.LogAttrs(ctx, level, "decide", attrs...)
	return attrs
}

// outcome is the word for how the job ended.
func (l *decideLine) outcome(err error) string {
	var snooze *rivertype.JobSnoozeError
	switch {
	case errors.As(err, &snooze) && l.model != nil:
		return signals.Waiting
	case errors.As(err, &snooze):
		return signals.Again
	case err != nil:
		return signals.Errored
	case l.gaveUp:
		return signals.GivenUp
	}
	return signals.Decided
}

// fault is the word for what went wrong, "" if nothing did.
func (l *decideLine) fault(err error) string {
	switch word := l.outcome(err); word {
	case signals.Waiting, signals.Errored, signals.GivenUp:
		return word
	}
	return ""
}

// faulty is the word for what ended a step of the job, "" if nothing did.
func faulty(err error) string {
	var e *llm.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return string(e.Kind)
	}
	return signals.Errored
}
