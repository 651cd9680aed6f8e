package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/signals/collector"
)

// cli runs a command line in this process, as main does.
func cli(t *testing.T, environment map[string]string, args ...string) (code int, output string) {
	t.Helper()
	var out journal // a command may log while it prints
	code = run(context.Background(), &console{out: &out, err: &out, getenv: env(environment)}, args)
	return code, out.all()
}

// TestVerbs follows an operator's first hour: a key, a call posted with it, why it fired, the audit.
func TestVerbs(t *testing.T) {
	t.Parallel()
	model := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"x"}`)
	})
	h := newHouse(t, writeAccount(t, downConfig), model)
	base := map[string]string{"DATABASE_URL": h.url}
	code, out := cli(t, base, "keys", "add", "acme", "laptop")
	key, _, _ := strings.Cut(out, "\n")
	if code != 0 || !strings.HasPrefix(key, "ac_") {
		t.Fatalf("keys add: %d %s", code, out)
	}
	file := filepath.Join(t.TempDir(), "call.json")
	if err := os.WriteFile(file, []byte(downCallNumber(7)), 0o644); err != nil {
		t.Fatal(err)
	}
	sender := map[string]string{"AFTERCALL_KEY": key, "AFTERCALL_PUBLIC_URL": h.app.address("webhooks")}
	if code, out = cli(t, sender, "send", file); code != 0 || !strings.Contains(out, "conversation_id") {
		t.Fatalf("send: %d %s", code, out)
	}
	if code, out = cli(t, sender, "send", file); code != 0 || !strings.Contains(out, `"duplicate":true`) {
		t.Errorf("send again: %d %s", code, out)
	}
	_, id, err := h.app.db.FindConversation(context.Background(), "acme", "call-7")
	if err != nil {
		t.Fatal(err)
	}
	h.final(id)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"why everything", []string{"why", "call-7"}, 0, "every-call: fires"},
		{"why one", []string{"why", "call-7", "callback"}, 0, "“Please call me back tomorrow.”"},
		{"why one in an account", []string{"why", "--account", "acme", id}, 0, "callback: fires"},
		{"why an automation that is not there", []string{"why", "call-7", "nope"}, 1, "it has: callback, every-call"},
		{"why a call that is not there", []string{"why", "call-8"}, 1, `there is no conversation "call-8"; the pages list every call`},
		{"why a call of another account", []string{"why", "--account", "umbra", "call-7"}, 1, `there is no conversation "call-7" in account umbra;`},
		{"audit", []string{"audit"}, 0, "balanced: 1 events, 1 conversations (0 undecided), 2 decisions (2 fired), 2 deliveries = 2 sent"},
		{"migrate status", []string{"migrate", "status"}, 0, "applied"},
		{"version", []string{"version"}, 0, "aftercall dev"},
		{"explain", []string{"explain", "wrong_speaker"}, 0, "said by somebody"},
		{"explain nothing known", []string{"explain", "nope"}, 1, "the codes: disabled"},
		{"explain lists states too", []string{"explain", "nope"}, 1, "the states: planned"},
		{"explain a state", []string{"explain", "unknown"}, 0, "unknown (state of a delivery)\nA request went out"},
		{"explain a state without a remedy", []string{"explain", "delivered"}, 0, "that the message arrived.\n"},
		{"a key for a slip of the fingers", []string{"keys", "add", "acmee"}, 0, "account acmee has no config yet; there are: acme\n"},
		{"a key with scopes", []string{"keys", "add", "acme", "reader", "--scope", "read,tasks"}, 0, "ac_"},
		{"a key with a scope there is not", []string{"keys", "add", "acme", "--scope", "write"}, 2, "--scope names post, read, "},
		{"a wrong command line", []string{"serve", "--only", "half"}, 2, "usage: aftercall serve"},
		{"no such verb", []string{"fly"}, 2, "no command"},
		{"help", nil, 0, "explained and exactly once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := cli(t, base, c.args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit %d, want %d; output does not hold %q:\n%s", code, c.code, c.want, out)
			}
		})
	}
}

// TestHelp: every verb explains itself, whichever way it is asked, and reads no setting for it.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		for _, args := range [][]string{{v.name, "-h"}, {v.name, "--help"}, {v.name, "help"}, {"help", v.name}} {
			code, out := cli(t, nil, args...)
			if code != 0 || !strings.HasPrefix(out, "usage: aftercall "+v.name) || !strings.Contains(out, "\n\n"+v.says+"\n") {
				t.Errorf("%v ends with %d and says:\n%s", args, code, out)
			}
		}
	}
	for _, c := range []struct{ verb, want string }{
		{"send", "-as type"}, {"send", "-source ID"}, {"send", "-url URL"}, {"send", "AFTERCALL_SECRET"}, {"send", "AFTERCALL_KEY"},
		{"serve", "-only part"}, {"demo", "-once"}, {"why", "-account account"},
	} {
		if _, out := cli(t, nil, c.verb, "-h"); !strings.Contains(out, c.want) {
			t.Errorf("the help of %s does not hold %q:\n%s", c.verb, c.want, out)
		}
	}
	if code, out := cli(t, nil, "help", "fly"); code != 2 || !strings.Contains(out, `no command "fly"`) {
		t.Errorf("help for no verb: %d %s", code, out)
	}
	if code, out := cli(t, nil, "audit", "--fast"); code != 2 || !strings.Contains(out, "-fast\nusage: aftercall audit") {
		t.Errorf("a flag that is none: %d %s", code, out)
	}
}

// TestKeyBeforeAnyConfig: the first key is made before serve has activated anything. The key alone is on standard output.
func TestKeyBeforeAnyConfig(t *testing.T) {
	t.Parallel()
	var out, err bytes.Buffer
	c := &console{out: &out, err: &err, getenv: env(map[string]string{"DATABASE_URL": pgtest.New(t)})}
	if code := run(t.Context(), c, []string{"keys", "add", "acme"}); code != 0 {
		t.Fatalf("keys add ends with %d: %s", code, err.String())
	}
	if key := out.String(); !strings.HasPrefix(key, "ac_") || strings.Count(key, "\n") != 1 {
		t.Errorf("standard output holds %q, want the key alone", key)
	}
	if want := "account acme has no config yet; there is no account with config\n"; !strings.HasPrefix(err.String(), want) {
		t.Errorf("standard error holds %q, want first %q", err.String(), want)
	}
}

// TestWhyInSeveralAccounts: an id that two accounts have is told apart by naming one.
func TestWhyInSeveralAccounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, silentConfig), http.NotFoundHandler())
	ctx := t.Context()
	umbra := writeAccount(t, strings.Replace(silentConfig, "account: acme", "account: umbra", 1))
	key, err := addKey(ctx, h.app.db, "umbra")
	if err := errors.Join(err, activate(ctx, h.app.db, h.app.log, umbra), h.app.revisions.Refresh(ctx)); err != nil {
		t.Fatal(err)
	}
	h.postCall([]byte(downCallNumber(1)))
	p := parcel{url: h.app.address("webhooks") + "/v1/conversations", key: key, body: []byte(downCallNumber(1))}
	if _, err := p.post(ctx); err != nil {
		t.Fatal(err)
	}
	base := map[string]string{"DATABASE_URL": h.url}
	if code, out := cli(t, base, "why", "call-1"); code != 1 || !strings.Contains(out, `several accounts have a conversation "call-1": name one with --account`) {
		t.Errorf("%d %s", code, out)
	}
	if code, out := cli(t, base, "why", "--account", "umbra", "call-1"); code != 0 || !strings.Contains(out, "  umbra · ") {
		t.Errorf("%d %s", code, out)
	}
	h.drained()
}

// silentConfig decides without a model and sends nothing.
const silentConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
automations:
  - id: every-call
    when: always
    actions: [ { team_alert: { to: all, text: "A call came in." } } ]
`

// TestVerbsNameWhatIsMissing: a command without its settings says which, and what to do.
func TestVerbsNameWhatIsMissing(t *testing.T) {
	t.Parallel()
	if code, out := cli(t, nil, "audit"); code != 1 || !strings.Contains(out, "DATABASE_URL is not set") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := cli(t, map[string]string{"DATABASE_URL": "postgres://localhost:1/x", "AFTERCALL_LISTEN": "nonsense"}, "serve"); code != 1 || !strings.Contains(out, "AFTERCALL_LISTEN") {
		t.Errorf("%d %s", code, out)
	}
}

// TestDemoOnce runs the demo as a newcomer does: its own Postgres, the simulated model, every sample call to its end. Nothing leaves the
// machine, whatever the environment says.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	c := collector.New()
	t.Cleanup(c.Close)
	code, out := cli(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_EXPORTER": "otlp"}, "demo", "--once")
	if code != 0 {
		t.Fatalf("the demo ends with %d:\n%s", code, out)
	}
	for _, want := range []string{"SIMULATED", "balanced: ", "fires", "task", "held (variable_missing_for_customer)",
		"review  callback-requested: unsure", "→ mailbox-full@demo.example: failed", "→ no-answer@demo.example: unknown", "Second revision, "} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	if spans := c.Spans(); len(spans) != 0 {
		t.Errorf("the demo told somebody of %d spans", len(spans))
	}
}
