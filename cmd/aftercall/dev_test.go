package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aftercall/examples"
)

// TestDevFollowsTheFolder works on a folder as an author does: it starts, shows the workbench, says what is wrong with a
// save, goes on with the next one, and tells the browser.
func TestDevFollowsTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, examples.Files()); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "acme")
	read := runDev(t, folder)
	read("SIMULATED model")
	read("acme is active")
	workbench := strings.TrimSpace(strings.TrimPrefix(read("Workbench http://127.0.0.1:"), "Workbench"))
	read("aftercall send --url http://127.0.0.1:", "--source acme-calls")
	read("Stop with Ctrl-C")

	if page := fetch(t, workbench); !strings.Contains(page, `value="active:acme" selected`) || !strings.Contains(page, `data-live="/live"`) {
		t.Errorf("the workbench does not show the folder: %.400s", page)
	}
	events := listen(t, strings.TrimSuffix(workbench, "/workbench")+"/live")
	before := <-events

	file := filepath.Join(folder, "account.yaml")
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	save := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	save(string(right) + "nmae: Twice\n")
	read("account.yaml:", "error[AC101]", "nmae")
	read("help: did you mean name?")
	save(string(right))
	read("acme is as it was")
	save(strings.Replace(string(right), "name: Acme Clinic", "name: Acme House", 1))
	read("acme is active")
	if after := <-events; after == before {
		t.Errorf("the browser hears %q, as before", after)
	}
	if page := fetch(t, workbench); !strings.Contains(page, "name: Acme House") {
		t.Error("the page that is loaded again is an old one")
	}
}

// runDev runs dev on a folder until the test ends. What it returns reads what dev says, up to a line that has all of some
// words.
func runDev(t *testing.T, folder string) (read func(words ...string) string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	screen, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, &console{out: out, err: io.Discard, getenv: env(nil)}, []string{"dev", "--config", folder})
		_ = out.Close() // of a pipe: never fails
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		_, _ = io.Copy(io.Discard, screen) // until it has said everything
		if code := <-ended; code != 0 {
			t.Errorf("dev ends with %d", code)
		}
	})
	lines := bufio.NewScanner(screen)
	return func(words ...string) string {
		t.Helper()
		var said []string
		for lines.Scan() {
			said = append(said, lines.Text())
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(lines.Text(), w) }) {
				return lines.Text()
			}
		}
		t.Fatalf("it never said %q; it said:\n%s", words, strings.Join(said, "\n"))
		return ""
	}
}

// TestDevPrintsNoSecretThatIsLent: what the environment has for a source is somebody's own; what is made up is for this run.
func TestDevPrintsNoSecretThatIsLent(t *testing.T) {
	t.Parallel()
	d := &development{premises: newPremises(&console{}, nil)}
	d.lent = env(map[string]string{"LENT": "whsec_of_a_platform"})
	if got := d.secret("LENT"); got != "whsec_of_a_platform" {
		t.Errorf("the secret is %q, not the one that is lent", got)
	}
	if got := d.shown("LENT"); got != `"$LENT"` {
		t.Errorf("it is shown as %s", got)
	}
	made := d.secret("OTHER")
	if made == "" || d.secret("OTHER") != made || d.shown("OTHER") != "'"+made+"'" {
		t.Errorf("a secret that is made up is %q, then %q, and shown as %s", made, d.secret("OTHER"), d.shown("OTHER"))
	}
}

// fetch gets a page; one that says that the database is slow just now is asked for again, as a reader would.
func fetch(t *testing.T, url string) string {
	t.Helper()
	for try := 1; ; try++ {
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close() // of an answer that was read
		if err == nil && answer.StatusCode == http.StatusServiceUnavailable && try < 5 {
			continue
		}
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("got %d, %v", answer.StatusCode, err)
		}
		return string(body)
	}
}

// listen hears the data of server-sent events; the line has been opened when it returns.
func listen(t *testing.T, url string) <-chan string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() }) // it never ends by itself
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "retry:") {
		t.Fatalf("the events begin with %q", lines.Text())
	}
	heard := make(chan string, 16)
	go func() {
		defer close(heard)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data:") {
				heard <- lines.Text()
			}
		}
	}()
	return heard
}

func TestDevNeedsAFolder(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"dev", "--config", filepath.Join(t.TempDir(), "none")}, {"dev", "--config", t.TempDir(), "more"}} {
		if code, said := cli(t, nil, args...); code == 0 {
			t.Errorf("%v ends with 0: %s", args, said)
		}
	}
}
