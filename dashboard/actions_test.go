package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/worker"
)

// TestAFailedMessageIsSentAgain once, from its page.
func TestAFailedMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	failed := of(l.until(func(store.Story) bool { return true }), 1, "minutes")
	door := l.path() + "/deliveries/" + failed.ID + "/resend"
	l.says(l.path(), "401: the key is not right", door)
	l.says(door, "Send this message again?", "support@acme.example", "Somebody called.", "Minutes of a call")
	l.mail.takes.Store(true)
	status, to := l.post(door, "do", "resend")
	again, there := strings.CutPrefix(to, l.path()+"#delivery-")
	if status != http.StatusSeeOther || !there {
		t.Fatalf("resend: %d %s", status, to)
	}
	s := l.until(func(s store.Story) bool { return of(s, 1, "minutes").State == store.Sent })
	if d := of(s, 1, "minutes"); d.ID != again || d.ResendOf != failed.ID || l.mail.subjects() != "Minutes of a call" || l.acts(store.ActResent) != 1 {
		t.Errorf("sent %q, as %+v", l.mail.subjects(), d)
	}
	l.says(l.path(), "sent again for", "resent, this machine")
	if status, _ := l.get(door); status != http.StatusConflict {
		t.Errorf("the door is still open: %d", status)
	}
}

// TestTheFirstMessageIsPutRightHoweverManyFollowed: by its page, and by the page of its run, which later runs leave whole.
func TestTheFirstMessageIsPutRightHoweverManyFollowed(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	failed := of(l.until(func(store.Story) bool { return true }), 1, "minutes")
	for _, sql := range []string{
		`INSERT INTO runs (conversation_id, run, account_id, cause, of_run, automation, sandbox, revision_id, state, person, done_at)
			SELECT conversation_id, r, account_id, 'replay', 1, '', true, $2, 'done', 'Ann', now() FROM deliveries, generate_series(2, 21) AS r WHERE deliveries.id = $1`,
		`INSERT INTO decisions (conversation_id, run, automation, account_id, revision_id, verdict, reason, evidence, detail, review, actions)
			SELECT conversation_id, r, 'other-' || n, account_id, $2, 'fires', 'always', '[]', '', false, 1
			FROM deliveries, generate_series(2, 21) AS r, generate_series(1, 60) AS n WHERE deliveries.id = $1`,
		`INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state, reason, detail, test, content)
			SELECT gen_random_uuid(), account_id, conversation_id, r, 'other-' || n, 0, recipient, channel, customer, 'sent', '', '', true, content
			FROM deliveries, generate_series(2, 21) AS r, generate_series(1, 30) AS n WHERE deliveries.id = $1 AND $2::uuid IS NOT NULL`,
	} {
		_, err := l.store.Pool().Exec(t.Context(), sql, failed.ID, l.active())
		l.must(err)
	}
	door := l.path() + "/deliveries/" + failed.ID + "/resend"
	l.says(door, "Send this message again?", "support@acme.example")
	l.says(l.path(), l.path()+"?run=1", "there are more decisions, deliveries than it shows")
	l.says(l.path()+"?run=1", "401: the key is not right", door, "Run 21", l.path()+"?run=21")
	if _, body := l.get(l.path() + "?run=1"); strings.Contains(body, "than it shows") {
		t.Error("the page of the first run says that it has only a part of it")
	}
	l.says("/review/"+l.call+"/1/minutes/case", "Minutes")
	if status, _ := l.get(l.path() + "/deliveries/" + uuid.NewString() + "/resend"); status != http.StatusNotFound {
		t.Errorf("one that is not there: %d", status)
	}
}

// TestADecisionIsMarkedAndDismissed from the call's page; what sends something is done on the pages of the review.
func TestADecisionIsMarkedAndDismissed(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	back := []string{"back", l.path() + "#automation-complaint"}
	mark := l.doorTo(1, "complaint", "mark")
	if status, _ := l.post(mark, "note", "no word"); status != http.StatusBadRequest {
		t.Errorf("a mark that says nothing: %d", status)
	}
	if status, to := l.post(mark, append(back, "was", "wrong", "note", "she was angry")...); status != http.StatusSeeOther || to != back[1] {
		t.Errorf("mark: %d %s", status, to)
	}
	l.says(l.doorTo(1, "complaint", "case"), "she was angry", "said that it was wrong")
	l.says(l.path(), "marked wrong: she was angry", "1 unsure, to review", "/review/"+l.call+"/1/complaint/approve", "/review/"+l.call+"/1/callback/fix")
	l.says("/review/"+l.call+"/1/complaint/approve", "A complaint")
	l.says("/review/"+l.call+"/1/callback/fix", "dyn_when")
	for _, automation := range []string{"callback", "complaint"} {
		door := l.doorTo(1, automation, "dismiss")
		l.says(l.path(), door+"?back=")
		l.says(door, "Nothing goes out, and what is held is called off")
		if status, _ := l.post(door); status != http.StatusSeeOther {
			t.Errorf("dismiss %s: %d", automation, status)
		}
	}
	l.until(func(s store.Story) bool { return of(s, 1, "callback").State == store.Cancelled })
	status, body := l.get(l.path())
	if strings.Contains(body, "unsure, to review") || strings.Contains(body, "/complaint/approve") || !strings.Contains(body, "dismissed, this machine") || status != http.StatusOK {
		t.Errorf("it still waits for a person: %d", status)
	}
	if l.acts(store.ActDismissed) != 2 || l.acts(store.ActMarked) != 1 {
		t.Errorf("%d dismissed, %d marked", l.acts(store.ActDismissed), l.acts(store.ActMarked))
	}
}

// TestEverythingThatWaitsIsCalledOff from one page, which lists it first: of the call and of its events.
func TestEverythingThatWaitsIsCalledOff(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.until(func(s store.Story) bool {
		return s.State == store.StateDecided && of(s, 1, "callback").State == store.Held
	})
	revision := l.activate(lineConfig + "  - { id: reached, on: call.reached, actions: [ { email: { send: { after: 1h }, to: [late@acme.example], subject: L, body: L } } ] }\n")
	jobs, err := worker.NewInserter(l.store)
	l.must(err)
	at := time.Now()
	event, err := l.store.NewIngest(worker.EnqueueDecides(jobs)).Accept(t.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: "e1", Type: "call.reached", Body: []byte("{}"), ReceivedAt: at},
		Conversation: &conversation.Conversation{ExternalID: "event:e1", Channel: conversation.ChannelPhone, StartedAt: at, EndedAt: at,
			Event: &conversation.Event{Type: "call.reached", Call: "c1"}},
		About: "c1", RevisionID: revision, DecideAt: at,
	})
	l.must(err)
	for planned := 0; planned < 2; {
		waits, _, err := l.store.Waiting(t.Context(), "acme", l.call)
		l.must(err)
		planned = len(waits)
	}
	door := l.path() + "/cancel"
	l.says(l.path(), "Call off what waits", door)
	l.says(door, "Call off everything that waits?", "is not hindered", "desk@acme.example", "late@acme.example", conversationPath(event.ConversationID), "of another event of the call",
		"Call off 2 messages")
	if l.acts(store.ActCancelled) != 0 {
		t.Error("looking at it called something off")
	}
	if status, to := l.post(door, "do", "cancel"); status != http.StatusSeeOther || to != l.path()+"#fired" {
		t.Errorf("call off: %d %s", status, to)
	}
	l.until(func(s store.Story) bool { return of(s, 1, "callback").State == store.Cancelled })
	if waits, _, err := l.store.Waiting(t.Context(), "acme", l.call); len(waits) > 0 || err != nil || l.acts(store.ActCancelled) != 2 {
		t.Errorf("%d still wait, %v; %d in the audit log", len(waits), err, l.acts(store.ActCancelled))
	}
	l.says(door, "Nothing waits.")
}

// TestWhatCannotBeDoneIsSaid, with no more than a sentence.
func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	held := of(l.until(func(s store.Story) bool { return s.State == store.StateDecided }), 1, "callback")
	for path, want := range map[string]int{
		l.path() + "/deliveries/" + held.ID + "/resend":          http.StatusConflict,
		l.path() + "/deliveries/" + held.ID + "/settle":          http.StatusConflict,
		l.path() + "/deliveries/" + held.ID + "/vanish":          http.StatusNotFound,
		l.path() + "/deliveries/" + uuid.NewString() + "/resend": http.StatusNotFound,
		conversationPath(uuid.NewString()) + "/replay":           http.StatusNotFound,
	} {
		for _, ask := range []func() (int, string){func() (int, string) { return l.get(path) }, func() (int, string) { return l.post(path) }} {
			if status, body := ask(); status != want || !strings.Contains(body, "<h1>") {
				t.Errorf("%s: %d, want %d: %s", path, status, want, body)
			}
		}
	}
	for _, path := range []string{l.doorTo(1, "nothing", "mark"), l.doorTo(9, "callback", "mark"), l.doorTo(0, "callback", "mark")} {
		if status, _ := l.post(path, "was", "wrong"); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := l.post(l.path()+"/replay", "do", "replay", "which", "newest"); status != http.StatusConflict {
		t.Errorf("a replay by no config: %d", status)
	}
	if l.mail.subjects() != "" {
		t.Errorf("sent %q", l.mail.subjects())
	}
}

// putRightWalk is ops at night: a message failed because of a key, and the config was changed since. The call is decided anew in
// the sandbox, with what would come of it told first; then the failed message is sent again.
func putRightWalk(t *testing.T, b browser) {
	l := newLine(t)
	l.activate(strings.Replace(lineConfig, "enabled: false", "enabled: true", 1))
	tab := b.still(t, 1280)
	click := func(elements, words, then string) {
		t.Helper()
		found := `[...document.querySelectorAll("` + elements + `")].find(e => e.textContent.includes("` + words + `"))`
		settles(tab, found)
		evaluate[bool](tab, `(setTimeout(() => `+found+`.click()), true)`)
		settles(tab, then)
	}
	follow := func(link string) { click("main a.button", link, `document.querySelector("form.act")`) }
	press := func(button, then string) { click("form.act button", button, then) }
	tab.run(chromedp.Navigate(l.url + l.path()))
	follow("Decide anew")
	evaluate[bool](tab, `(document.querySelector('input[value="active"]').click(), document.querySelector("#sandbox").checked)`)
	press("Show what it would do", `document.querySelector("#preview-h")`)
	preview := evaluate[string](tab, `document.querySelector("main").textContent`)
	for _, want := range []string{"Survey", "would fire", "survey@acme.example", "How was it?", "by config"} {
		if !strings.Contains(preview, want) {
			t.Errorf("the preview does not say %q: %s", want, preview)
		}
	}
	press("Decide anew in the sandbox", `location.hash === "#runs"`)
	l.until(func(s store.Story) bool { return of(s, 2, "survey").State == store.Sent })
	tab.run(chromedp.Reload())
	runs := evaluate[string](tab, `document.querySelector("#runs").innerText`)
	if !strings.Contains(runs, "Run 2, decided anew in the sandbox by this machine") || l.mail.subjects() != "" || l.acts(store.ActReplayed) != 1 {
		t.Errorf("the runs: %q; sent %q", runs, l.mail.subjects())
	}
	kept, _, err := l.store.CapturedMessages(t.Context(), "acme", "", "", 10)
	if err != nil || len(kept) == 0 {
		t.Errorf("%d messages were captured, %v", len(kept), err)
	}

	l.mail.takes.Store(true)
	follow("Send it again")
	press("Send it again", `location.hash.startsWith("#delivery-")`)
	l.until(func(s store.Story) bool {
		return l.mail.subjects() == "Minutes of a call" && of(s, 1, "minutes").State == store.Sent
	})
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}
