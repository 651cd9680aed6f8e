package main

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/riverqueue/river"

	"aftercall/deliver"
	"aftercall/worker"
)

// TestTwinsSendOnce: two workers on one database, and every job in the queue several times, as after a rescue or a sweep
// that was over-careful. Every mail goes out once.
func TestTwinsSendOnce(t *testing.T) {
	t.Parallel()
	const calls, copies = 30, 4
	model := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"x"}`)
	})
	h := newHouse(t, writeAccount(t, downConfig), model)
	twin, err := assemble(context.Background(), assembly{
		settings: settings{
			DatabaseURL: secret(h.url), OpenAIBaseURL: h.model.URL + "/v1", Model: "scripted",
			SendGridKey: sendGridKey, SendGridBaseURL: h.mail.URL,
		},
		role: role{work: true}, log: slog.New(slog.DiscardHandler), now: h.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := twin.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := twin.stop(); err != nil {
			t.Error(err)
		}
	})
	var ids []string
	for i := range calls {
		ids = append(ids, h.postCall([]byte(downCallNumber(i))))
	}
	again := func(args func(id string) river.JobArgs, queue string) {
		var params []river.InsertManyParams
		for range copies {
			for _, id := range ids {
				params = append(params, river.InsertManyParams{Args: args(id), InsertOpts: &river.InsertOpts{Queue: queue}})
			}
		}
		if _, err := h.app.worker.Client().InsertMany(context.Background(), params); err != nil {
			t.Fatal(err)
		}
	}
	again(func(id string) river.JobArgs { return worker.DecideArgs{ConversationID: id, Run: 1} }, worker.QueueDecide)
	again(func(id string) river.JobArgs { return worker.DeliverArgs{ConversationID: id, Channel: deliver.Email} }, worker.QueueOf(deliver.Email))
	for _, id := range ids {
		h.final(id)
	}
	h.drained()
	seen := map[string]int{}
	for _, m := range h.mail.Mails() {
		seen[m.Args["delivery_id"]]++
	}
	if len(seen) != 2*calls {
		t.Errorf("%d deliveries reached the provider, want %d", len(seen), 2*calls)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("delivery %s was sent %d times", id, n)
		}
	}
}
