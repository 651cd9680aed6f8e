package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/tasks"
)

// teamConfig has the viewer as maria, in other letters, and the operator as tom.
const teamConfig = `account: acme
name: Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
people:
  maria: { name: Maria Lopez, email: Viewer@acme.example }
  tom: { name: Tom Berg, email: operator@acme.example }
automations:
  - id: complaint
    when: { ask: "Did the customer complain?" }
    actions:
      - team_alert: { to: [maria, tom], text: "A complaint" }
`

// newTeam is a world where maria has an alert of her own beside the one to everybody.
func newTeam(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.activate("acme", teamConfig)
	w.must(w.revisions.Refresh(t.Context()))
	w.alertTo(w.delivery, "maria", "Maria alone")
	return w
}

// alertTo posts an alert to one teammate.
func (h *house) alertTo(deliveryID, to, text string) {
	h.t.Helper()
	h.must(h.store.PostAlert(h.t.Context(), deliver.Message{AccountID: "acme", DeliveryID: deliveryID, Text: text, To: []deliver.Address{{Address: to}}}))
}

func TestAnAlertIsShownToThoseItIsFor(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	for _, who := range []struct {
		name           string
		sees, oversees bool
	}{{"viewer", true, false}, {"operator", false, false}, {"author", false, false}, {"watcher", false, false}, {"admin", false, true}, {"runner", false, true}} {
		everybodys := 1
		if strings.HasPrefix(who.name, "r") || who.name == "watcher" {
			everybodys = 2 // theirs is every account
		}
		if who.sees {
			everybodys++
		}
		for _, path := range []string{"/alerts", "/alerts?show=unread", "/alerts/latest?since=" + w.alert} {
			got := w.ask("GET", path, who.name)
			if got.status != http.StatusOK || strings.Contains(got.body, "Maria alone") != who.sees || !strings.Contains(got.body, `<b class="count">`+string(rune('0'+everybodys))+`</b>`) {
				t.Errorf("%s asks for %s: %d, shown %v, want %v and %d unread", who.name, path, got.status, !who.sees, who.sees, everybodys)
			}
		}
		others := w.ask("GET", "/alerts?show=others", who.name)
		if shown := strings.Contains(others.body, "Maria alone"); shown != (who.sees || who.oversees) {
			t.Errorf("%s asks for those to others: shown %v", who.name, shown)
		}
		if tab := strings.Contains(others.body, "To others, too"); tab != who.oversees {
			t.Errorf("%s can ask for those to others: %v", who.name, tab)
		}
		if n := strings.Count(others.body, "Mark as read"); who.oversees && n != everybodys {
			t.Errorf("%s is told that %d alerts are news, want %d", who.name, n, everybodys)
		}
	}
	alerts, err := w.store.Alerts(t.Context(), "acme", 1)
	w.must(err)
	if got := w.does("/alerts/"+alerts[0].ID+"/read", "operator"); got.status != http.StatusNotFound {
		t.Errorf("somebody else reads it: %d", got.status)
	}
	if got := w.does("/alerts/"+alerts[0].ID+"/read", "viewer"); got.status != http.StatusSeeOther {
		t.Errorf("she reads it: %d", got.status)
	}
}

// TestAnAlertIsHeardByThoseItIsFor: somebody else's line is told of what came after it, and of that only.
func TestAnAlertIsHeardByThoseItIsFor(t *testing.T) {
	t.Parallel()
	w := newTeam(t)
	lines := map[string]<-chan event{}
	for _, who := range []string{"viewer", "operator"} {
		cookie := w.session(who)
		_, lines[who] = w.hear("alerts,tasks", "Cookie", cookie.Name+"="+cookie.Value, "Last-Event-ID", w.alert)
	}
	of(t, lines["viewer"], "tasks") // the first line hears when the connection to the database stands
	story, err := w.store.Story(t.Context(), "acme", w.conversation)
	w.must(err)
	w.alertTo(story.Deliveries[1].ID, "maria", "Maria again")
	newest, err := w.store.Alerts(t.Context(), "acme", 1)
	w.must(err)
	for heard := ""; heard != newest[0].ID; {
		if heard = of(t, lines["viewer"], "alerts").data; heard == "" { // something may have been missed, and this with it
			w.alertTo(story.Deliveries[1].ID, "maria", "Maria again")
		}
	}
	w.must(w.store.SetTask(t.Context(), store.Actor{}, "acme", w.task, store.TaskChange{Version: 1, State: tasks.Done}))
	for e := range lines["operator"] {
		if e.name == "alerts" && e.data != "" && e.data != w.alert {
			t.Errorf("the operator hears of %+v", e)
		}
		if e.name == "tasks" && e.data == w.task {
			break
		}
	}
}
