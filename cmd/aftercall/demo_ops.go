package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/examples"
	"aftercall/internal/store"
	"aftercall/reason"
)

// What the demo shows to those on duty: a provider in trouble, and a config that has changed since the calls came in.

// Addresses of the sample calls for which the demo plays a provider in trouble. Every other message is kept as it comes.
const (
	mailboxFull = "mailbox-full@demo.example"
	noAnswer    = "no-answer@demo.example"
)

// justNow are the sample call that ends as the demo posts it, so that what goes out some time after a call is still to come, and what
// happened during it. In its file it ended at endedAt.
func justNow() []string {
	return []string{"ops/events/front-desk-reached.json", "ops/calls/ops-4-front-desk.json"}
}

const endedAt = "2026-11-20T15:50:32Z"

// endingAt moves what is told of that call so that it ended at a time.
func endingAt(body []byte, end time.Time) ([]byte, error) {
	var told map[string]any
	if err := json.Unmarshal(body, &told); err != nil {
		return nil, err
	}
	ended, err := time.Parse(time.RFC3339, endedAt)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"started_at", "ended_at", "at"} {
		s, ok := told[key].(string)
		if !ok {
			continue
		}
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, fmt.Errorf("read when a sample call was: %w", err)
		}
		told[key] = end.Add(t.Sub(ended)).Format(time.RFC3339Nano)
	}
	return json.Marshal(told)
}

// trouble is what a provider in trouble would do to the demo's messages. Nothing leaves the machine either way.
type trouble struct {
	mu      sync.Mutex
	refused map[string]bool // addresses at which a message was refused
}

func newTrouble() *trouble { return &trouble{refused: map[string]bool{}} }

// around puts the trouble before the capture sink.
func (t *trouble) around(sink deliver.Channel) deliver.Channel { return troubled{t, sink} }

// troubled is the capture sink with the trouble before it.
type troubled struct {
	*trouble
	sink deliver.Channel
}

// Send refuses the first message to one address, and gives no answer for another; tests and sandboxes are kept.
func (t troubled) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	if len(m.To) != 1 || m.Test {
		return t.sink.Send(ctx, m)
	}
	switch to := m.To[0].Address; {
	case to == mailboxFull && t.first(to):
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "mailbox_full", Status: 552,
			Detail: "the demo plays a provider whose recipient has a full mailbox; sent again, the message is taken"}
	case to == noAnswer:
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Unknown, Class: "timeout",
			Detail: "the demo plays a provider that took the request and never answered"}
	}
	return t.sink.Send(ctx, m)
}

// first reports whether an address is refused for the first time.
func (t *trouble) first(to string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.refused[to]
	t.refused[to] = true
	return !before
}

// lay puts a file that only the demo has into the account's folder, in the place of one that is there.
func (d *demonstration) lay(file string) error {
	b, err := fs.ReadFile(examples.Files(), "ops/acme/"+file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "acme", file), b, 0o600); err != nil {
		return fmt.Errorf("write %s of the demo: %w", file, err)
	}
	return nil
}

// change makes a second revision active, as aftercall apply would, so that calls can be replayed by another config.
func (d *demonstration) change(ctx context.Context) error {
	if err := d.lay("visit-confirmation.yaml"); err != nil {
		return err
	}
	folders, err := automation.Read(filepath.Join(d.dir, "acme"))
	if err != nil {
		return err
	}
	rev, _ := checkFolder(d.log, folders[0])
	if rev == nil {
		return invalid(folders[0])
	}
	if _, _, err := d.app.db.Apply(ctx, revisionFiles(rev, folders[0].Files, ""), store.Activation{
		Sources: sourcesOf(rev), By: "demo", Message: "Confirm a visit whose time is still open",
	}); err != nil {
		return fmt.Errorf("activate the second revision: %w", err)
	}
	if err := d.app.revisions.Refresh(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nSecond revision, %.12s: visit-confirmation no longer waits for a time that is open. Decide call 21 anew by it: its page, Replay.\n", rev.Digest)
	return d.bulk(ctx, rev.AccountID)
}

// bulk asks for one thing to be done to several calls, and nothing that goes out: those of one automation, once more in the sandbox.
func (d *demonstration) bulk(ctx context.Context, account string) error {
	now := time.Now()
	_, err := d.app.ops.Bulk(ctx, store.Actor{Name: "demo"}, account, store.BulkRequest{Action: store.BulkReplayActive, Sandbox: true,
		Filter: store.BulkFilter{Since: now.Add(-time.Hour), Until: now, Automation: "smart-routing", Reason: reason.Fired}})
	if err != nil {
		return fmt.Errorf("ask for a bulk job: %w", err)
	}
	return nil
}
