package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"aftercall/internal/store"
)

// TestAnEventThatNobodyWaitsForHasAPage, which the settings, a search and the page of its call lead to; who may not see numbers does
// not, unless they say that they look.
func TestAnEventThatNobodyWaitsForHasAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/events/" + w.alone
	says := func(who, path string, words ...string) string {
		t.Helper()
		got := w.ask("GET", path, who)
		for _, word := range words {
			if got.status != http.StatusOK || !strings.Contains(got.body, word) {
				t.Errorf("%s, for %s (%d), does not say %q", path, who, got.status, word)
			}
		}
		return got.body
	}
	says("admin", "/settings", `href="`+path+`"`)
	for _, search := range []string{"missed:call-1", w.alone} {
		says("viewer", "/conversations?q="+search, `href="`+path+`"`, "No conversation, but what nobody waits for")
	}
	says("viewer", "/conversations/"+w.conversation, `href="`+path+`"`, "which nobody waits for")
	says("admin", path, "Event call.missed", "447700900123", "no automation of the config that is active waits for call.missed, nor for any other event", "missed:call-1",
		`href="/conversations/`+w.conversation+`"`, path+"/body")
	masked := says("viewer", path, "Event call.missed", path+"/reveal", "are masked")
	if strings.Contains(masked+w.ask("GET", path+"/body", "viewer").body, "7700900123") {
		t.Errorf("a viewer sees the number: %s", masked)
	}
	if shown := w.ask("POST", path+"/reveal", "viewer", "Sec-Fetch-Site", "same-origin"); shown.status != http.StatusOK || !strings.Contains(shown.body, "447700900123") {
		t.Errorf("reveal: %d %s", shown.status, shown.body)
	}
	acts, _, err := w.store.Acts(t.Context(), "acme", "", 10)
	w.must(err)
	if acts[0].What != store.ActRevealed || acts[0].Target != w.alone {
		t.Errorf("the log says %+v", acts[0])
	}
	says("admin", "/settings/log", `href="`+path+`"`)
	if got := w.ask("GET", "/events/"+w.event, "viewer"); got.status != http.StatusFound || got.header.Get("Location") != "/conversations/"+w.conversation+"#events" {
		t.Errorf("an event of a call: %d %s", got.status, got.header.Get("Location"))
	}
	if got := w.ask("GET", "/events/"+w.theirs.alone, "admin"); got.status != http.StatusNotFound {
		t.Errorf("another account's: %d", got.status)
	}
}
