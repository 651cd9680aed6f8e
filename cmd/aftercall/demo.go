package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"aftercall/automation"
	"aftercall/examples"
	"aftercall/internal/store"
	"aftercall/people"
)

// demo runs the whole product on this machine: a private Postgres, the simulated model, the example account, and sample
// calls through the real webhook with real signatures. Nothing leaves the machine: every channel is the capture sink.
func demo(flags *flag.FlagSet) action {
	once := flags.Bool("once", false, "end when every sample call is final")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) > 0 {
			return wrong("demo takes only --once")
		}
		return demonstrate(ctx, c, *once)
	}
}

func demonstrate(ctx context.Context, c *console, once bool) error {
	d := &demonstration{premises: newPremises(c, slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn})))}
	defer d.close()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if err := d.app.start(ctx); err != nil {
		return err
	}
	balanced, err := d.show(ctx)
	if err != nil {
		return err
	}
	if once {
		if !balanced {
			return errQuiet
		}
		return nil
	}
	if err := d.invite(); err != nil {
		return err
	}
	return d.app.wait(ctx, nil)
}

// demonstration is what a demo run holds.
type demonstration struct {
	*premises
	dir string // the example account's files
}

// prepare starts the database and the model, and activates the example account.
func (d *demonstration) prepare(ctx context.Context) (err error) {
	fmt.Fprintln(d.out, "Aftercall demo: private Postgres, SIMULATED model (plain lexical rules, no language model), capture sink. Nothing leaves this machine.")
	if d.dir, err = os.MkdirTemp("", "aftercall-demo-"); err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	if err := os.CopyFS(d.dir, examples.Files()); err != nil {
		return fmt.Errorf("write the example account: %w", err)
	}
	if err := d.lay("front-desk.yaml"); err != nil {
		return err
	}
	d.around = newTrouble().around
	if err := d.open(ctx, settings{}, false); err != nil {
		return err
	}
	// This machine asks for alerts on its screen, so that there are some to see: captured, as everything.
	if err := d.app.db.SubscribePush(ctx, store.Actor{Name: people.Machine().Name}, store.PushSubscription{}); err != nil {
		return err
	}
	return activate(ctx, d.app.db, d.log, filepath.Join(d.dir, "acme"))
}

// close stops everything and removes what the demo wrote.
func (d *demonstration) close() {
	d.premises.close()
	if d.dir != "" {
		_ = os.RemoveAll(d.dir) // in the temporary folder; the system clears it too
	}
}

// show posts the sample calls, waits until each is final, and prints what came of it.
func (d *demonstration) show(ctx context.Context) (balanced bool, err error) {
	account, source, err := d.nativeSource()
	if err != nil {
		return false, err
	}
	files, err := sampleCalls()
	if err != nil {
		return false, err
	}
	began := time.Now()
	ids := make([]string, len(files))
	for i, f := range files {
		if ids[i], err = d.post(ctx, source, f); err != nil {
			return false, fmt.Errorf("post %s: %w", f, err)
		}
	}
	for i, id := range ids {
		story, err := d.final(ctx, account, id)
		if err != nil {
			return false, err
		}
		brief(d.out, path.Base(files[i]), story)
	}
	took := time.Since(began).Round(10 * time.Millisecond)
	if err := d.change(ctx); err != nil {
		return false, err
	}
	fmt.Fprintf(d.out, "\n%d calls in %s. ", len(files), took)
	return balance(ctx, d.out, d.app.db)
}

// sampleCalls are the example account's calls, and those that leave work for people.
func sampleCalls() (files []string, err error) {
	for _, pattern := range []string{"calls/*.json", "ops/events/*.json", "ops/calls/*.json"} {
		some, err := fs.Glob(examples.Files(), pattern)
		if err != nil {
			return nil, err
		}
		files = append(files, some...)
	}
	return files, nil
}

// anotherCall is the id of the call that the demo offers to post.
const anotherCall = "another-call"

// invite says where the pages are, and what to paste into a second terminal: settings and commands that work as they are.
func (d *demonstration) invite() error {
	_, source, err := d.nativeSource()
	if err != nil {
		return err
	}
	file := filepath.Join(d.dir, anotherCall+".json")
	if err := writeAnother(file); err != nil {
		return fmt.Errorf("write a call to post: %w", err)
	}
	fmt.Fprintf(d.out, "\nPages     %s\nWebhooks  %s\n", d.app.address("pages"), d.app.address("webhooks"))
	fmt.Fprint(d.out, "\nPost another call from a second terminal (make build puts aftercall into bin/; the file is yours to change):\n\n")
	fmt.Fprintf(d.out, "  export DATABASE_URL='%s'\n", d.server.URL(premisesDatabase))
	fmt.Fprintf(d.out, "  AFTERCALL_SECRET='%s' aftercall send --url %s --source %s --as %s '%s'\n",
		d.secret(envName(source.Secrets[0])), d.app.address("webhooks"), source.ID, source.Type, file)
	fmt.Fprintf(d.out, "  aftercall why %s\n\nStop with Ctrl-C.\n", anotherCall)
	return nil
}

// writeAnother writes the first sample call under an id of its own, so that it is no duplicate.
func writeAnother(file string) error {
	body, err := fs.ReadFile(examples.Files(), "calls/01-callback-requested.json")
	if err != nil {
		return err
	}
	var call map[string]any
	if err := json.Unmarshal(body, &call); err != nil {
		return err
	}
	call["id"] = anotherCall
	if body, err = json.MarshalIndent(call, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o600)
}

// nativeSource finds the example account's source for calls in our own format.
func (d *demonstration) nativeSource() (account string, s *automation.Source, err error) {
	for _, id := range []string{"acme"} {
		rev, ok := d.app.revisions.Active(id)
		if !ok {
			continue
		}
		for i := range rev.Sources {
			if rev.Sources[i].Type == "native" {
				return id, &rev.Sources[i], nil
			}
		}
	}
	return "", nil, errors.New("the example account has no native source")
}

// post sends one sample call as a call platform would, and gives our id of the conversation.
func (d *demonstration) post(ctx context.Context, src *automation.Source, file string) (string, error) {
	body, err := fs.ReadFile(examples.Files(), file)
	if err == nil && slices.Contains(justNow(), file) {
		body, err = endingAt(body, time.Now())
	}
	if err != nil {
		return "", err
	}
	to := letter{base: d.app.address("webhooks"), source: src.ID, scheme: src.Type}
	p := parcel{url: to.address(to.base, body), scheme: src.Type, secret: d.secret(envName(src.Secrets[0])), body: body}
	answer, err := p.post(ctx)
	if err != nil {
		return "", err
	}
	var a struct {
		ConversationID string `json:"conversation_id"`
	}
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(&a); err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return a.ConversationID, nil
}

// finalWithin is how long the demo waits for one call. Everything runs on this machine; longer means it is stuck.
const finalWithin = 20 * time.Second

// soon is how far ahead of time the demo waits for a message that goes out some time after a call.
const soon = 10 * time.Second

// final waits until the conversation is decided and nothing of it that is due by now, or soon, is open.
func (d *demonstration) final(ctx context.Context, account, id string) (store.Story, error) {
	ctx, cancel := context.WithTimeout(ctx, finalWithin)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := d.app.db.Story(ctx, account, id)
		if err != nil {
			return s, err
		}
		if s.State == store.StateDecided && !open(s, time.Now().Add(soon)) {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("conversation %s is not final: %w", id, ctx.Err())
		case <-tick.C:
		}
	}
}

// open reports whether something of the story is due at a time and not final.
func open(s store.Story, at time.Time) bool {
	for _, x := range s.Deliveries {
		switch x.State {
		case store.Sending:
			return true
		case store.Planned, store.Retrying:
			if !x.DueAt.After(at) {
				return true
			}
		}
	}
	return false
}
