package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aftercall/internal/chromium"
)

// TestDemoInABrowser starts the demo cold, opens every page it has, and then walks the journeys of somebody on duty.
func TestDemoInABrowser(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := chromium.Start(t)
	t.Run("captured", func(t *testing.T) { capturesEachKind(t, d) })
	t.Run("pages", func(t *testing.T) { everyPage(t, b, d) })
	t.Run("journeys", func(t *testing.T) { journeys(t, b, d) })
}

// startDemo is `aftercall demo` up to where it invites: the same wiring, with its own Postgres.
func startDemo(t *testing.T) *demonstration {
	t.Helper()
	var said bytes.Buffer
	d := &demonstration{premises: newPremises(&console{out: &said, err: io.Discard, getenv: env(nil)}, slog.New(slog.DiscardHandler))}
	t.Cleanup(d.close)
	ctx := context.Background()
	if err := d.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.app.start(ctx); err != nil {
		t.Fatal(err)
	}
	if balanced, err := d.show(ctx); err != nil || !balanced {
		t.Fatalf("the demo does not come up: %v\n%s", err, said.String())
	}
	return d
}

// door is an address of the pages, and one concrete path behind it.
type door struct {
	pattern, path string
	letter        bool // a message in a sandbox of its own, in which no script runs, not even the tests'
}

// doorsOf finds a path for every address that shows a page, by following the pages' own links, as a person comes to them. An address
// that no link leads to is told to the test.
func doorsOf(t *testing.T, d *demonstration) (doors []door) {
	t.Helper()
	table := http.NewServeMux() // knows which address a path belongs to
	var open []string
	for _, a := range d.app.pages.Addresses() {
		if a.Method == "POST" || strings.HasPrefix(a.Path, "/admin/river/") || a.Path == "/" { // River's pages are River's
			continue
		}
		table.HandleFunc(a.Path, func(http.ResponseWriter, *http.Request) {})
		open = append(open, a.Path)
	}
	seen, found := map[string]bool{}, map[string]bool{}
	queue := []string{"/", "/workbench/rules/AC305", "/sign-in", "/none"}
	for _, p := range open {
		if !strings.Contains(p, "{") {
			queue = append(queue, p)
		}
	}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		_, pattern := table.Handler(&http.Request{Method: "GET", URL: &url.URL{Path: strings.SplitN(path, "?", 2)[0]}, Host: "x"})
		if seen[path] || found[pattern] && pattern != "/conversations/{id}" || pattern == "" && path != "/none" {
			continue
		}
		seen[path] = true
		page, x := visited(t, d, path)
		if x.pattern = pattern; !found[pattern] && x.path != "" {
			doors = append(doors, x)
		}
		found[pattern] = true
		queue = append(queue, leadsTo(page)...)
	}
	for _, p := range open {
		if !found[p] && !slices.Contains(unlinked(), p) {
			t.Errorf("no link of the demo leads to %s", p)
		}
	}
	return doors
}

// unlinked are the addresses to which nothing leads in a demo that nobody has touched: the rest of a long text, a message of a draft that is
// tried, what a breaker held, and an event that nobody waits for.
func unlinked() []string {
	return []string{"/conversations/{id}/deliveries/{delivery}/text", "/workbench/messages/{id}", "/review/{id}/{run}/{automation}/release",
		"/events/{id}", "/events/{id}/body"}
}

// visited gets a path; x has none if it is no page. What is not HTML is not read: a stream would not end.
func visited(t *testing.T, d *demonstration, path string) (page *html.Node, x door) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", d.app.address("pages")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		return nil, x
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if page, err = html.Parse(bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	whole := bytes.HasPrefix(bytes.ToLower(body), []byte("<!doctype html>")) // else it is a part of a page, for a script
	if whole && (answer.StatusCode < 300 || path == "/none") {
		x = door{path: path, letter: strings.Contains(answer.Header.Get("Content-Security-Policy"), "sandbox")}
	}
	return page, x
}

// leadsTo are the addresses of these pages to which a page leads.
func leadsTo(page *html.Node) (paths []string) {
	if page == nil {
		return nil
	}
	for n := range page.Descendants() {
		for _, a := range n.Attr {
			if !slices.Contains([]string{"href", "src", "action", "data-href"}, a.Key) || !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
				continue
			}
			path, _, _ := strings.Cut(a.Val, "#")
			paths = append(paths, path)
		}
	}
	return paths
}
