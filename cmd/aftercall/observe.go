package main

import (
	"context"
	"log/slog"
	"net/http"

	"aftercall/api"
	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/worker"
)

// newSignals gives metrics the words of the rooms that they are measured in.
func newSignals(log *slog.Logger) *signals.Signals {
	w := signals.Words{
		Channels: append(worker.Channels(), deliver.Task, deliver.Push),
		Verdicts: []string{string(triggers.Fires), string(triggers.No), string(triggers.Unsure), string(triggers.Skipped)},
		Failures: []string{string(reason.AnswerInvalid)},
		Purposes: interview.Purposes(), Models: []string{firstModel, fallbackModel}, Queues: worker.Queues(), Routes: api.Operations(), Version: versionName(),
	}
	for _, s := range reason.States() {
		w.States = append(w.States, s.Word)
	}
	for _, r := range reason.All() {
		if r.Stage == reason.StageAction {
			w.Holds = append(w.Holds, string(r.Code))
		} else {
			w.Reasons = append(w.Reasons, string(r.Code))
		}
	}
	for _, k := range llm.Kinds() {
		w.Failures = append(w.Failures, string(k))
	}
	return signals.New(w, log)
}

// observe says what this process needs to be ready, and takes the address at which it can be watched, if there is one.
func (a *app) observe(as assembly) error {
	needs := []signals.Check{
		{Name: "database", Says: "The database does not answer.", Look: a.db.Answers},
		{Name: "schema", Says: "The database's schema is older than this version needs: run aftercall migrate.", Look: a.db.SchemaFits},
		{Name: "config", Says: "The active configs were not read yet.", Look: func(context.Context) error { return a.revisions.Loaded() }},
	}
	if a.worker != nil {
		needs = append(needs, signals.Check{Name: "queue", Says: "The queues are not worked.",
			Look: func(context.Context) error { return a.worker.Works() }})
	}
	a.ready = signals.NewReadiness(a.log, needs...)
	a.signals.WatchReadiness(a.ready)
	a.signals.WatchDatabase(func(ctx context.Context) (signals.Vitals, error) {
		return a.db.Vitals(ctx, worker.Queues(), worker.Lease)
	})
	if as.settings.MetricsListen == "" {
		return nil
	}
	routes := http.NewServeMux()
	routes.Handle("GET /metrics", a.signals.Handler())
	routes.HandleFunc("GET /healthz", signals.Alive)
	routes.Handle("GET /readyz", a.ready)
	return a.listen("metrics", as.settings.MetricsListen, as.anyPort, routes)
}
