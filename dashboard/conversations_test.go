package dashboard_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"aftercall/internal/store"
)

// search asks for the list with this in its box.
func (h *house) search(typed string) string {
	h.t.Helper()
	answer, body := h.get("GET", "/conversations?q="+url.QueryEscape(typed))
	if answer.StatusCode != http.StatusOK {
		h.t.Errorf("%q: got %d", typed, answer.StatusCode)
	}
	return body
}

func TestASearchFindsTheCall(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	row := `href="/conversations/` + h.conversation + `"`
	for _, typed := range []string{
		"+44 7700 900123", "07700 900123", "0044-7700-900-123", "DANA@whitfield.example", "call-1", h.conversation, h.delivery, "callback-requested",
		"outcome:fired", "outcome:held", "outcome:failed after:today", "automation:callback-requested outcome:held", "automation:complaint outcome:none",
		"agent:robin channel:phone", "07700900123 outcome:failed", "after:any", "call-1 before:2099-01-01",
	} {
		if !strings.Contains(h.search(typed), row) {
			t.Errorf("%q does not find the call", typed)
		}
	}
	for typed, says := range map[string]string{
		"outcome:none": "Nothing found in the last 24 hours", "07700900124": "Nothing found at any time", "after:any before:2020-01-01": "Nothing found before 2020-01-01",
		"outcome:unsure after:7d": "Nothing found since 7 days ago", "state:waiting": "Nothing found",
		"outcome:faild": "Did you mean outcome:failed?", "outcom:failed": "Did you mean outcome:?", "after:tuesday": "This search cannot be answered",
	} {
		if body := h.search(typed); strings.Contains(body, row) || !strings.Contains(body, says) {
			t.Errorf("%q finds the call, or does not say %q", typed, says)
		}
	}
	if body := h.search("outcome:held"); !strings.Contains(body, "q=outcome%3Aheld&#43;after%3A7d") {
		t.Error("there is no link to look further back")
	}
}

// TestAnOpenListHearsOfNewRows: how many there are above the first, and not which.
func TestAnOpenListHearsOfNewRows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	news := func(path string) (n struct {
		New  int
		More bool
	}) {
		answer, body := h.get("GET", path)
		if err := json.Unmarshal([]byte(body), &n); err != nil || answer.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %s, %v", path, body, err)
		}
		return n
	}
	_, rest, _ := strings.Cut(h.search("agent:robin"), `data-news="`)
	path, _, _ := strings.Cut(rest, `"`)
	path = strings.ReplaceAll(path, "&amp;", "&")
	if got := news(path); got.New != 0 {
		t.Errorf("nothing came, and it says %+v", got)
	}
	revisions, err := h.store.ActiveRevisions(t.Context())
	h.must(err)
	for range 3 {
		h.accept("acme", revisions[0].RevisionID, uuid.NewString())
	}
	if got := news(path); got.New != 3 || got.More {
		t.Errorf("three came, and it says %+v", got)
	}
	if got := news(strings.Replace(path, "robin", "nobody", 1)); got.New != 0 {
		t.Errorf("none of them is like this, and it says %+v", got)
	}
	for range 60 {
		h.accept("acme", revisions[0].RevisionID, uuid.NewString())
	}
	if got := news(path); got.New != 50 || !got.More {
		t.Errorf("63 came, and it says %+v", got)
	}
	if answer, _ := h.get("GET", "/news/conversations?above=x"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a row that was never ours: %d", answer.StatusCode)
	}
}

// TestAPersonKeepsASearch through plain forms, for themselves alone.
func TestAPersonKeepsASearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := []string{"name", "Held here", "q", "outcome:held after:7d", "account", "acme"}
	got := w.send("POST", "/conversations/views", "viewer", form)
	if want := "/conversations?account=acme&q=outcome%3Aheld+after%3A7d"; got.status != http.StatusSeeOther || got.header.Get("Location") != want {
		t.Fatalf("%d, leads to %q, want %q", got.status, got.header.Get("Location"), want)
	}
	body := w.ask("GET", "/conversations?account=acme", "viewer").body
	_, rest, ok := strings.Cut(body, `name="id" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	if !ok || !strings.Contains(body, "Held here") {
		t.Fatal("the search was not kept")
	}
	for _, elsewhere := range []string{"/conversations", "/conversations?account=umbra"} {
		if strings.Contains(w.ask("GET", elsewhere, "viewer").body, "Held here") {
			t.Errorf("it is on %s, too", elsewhere)
		}
	}
	if strings.Contains(w.ask("GET", "/conversations?account=acme", "operator").body, "Held here") {
		t.Error("somebody else sees it")
	}
	for name, test := range map[string]struct {
		who    string
		form   []string
		path   string
		status int
	}{
		"for a foreign account":  {"viewer", []string{"name", "x", "q", "y", "account", "umbra"}, "/conversations/views", 404},
		"without a name":         {"viewer", []string{"name", " ", "q", "y"}, "/conversations/views", 400},
		"without a search":       {"viewer", []string{"name", "x", "q", ""}, "/conversations/views", 400},
		"forgotten by another":   {"operator", []string{"id", id}, "/conversations/views/drop", 404},
		"forgotten, never there": {"viewer", []string{"id", "x"}, "/conversations/views/drop", 404},
		"by nobody":              {"nobody", form, "/conversations/views", 403},
	} {
		if got := w.send("POST", test.path, test.who, test.form); got.status != test.status {
			t.Errorf("%s: %d, want %d", name, got.status, test.status)
		}
	}
	if got := w.send("POST", "/conversations/views/drop", "viewer", []string{"id", id}); got.header.Get("Location") != "/conversations?account=acme" {
		t.Errorf("forgotten: %d %q", got.status, got.header.Get("Location"))
	}
	if strings.Contains(w.ask("GET", "/conversations?account=acme", "viewer").body, "Held here") {
		t.Error("it was not forgotten")
	}
	acts, _, err := w.store.Acts(t.Context(), "", "", 20)
	w.must(err)
	told := 0
	for _, a := range acts {
		if a.What == store.ActViewSaved || a.What == store.ActViewDropped {
			told++
		}
	}
	if told != 2 {
		t.Errorf("the log tells of it %d times, want 2", told)
	}
}
