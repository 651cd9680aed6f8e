package dashboard_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// does posts a form as a browser would without a script.
func (w *world) does(path, who string, form ...string) said {
	w.t.Helper()
	return w.send("POST", path, who, form)
}

// task is a task as a page shows it now.
func (h *house) taskNow() store.TaskRow {
	h.t.Helper()
	t, err := h.store.Task(h.t.Context(), h.task)
	h.must(err)
	return t
}

func TestATaskIsWorkedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/tasks/" + w.task
	for list, wants := range map[string][]string{
		"/tasks":                                 {path, "Call Dana back", "overdue by", "high", "group:support"[6:], "Dana Whitfield", "/conversations/" + w.conversation, `name="to" value="done"`},
		"/tasks?state=open&priority=high":        {path},
		"/tasks?assignee=group:support":          {path},
		"/tasks?assignee=me":                     {"Nothing fits"},
		"/tasks?assignee=nobody":                 {"Nothing fits"},
		"/tasks?priority=low":                    {"Nothing fits", "Show all"},
		"/tasks?due=overdue":                     {path},
		"/tasks?state=done":                      {"Nothing stands here"},
		"/tasks?view=board":                      {path, "In progress", "Dismissed"},
		"/tasks?account=umbra":                   {"Nothing is to be done here"},
		path:                                     {"Call Dana back", "Nobody has touched it yet", "overdue by"},
		"/tasks?view=board&state=\"><b>&due=%00": {path},
	} {
		got := w.ask("GET", list, "operator")
		for _, want := range wants {
			if got.status != http.StatusOK || !strings.Contains(got.body, want) {
				t.Errorf("%s: %d, does not say %q", list, got.status, want)
			}
		}
	}
	if got := w.ask("GET", "/tasks?after=never-ours", "operator"); got.status != http.StatusNotFound {
		t.Errorf("a cursor that was never ours: %d", got.status)
	}
	got := w.does(path, "operator", "version", "1", "to", "in_progress", "back", "/tasks?view=board")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/tasks?view=board" {
		t.Fatalf("%d %s", got.status, got.header.Get("Location"))
	}
	got = w.does(path, "admin", "version", "1", "to", "done", "back", "https://evil.example/")
	if got.status != http.StatusConflict || !strings.Contains(got.body, "operator@acme.example changed this task") || !strings.Contains(got.body, "in progress now") {
		t.Errorf("whoever is late: %d %s", got.status, got.body)
	}
	got = w.does(path, "admin", "version", "2", "assignee", "email:admin@acme.example", "priority", "urgent", "back", "https://evil.example/")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != path {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	if got := w.ask("GET", "/tasks?assignee=me", "admin"); !strings.Contains(got.body, path) || strings.Contains(got.body, "Take it") {
		t.Error("whoever took it does not find it")
	}
	w.does(path, "operator", "version", "3", "to", "done")
	if now := w.taskNow(); now.State != "done" || now.Version != 4 || now.ChangedBy != "operator@acme.example" || now.Assignee != "email:admin@acme.example" || now.Priority != "urgent" {
		t.Errorf("%+v", now)
	}
	page := w.ask("GET", path, "operator").body
	for _, want := range []string{"operator@acme.example moved it to done", "admin@acme.example gave it to an address, made it urgent", "Open again"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if acts, _, err := w.store.Acts(t.Context(), "acme", "", 1); err != nil || len(acts) != 1 || acts[0].What != store.ActTaskChanged || acts[0].By.PersonID != w.people["operator"] {
		t.Errorf("the log: %+v, %v", acts, err)
	}
}

func TestATaskRefusesWhatItCannotBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/tasks/" + w.task
	for name, form := range map[string][]string{
		"no version":        {"to", "done"},
		"nowhere to go":     {"version", "1", "to", "open"},
		"no state":          {"version", "1", "to", "gone"},
		"no priority":       {"version", "1", "priority", "dire"},
		"nobody there":      {"version", "1", "assignee", "person:ghost"},
		"a foreign address": {"version", "1", "assignee", "email:ghost@evil.example"},
	} {
		if got := w.does(path, "operator", form...); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := w.does(path, "operator", "version", "1", "to", "done", "back", strings.Repeat("x", 70_000)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form without end: %d", got.status)
	}
	if got := w.does(path, "viewer", "version", "1", "to", "done"); got.status != http.StatusForbidden {
		t.Errorf("a viewer: %d", got.status)
	}
	if got := w.does("/tasks/"+w.theirs.task, "operator", "version", "1", "to", "done"); got.status != http.StatusNotFound {
		t.Errorf("another account's: %d", got.status)
	}
	if now := w.taskNow(); now.Version != 1 {
		t.Errorf("%+v", now)
	}
	if page := w.ask("GET", "/tasks", "viewer").body; strings.Contains(page, `name="to"`) || !strings.Contains(page, path) {
		t.Error("a viewer has buttons that do nothing for them")
	}
}

func TestAlertsAreReadByEachForThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unread := regexp.MustCompile(`id="unread"> <b class="count">1</b>`)
	for _, path := range []string{"/alerts", "/alerts?show=unread", "/alerts?account=acme", "/conversations", "/tasks", "/workbench"} {
		if got := w.ask("GET", path, "author"); got.status != http.StatusOK || !unread.MatchString(got.body) {
			t.Errorf("%s: %d, no count of unread alerts", path, got.status)
		}
	}
	page := w.ask("GET", "/alerts", "author").body
	for _, want := range []string{"Dana waits for a call back", "unread", "to everybody", "/conversations/" + w.conversation, "/alerts/" + w.alert + "/read", `name="up_to" value="` + w.alert} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if got := w.does("/alerts/"+w.alert+"/read", "author", "back", "/alerts?show=unread"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/alerts?show=unread" {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	if got := w.ask("GET", "/alerts?show=unread", "author"); unread.MatchString(got.body) || !strings.Contains(got.body, "All read") {
		t.Error("what was read is unread")
	}
	if got := w.ask("GET", "/alerts", "viewer"); !unread.MatchString(got.body) {
		t.Error("what one has read is read for another")
	}
	if got := w.does("/alerts/read", "viewer", "up_to", w.alert); got.status != http.StatusSeeOther || unread.MatchString(w.ask("GET", "/alerts", "viewer").body) {
		t.Errorf("all are read, and not: %d", got.status)
	}
	if got := w.does("/alerts/"+w.theirs.alert+"/read", "viewer"); got.status != http.StatusNotFound {
		t.Errorf("another account's: %d", got.status)
	}
}

func TestOpenPagesAskForTheLatestAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.alert
	before := w.ask("GET", "/alerts/latest?since="+first, "viewer")
	if before.status != http.StatusOK || strings.Contains(before.body, "data-alert") || !strings.Contains(before.body, `data-newest="`+first) || strings.Contains(before.body, "<html") {
		t.Errorf("%d %s", before.status, before.body)
	}
	w.must(w.store.PostAlert(t.Context(), deliver.Message{AccountID: "acme", DeliveryID: w.delivery, Text: "Call +447700900123 now"}))
	after := w.ask("GET", "/alerts/latest?since="+first, "viewer")
	if !strings.Contains(after.body, `<b class="count">2</b>`) || strings.Count(after.body, "data-alert") != 1 || !strings.Contains(after.body, "Call &#43;44 ••• 23 now") {
		t.Errorf("%d %s", after.status, after.body)
	}
	if got := w.ask("GET", "/alerts/latest?since=x", "viewer"); got.status != http.StatusNotFound {
		t.Errorf("a cursor that was never ours: %d", got.status)
	}
}
