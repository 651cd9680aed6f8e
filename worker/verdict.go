package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/reason"
)

// This file is the only one that knows River's answers: nil is done, a plain error is "try again", JobSnooze is "later,
// and it was nobody's fault", JobCancel is "never".

// later asks River to run the job again after d, without counting an attempt.
func later(d time.Duration) error { return river.JobSnooze(max(d, 0)) }

// whenModelIsBack says when a conversation that waits for the model is tried again. A new wait is short, so that a brief
// fault costs seconds; an old one is longer, so that a thousand waiting conversations do not keep the queue busy. The
// jitter keeps them from coming back all at once.
func whenModelIsBack(e *llm.Error, waited time.Duration) time.Duration {
	d := 2 * time.Second
	switch {
	case waited > 10*time.Minute:
		d = 30 * time.Second
	case waited > time.Minute:
		d = 10 * time.Second
	}
	d = max(d, e.After)
	return d + rand.N(d/2+time.Millisecond)
}

// guarded turns a panic into an error. River would keep the panic's value, which could quote a call; the type and our own
// log line, with the stack but no values, do as well.
func guarded(log *slog.Logger, work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic in a job", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = panicError(fmt.Sprintf("%T", p))
		}
	}()
	return work()
}

// panicError is a panic that was caught: the type of its value.
type panicError string

const panicPrefix = "panic ("

func (e panicError) Error() string { return panicPrefix + string(e) + ")" }

// maxPanics is how often a job may panic before its subject is given up. A panic is a mistake of ours that the next
// attempt makes again; the others are for one that had to do with the moment.
const maxPanics = 3

// hopeless reports that trying the job again is of no use: it has panicked too often, or failed as often as River lets it.
func hopeless(job *rivertype.JobRow, err error) bool {
	var snooze *rivertype.JobSnoozeError
	var cancel *rivertype.JobCancelError
	if err == nil || errors.As(err, &snooze) || errors.As(err, &cancel) {
		return false
	}
	panics := 0
	for _, e := range job.Errors {
		if strings.HasPrefix(e.Error, panicPrefix) {
			panics++
		}
	}
	return errors.As(err, new(panicError)) && panics+1 >= maxPanics || job.Attempt >= job.MaxAttempts
}

// unlessLater is the word for what ended a job, "" if nothing did or it comes back by itself.
func unlessLater(err error) string {
	var snooze *rivertype.JobSnoozeError
	if errors.As(err, &snooze) {
		return ""
	}
	return faulty(err)
}

// gone reports that the job's subject does not exist any more, so that trying again is useless.
func gone(err error) bool { return errors.Is(err, store.ErrNotFound) }

// never tells River not to run the job again.
func never(err error) error { return river.JobCancel(err) }

// maxSends is how often one delivery is handed to its provider at most.
const maxSends = 8

// lifetime is how long after its due time a delivery may still go out; an e-mail three weeks late is worse than none.
const lifetime = 6 * time.Hour

// popUpLife is the same of a pop-up: it is about the call that an agent has, or has just had.
const popUpLife = 2 * time.Minute

// LifetimeOn is the lifetime of a delivery on a channel.
func LifetimeOn(channel string) time.Duration {
	if channel == deliver.CTI {
		return popUpLife
	}
	return lifetime
}

// backoff is the wait before the next send after the n-th failed one (n from 1).
func backoff(n int) time.Duration {
	steps := [...]time.Duration{
		10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	}
	return steps[min(max(n, 1), len(steps))-1]
}

// settle turns a channel's answer into the ledger's outcome.
func settle(o store.Outcome, receipt deliver.Receipt, err error, deadline time.Time) store.Outcome {
	if err == nil {
		o.State, o.Provider, o.ProviderID = store.Sent, receipt.Provider, receipt.ProviderID
		return o
	}
	e := deliver.AsError(err)
	o.Class, o.Status, o.Detail = e.Class, e.Status, e.Detail
	switch e.Verdict {
	case deliver.Refused:
		o.State = store.Failed
		if e.Class == deliver.ClassOptedOut {
			o.State, o.Reason = store.Skipped, reason.OptedOut
		}
	case deliver.Unknown:
		o.State = store.Unknown
	default:
		o.State, o.DueAt = store.Retrying, o.FinishedAt.Add(max(backoff(o.Attempt), e.After))
		if o.Attempt >= maxSends || o.DueAt.After(deadline) {
			o.State, o.Reason, o.DueAt = store.Failed, reason.TooLate, time.Time{}
		}
	}
	return o
}
