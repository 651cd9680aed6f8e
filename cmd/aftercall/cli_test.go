package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cli runs a command line in this process, as main does.
func cli(t *testing.T, environment map[string]string, args ...string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	code = run(context.Background(), &console{out: &out, err: &out, getenv: env(environment)}, args)
	return code, out.String()
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
	if code != 0 || !strings.HasPrefix(key, keyPrefix) {
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
		{"why a call that is not there", []string{"why", "call-8"}, 1, "not found"},
		{"audit", []string{"audit"}, 0, "balanced: 1 events, 1 conversations (0 undecided), 2 decisions (2 fired), 2 deliveries = 2 sent"},
		{"migrate status", []string{"migrate", "status"}, 0, "applied"},
		{"version", []string{"version"}, 0, "aftercall dev"},
		{"explain", []string{"explain", "wrong_speaker"}, 0, "said by somebody"},
		{"explain nothing known", []string{"explain", "nope"}, 1, "there are: disabled"},
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

// TestDemoOnce runs the demo as a newcomer does: its own Postgres, the simulated model, every sample call to its end.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	code, out := cli(t, nil, "demo", "--once")
	if code != 0 {
		t.Fatalf("the demo ends with %d:\n%s", code, out)
	}
	for _, want := range []string{"SIMULATED", "balanced: ", "fires", "task"} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
}
