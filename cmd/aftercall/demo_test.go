package main

import (
	"bufio"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
)

// TestDemoOffersLinesThatWork runs the demo until it serves, and then what it offers to paste, word for word.
func TestDemoOffersLinesThatWork(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	screen, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, &console{out: out, err: io.Discard, getenv: env(nil)}, []string{"demo"})
		_ = out.Close() // of a pipe: never fails
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		_, _ = io.Copy(io.Discard, screen) // until the demo has said everything
		if code := <-ended; code != 0 {
			t.Errorf("the demo ends with %d", code)
		}
	})
	environment, pasted := map[string]string{}, map[string]string{} // what each verb that was offered said
	lines := bufio.NewScanner(screen)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
		args := words(lines.Text())
		if strings.HasPrefix(lines.Text(), "  export ") {
			args = args[1:]
		}
		for len(args) > 0 && assignment.MatchString(args[0]) {
			name, value, _ := strings.Cut(args[0], "=")
			environment[name], args = value, args[1:]
		}
		if len(args) < 2 || args[0] != "aftercall" {
			continue
		}
		code, said := cli(t, environment, args[1:]...)
		if code != 0 {
			t.Errorf("%s\nends with %d: %s", lines.Text(), code, said)
		}
		pasted[args[1]] = said
	}
	if said := pasted["send"]; !strings.Contains(said, "conversation_id") || strings.Contains(said, "duplicate") {
		t.Errorf("what is sent is no new call: %s", said)
	}
	if said := pasted["why"]; !strings.HasPrefix(said, "conversation "+anotherCall) {
		t.Errorf("why says: %s", said)
	}
}

var (
	assignment = regexp.MustCompile(`^[A-Z_]+=`)
	word       = regexp.MustCompile(`(?:'[^']*'|[^\s'])+`)
)

// words splits a line as a shell does, as far as the demo needs one.
func words(line string) []string {
	all := word.FindAllString(line, -1)
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], "'", "")
	}
	return all
}
