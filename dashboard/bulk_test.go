package dashboard_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aftercall/internal/store"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// carried are the fields that the form of a page takes along.
func carried(page string) (fields []string) {
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		fields = append(fields, m[1], m[2])
	}
	return fields
}

// TestABulkJobIsCountedThenAskedForThenAborted: what is confirmed is what was counted.
func TestABulkJobIsCountedThenAskedForThenAborted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shows("operator", "/bulk/ask", "Nothing is done before you say so", "Count them")
	page := w.shows("operator", "/bulk/ask?action=replay_same&sandbox=1&after=1h", "Decide again by the config of then, in the sandbox: 1 in Clinic",
		"at the time of asking", "Nothing leaves this machine")
	answer, body := w.by("operator", "/bulk", carried(page)...)
	path := answer.Header.Get("Location")
	if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(path, "/bulk/") {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	w.shows("operator", path, "running", "None is done yet", "by operator@acme.example", "Abort it", "0 of 1")
	if strings.Contains(w.shows("viewer", path, "running"), "Abort it") {
		t.Error("a viewer is offered to abort it")
	}
	for range 2 { // twice is once
		if answer, body := w.by("operator", path+"/abort"); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != path {
			t.Errorf("%d %s", answer.StatusCode, body)
		}
	}
	w.shows("viewer", path, "aborted by operator@acme.example")
	w.shows("viewer", "/bulk", `href="`+path+`"`, "1 when it was asked for")
	if got := w.done(2); !slices.Equal(got, []store.Deed{store.ActBulkEnded, store.ActBulk}) {
		t.Errorf("the log: %v", got)
	}
	w.shows("admin", "/settings/log?what=bulk_asked", `<a href="`+path+`">`)
}

func TestABulkJobIsShownItemByItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, err := w.store.Bulk(t.Context(), w.bulk)
	w.must(err)
	w.must(w.store.SkipBulkItem(t.Context(), b, store.BulkItem{ID: w.conversation, ConversationID: w.conversation, Result: store.BulkRefused, Detail: "It has moved on."}))
	w.shows("viewer", "/bulk/"+w.bulk, "It has moved on.", `href="/conversations/`+w.conversation+`"`, "0 done, 1 refused, 0 failed", "1 of 1")
	w.shows("viewer", "/bulk/"+w.bulk+"?after="+w.conversation, "No further item yet", "First")
	for _, path := range []string{"/bulk/" + w.theirs.bulk, "/bulk/x", "/bulk/" + w.bulk + "?after=x", "/bulk?before=x"} {
		if got := w.ask("GET", path, "viewer"); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.status)
		}
	}
}

func TestWhatCannotBeAskedForInBulk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, says := range map[string]string{
		"action=resend":                            "Say which state they are in",
		"action=resend&state=failed&after=soon":    "takes a day",
		"action=cancel&after=1h&until=7d":          "after: must be earlier than until:.",
		"action=cancel&reason=because":             "There is no such reason.",
		"action=cancel&sandbox=1":                  "Only a replay has a sandbox.",
		"action=forget":                            "There is no bulk action",
		"action=release&class=nothing-of-the-kind": "Nothing fits, so there is nothing to do.",
	} {
		body := w.shows("operator", "/bulk/ask?"+query, says)
		if strings.Contains(body, `action="/bulk" method="post"`) {
			t.Errorf("%s: it can be asked for", query)
		}
	}
	if body := w.shows("watcher", "/bulk"); strings.Contains(body, "Ask for one") {
		t.Error("somebody who may do nothing is asked to")
	}
	if got := w.ask("GET", "/bulk/ask?account=umbra&action=cancel", "operator"); got.status != http.StatusNotFound {
		t.Errorf("another account: %d", got.status)
	}
	for name, c := range map[string]struct {
		fields []string
		want   int
	}{
		"nothing":         {nil, http.StatusBadRequest},
		"no times":        {[]string{"account", "acme", "action", "cancel"}, http.StatusBadRequest},
		"another account": {[]string{"account", "umbra", "action", "cancel", "since", "2026-11-20T00:00:00Z", "until", "2036-11-20T00:00:00Z"}, http.StatusNotFound},
		"nothing fits":    {[]string{"account", "acme", "action", "cancel", "state", "unknown", "since", "2026-11-20T00:00:00Z", "until", "2036-11-20T00:00:00Z"}, http.StatusConflict},
	} {
		if answer, body := w.by("operator", "/bulk", c.fields...); answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %s", name, answer.StatusCode, c.want, body)
		}
	}
}

func TestAListOfDeliveriesLeadsToABulkJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const door = `href="/bulk/ask?action=resend&amp;after=7d&amp;state=failed"`
	w.shows("operator", "/deliveries?state=failed&after=7d", door)
	if body := w.shows("viewer", "/deliveries?state=failed&after=7d"); strings.Contains(body, "/bulk/ask") {
		t.Error("a viewer is led to it")
	}
}
