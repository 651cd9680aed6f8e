package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/internal/store"
	"aftercall/reason"
)

// writeAccount writes a one-file account folder and gives its path.
func writeAccount(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const careless = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
automations:
  - id: typo
    when: always
    actions: [ { email: { to: [a@acme.example], subject: "Hello", body: "Dear {{customer_nme}}" } } ]
  - id: outside
    when: always
    actions: [ { email: { to: [eve@evil.example], subject: "Hello", body: "Hello" } } ]
  - id: broken
    when: always
    actions: [ { email: { to: [a@acme.example], subject: "Hello", body: "{{#if customer_name}}{{if customer_email}}x{{/if}}" } } ]
`

// TestRefusedBeforeAnyCall: an unknown variable, a recipient outside the allow-list and the template that would kill the
// process are all found when the folder is checked, all at once, each with its place.
func TestRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := &console{out: &out, err: &out, getenv: env(nil)}
	if code := run(context.Background(), c, []string{"check", writeAccount(t, careless)}); code != 1 {
		t.Errorf("check ends with %d, want 1", code)
	}
	for _, want := range []string{
		"account.yaml:9:81: error[AC201]", "did you mean customer_name?",
		"account.yaml:12:32: error", "eve@evil.example",
		"account.yaml:15:", "{{if",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("check does not say %q:\n%s", want, out.String())
		}
	}
}

// TestInvalidFolderKeepsTheGoodRevision: a folder with an error never replaces a valid one.
func TestInvalidFolderKeepsTheGoodRevision(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), http.NotFoundHandler())
	ctx := context.Background()
	before, err := h.app.db.ActiveRevisions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := activate(ctx, h.app.db, slog.New(slog.DiscardHandler), writeAccount(t, careless)); err == nil {
		t.Error("a folder with errors was activated")
	}
	after, err := h.app.db.ActiveRevisions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != 1 || after[0].RevisionID != before[0].RevisionID {
		t.Errorf("active is %+v, was %+v", after, before)
	}
}

// TestAllowListIsCheckedAgain: a message planned under one revision is not sent if the account's allow-list has become
// narrower when it goes out.
func TestAllowListIsCheckedAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	asked, answer := make(chan struct{}), make(chan struct{})
	model := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"x"}`)
	})
	h := newHouse(t, writeAccount(t, downConfig), model)
	id := h.postCall([]byte(downCallNumber(1)))
	<-asked
	narrow := strings.ReplaceAll(strings.ReplaceAll(downConfig, "allow: { domains: [acme.example] }", "allow: { addresses: [log@acme.example] }"),
		"support@acme.example", "log@acme.example")
	if err := activate(ctx, h.app.db, slog.New(slog.DiscardHandler), writeAccount(t, narrow)); err != nil {
		t.Fatal(err)
	}
	if err := h.app.revisions.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	close(answer)
	s := h.final(id)
	for _, d := range s.Deliveries {
		if d.Automation == "callback" && (d.State != store.Skipped || d.Reason != reason.RecipientNotAllowed) {
			t.Errorf("the mail is %s, %s; want skipped, recipient_not_allowed", d.State, d.Reason)
		}
	}
	if got := len(h.mail.Mails()); got != 1 {
		t.Errorf("%d mails went out, want only the one that is still allowed", got)
	}
}
