package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"aftercall/internal/postgres/pgtest"
)

// TestPeople follows the first admin: added on the command line, signed in, given another role, shut out.
func TestPeople(t *testing.T) {
	t.Parallel()
	database := map[string]string{"DATABASE_URL": pgtest.New(t)}
	people := func(want int, args ...string) string {
		t.Helper()
		code, out := cli(t, database, append([]string{"people"}, args...)...)
		if code != want {
			t.Fatalf("people %v: %d %s", args, code, out)
		}
		return out
	}
	if out := people(0, "list"); !strings.Contains(out, "nobody may sign in yet") {
		t.Errorf("an empty list: %s", out)
	}
	password, _, _ := strings.Cut(people(0, "add", "ann@acme.example", "--role", "admin", "--name", "Ann"), "\n")
	people(0, "add", "bob@acme.example", "--oidc", "--role", "viewer", "--account", "acme")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"add", "ann@acme.example", "--role", "viewer"}, 1, "somebody has this address already"},
		{[]string{"add", "cat@acme.example"}, 2, "--role: want one of"},
		{[]string{"add", "cat@acme.example", "--role", "owner"}, 2, "--role: want one of"},
		{[]string{"add", "Cat <cat@acme.example>", "--role", "viewer"}, 2, "is not an e-mail address"},
		{[]string{"add", "cat@acme.example", "--role", "viewer", "--subject", "x"}, 2, "--subject goes with --oidc"},
		{[]string{"add", "cat@acme.example", "--role", "viewer", "--oidc", "--subject", "x"}, 1, "AFTERCALL_OIDC_ISSUER says at whom"},
		{[]string{"role", "cat@acme.example", "viewer"}, 1, "nobody has the address"},
		{[]string{"role", "ann@acme.example", "owner"}, 2, "or none"},
		{[]string{"role", "ann@acme.example"}, 2, "people role EMAIL"},
		{[]string{"drop", "ann@acme.example"}, 2, `not "drop"`},
		{nil, 2, "people add, list"},
	} {
		if out := people(c.code, c.args...); !strings.Contains(out, c.want) {
			t.Errorf("people %v says %q, want %q", c.args, out, c.want)
		}
	}
	pages := servePages(t, database["DATABASE_URL"])
	if !signsIn(t, pages, "ann@acme.example", password) {
		t.Error("the password that was printed lets nobody in")
	}
	people(0, "role", "ann@acme.example", "none")
	people(0, "role", "ann@acme.example", "operator", "--account", "acme")
	people(0, "disable", "bob@acme.example")
	out := people(0, "list")
	for _, want := range []string{"ann@acme.example  Ann  password", "operator in acme", "bob@acme.example       disabled", "viewer in acme"} {
		if !strings.Contains(out, want) {
			t.Errorf("the list lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "every account") || strings.Contains(out, password) {
		t.Errorf("the list has what it must not:\n%s", out)
	}
	people(0, "enable", "bob@acme.example")
	if out := people(0, "list"); strings.Contains(out, "disabled") {
		t.Errorf("still disabled:\n%s", out)
	}
	next, _, _ := strings.Cut(people(0, "password", "ann@acme.example"), "\n")
	if signsIn(t, pages, "ann@acme.example", password) || !signsIn(t, pages, "ann@acme.example", next) {
		t.Error("the new password is not the one that counts")
	}
}

// servePages runs the pages as serve does, and gives their address.
func servePages(t *testing.T, database string) string {
	t.Helper()
	a, err := assemble(context.Background(), assembly{
		settings: settings{DatabaseURL: secret(database), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}, role: role{web: true}, getenv: env(nil),
		log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.stop(); err != nil {
			t.Error(err)
		}
	})
	return a.address("pages")
}

func signsIn(t *testing.T, pages, email, password string) bool {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm(pages+"/sign-in", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusSeeOther && answer.StatusCode != http.StatusUnauthorized {
		t.Fatalf("sign-in answers %d", answer.StatusCode)
	}
	return answer.StatusCode == http.StatusSeeOther
}

// TestPagesLeaveTheMachineForPeopleOnly: what nobody may sign in to is not served where others reach it.
func TestPagesLeaveTheMachineForPeopleOnly(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	start := func(open bool) error {
		a, err := assemble(context.Background(), assembly{
			settings: settings{DatabaseURL: secret(database), Listen: "127.0.0.1:0", AdminListen: "0.0.0.0:0", AdminURL: "https://calls.acme.example"},
			role:     role{web: true}, getenv: env(nil), log: slog.New(slog.DiscardHandler), open: open,
		})
		if err == nil {
			a.release()
		}
		return err
	}
	if err := start(false); err == nil || !strings.Contains(err.Error(), "nobody may sign in yet") {
		t.Errorf("without people: %v", err)
	}
	if code, out := cli(t, map[string]string{"DATABASE_URL": database}, "people", "add", "ann@acme.example", "--role", "viewer"); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	if err := start(false); err != nil {
		t.Errorf("with people: %v", err)
	}
	if err := start(true); err == nil || !strings.Contains(err.Error(), "not loopback") {
		t.Errorf("a demo beyond this machine: %v", err)
	}
}
