package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"aftercall/examples"
	"aftercall/internal/chromium"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// duty is somebody on duty at the demo, with the keyboard where there are keys for it.
type duty struct {
	t    *testing.T
	b    *chromium.Browser
	d    *demonstration
	home string
}

// journeys are walked one after the other on one cold demo; afterwards the books must balance.
func journeys(t *testing.T, b *chromium.Browser, d *demonstration) {
	for _, j := range []struct {
		name string
		walk func(duty)
	}{
		{"find a call by its number, typed three ways", duty.findsByNumber},
		{"why did it not fire", duty.asksWhyNot},
		{"approve what was unsure", duty.approves},
		{"give a value to a held message, and send it", duty.sendsWhatWasHeld},
		{"replay by the changed config, in the sandbox", duty.replays},
		{"send a failed message again", duty.resends},
		{"complete a task", duty.completesATask},
		{"hear an alert in a second tab", duty.hearsAnAlert},
		{"mute an automation", duty.mutes},
	} {
		t.Run(j.name, func(t *testing.T) { j.walk(duty{t, b, d, d.app.address("pages")}) })
	}
	if balanced, err := balance(t.Context(), io.Discard, d.app.db); err != nil || !balanced {
		t.Errorf("the books do not balance: %v", err)
	}
}

// open opens a page. What the browser has against anything on the way is told at the end.
func (x duty) open(path string) *chromium.Page {
	x.t.Helper()
	tab := x.b.Open(x.t, "light", 1280)
	tab.Go(x.home + path)
	x.t.Cleanup(func() {
		for _, c := range tab.Complaints() {
			x.t.Error(c)
		}
	})
	return tab
}

// story reads a call by the platform's id.
func (x duty) story(call string) store.Story {
	x.t.Helper()
	account, id, err := x.d.app.db.FindConversation(x.t.Context(), "", call)
	if err != nil {
		x.t.Fatal(err)
	}
	s, err := x.d.app.db.Story(x.t.Context(), account, id)
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

// rings posts the call of somebody who wants to be called back.
func (x duty) rings(id string) {
	x.t.Helper()
	_, source, err := x.d.nativeSource()
	if err != nil {
		x.t.Fatal(err)
	}
	body, err := fs.ReadFile(examples.Files(), "calls/01-callback-requested.json")
	if err != nil {
		x.t.Fatal(err)
	}
	body = bytes.Replace(body, []byte("demo-01-callback-requested"), []byte(id), 1)
	p := parcel{url: x.d.app.address("webhooks") + "/hooks/" + source.ID, scheme: source.Type, secret: x.d.secret(envName(source.Secrets[0])), body: body}
	answer, err := p.post(x.t.Context())
	if err != nil || !json.Valid(answer) {
		x.t.Fatalf("%s %v", answer, err)
	}
}

const openTime = "demo-21-appointment-time-open" // the call whose confirmation is held

func (x duty) findsByNumber() {
	tab := x.open("/conversations")
	for _, typed := range []string{"+44 7700 900455", "07700 900 455", "0044 (0)7700-900455"} {
		tab.Go(x.home + "/")
		tab.Press("/")
		tab.Until(`document.activeElement?.type === "search"`)
		tab.Press(typed, kb.Enter)
		tab.Until(`location.search.includes("q=") && document.querySelectorAll("[data-row]").length === 1 && document.querySelector(".rowlink").textContent.includes("Nina Brook")`)
	}
}

func (x duty) asksWhyNot() {
	tab := x.open("/conversations?q=demo-11-callback-declined")
	tab.Until(`location.pathname.startsWith("/conversations/") || document.querySelector(".rowlink")`)
	if chromium.Evaluate[bool](tab, `location.pathname === "/conversations"`) {
		tab.Press("j", kb.Enter)
	}
	const row = `[...document.querySelectorAll("#decisions [data-row]")].find(r => r.textContent.includes("Callback requested"))`
	tab.Until(row)
	if got := chromium.Evaluate[string](tab, row+`.innerText`); !strings.Contains(got, reason.ConditionNotMet.Sentence()) {
		x.t.Errorf("the call's page says %q", got)
	}
	chromium.Evaluate[any](tab, row+`.querySelector("a").click()`)
	tab.Until(`document.querySelector(":target")?.innerText.includes("Callback requested")`)
}

func (x duty) approves() {
	tab := x.open("/review")
	tab.Until(`document.querySelector("[data-row]")`)
	for !chromium.Evaluate[bool](tab, `document.activeElement.closest("[data-row]")?.innerText.includes("Harriet Cole") ?? false`) {
		tab.Press("j")
	}
	tab.Press("a")
	tab.Until(`location.pathname.endsWith("/callback-requested/approve") && document.activeElement.matches("[data-confirm]")`)
	tab.Press(kb.Enter)
	tab.Until(`location.pathname === "/review" && !document.body.innerText.includes("Harriet Cole")`)
	s := x.story("demo-ops-1-callback-left-open")
	for _, d := range s.Decisions {
		if d.Run == 1 && d.Verdict == triggers.Fires {
			x.t.Errorf("%s fires by itself for a call that leaves everything open", d.Automation)
		}
	}
	var written []store.StoryTask
	for _, task := range s.Tasks {
		if task.Automation == "callback-requested" {
			written = append(written, task)
		}
	}
	if len(s.Runs) != 1 || len(written) != 1 || written[0].Run != 2 {
		x.t.Errorf("%d runs, tasks %+v", len(s.Runs), s.Tasks)
	}
}

func (x duty) sendsWhatWasHeld() {
	tab := x.open("/review")
	tab.Until(`document.querySelector('[data-row] [data-key="f"]')`)
	for !chromium.Evaluate[bool](tab, `document.activeElement.closest("[data-row]")?.querySelector('[data-key="f"]') != null`) {
		tab.Press("j")
	}
	tab.Press("f")
	tab.Until(`location.pathname.endsWith("/visit-confirmation/fix") && document.querySelector("form.values")`)
	tab.TabTo(`[name="value.dyn_appointment_time"]`)
	tab.Press("15:15", kb.Enter)
	tab.Until(`document.activeElement?.matches("[data-confirm]")`)
	tab.Press(kb.Enter)
	tab.Until(`location.pathname === "/review" && !document.querySelector('[data-key="f"]')`)
	x.comes(openTime, func(s store.Story) bool { return sentTo(s, "nina.brook@customer.example") == 1 })
}

func (x duty) replays() {
	tab := x.open("/conversations/" + openTime)
	tab.Until(`document.querySelector('a[href$="/replay"]')`)
	chromium.Evaluate[any](tab, `document.querySelector('a[href$="/replay"]').click()`)
	tab.Until(`document.querySelector('input[value="active"]')`)
	chromium.Evaluate[any](tab, `document.querySelector('input[value="active"]').click()`)
	if !chromium.Evaluate[bool](tab, `document.querySelector("#sandbox").checked`) {
		x.t.Error("the sandbox is not what is offered first")
	}
	chromium.Evaluate[any](tab, `document.querySelector('form.act button[value="preview"]').click()`)
	tab.Until(`document.querySelector("#preview-h") && document.body.textContent.includes("We will tell you the time as soon as we know it.")`)
	before := x.story(openTime)
	chromium.Evaluate[any](tab, `document.querySelector('form.act button[value="replay"]').click()`)
	tab.Until(`location.hash === "#runs"`)
	x.comes(openTime, func(s store.Story) bool {
		return len(s.Runs) == len(before.Runs)+1 && s.Runs[0].State == store.RunDone
	})
	after := x.story(openTime)
	if run := after.Runs[0]; !run.Sandbox || run.RevisionID == after.RevisionID {
		x.t.Errorf("the run is %+v", run)
	}
}

func (x duty) resends() {
	const call = "demo-ops-2-mailbox-full"
	tab := x.open("/deliveries?state=failed")
	tab.Press("j", kb.Enter)
	const again = `document.querySelector('a[href$="/resend"]')`
	tab.Until(`location.pathname.startsWith("/conversations/") && ` + again)
	if got := chromium.Evaluate[string](tab, `document.body.textContent`); !strings.Contains(got, "the demo plays a provider") {
		x.t.Error("the page does not say why it failed")
	}
	const failed = `[...document.querySelectorAll('a[href$="/resend"]')].find(a => a.closest(".delivery, .card").textContent.includes("failed"))`
	chromium.Evaluate[any](tab, failed+`.click()`)
	tab.Until(`document.querySelector('button[value="resend"]')`)
	tab.TabTo(`button[value="resend"]`)
	tab.Press(kb.Enter)
	tab.Until(`location.hash.startsWith("#delivery-")`)
	x.comes(call, func(s store.Story) bool { return sentTo(s, mailboxFull) == 1 })
}

func (x duty) completesATask() {
	tab := x.open("/tasks")
	tab.Press("j", kb.Enter)
	tab.Until(`location.pathname.startsWith("/tasks/") && document.querySelector('button[value="done"]')`)
	tab.TabTo(`button[value="done"]`)
	tab.Press(kb.Enter)
	tab.Until(`document.querySelector(".marks")?.innerText.includes("done")`)
}

func (x duty) hearsAnAlert() {
	first, second := x.open("/tasks"), x.open("/conversations")
	second.Until(`document.readyState === "complete"`)
	x.rings("demo-alert")
	for _, tab := range []*chromium.Page{second, first} {
		tab.Until(`document.querySelector(".pops [data-alert]")?.innerText.includes("Callback wanted")`)
	}
	x.open("/captured?channel=push").Until(`document.querySelector("main").innerText.includes("Callback requested · Acme")`) // of the calls before
}

func (x duty) mutes() {
	tab := x.open("/automations")
	chromium.Evaluate[any](tab, `[...document.querySelectorAll(".rowlink")].find(a => a.textContent.includes("Callback requested")).click()`)
	tab.Until(`location.pathname.endsWith("/callback-requested") && document.querySelector("#mute-reason")`)
	chromium.Evaluate[any](tab, `document.querySelector("#mute-reason").closest("details").open = true`)
	tab.TabTo(`#mute-reason`)
	tab.Press("The telephone team is on a course", kb.Enter)
	tab.Until(`document.querySelector(".alarm")?.innerText.includes("Muted until") && document.body.innerText.includes("on a course")`)
	if err := x.d.app.revisions.Refresh(x.t.Context()); err != nil { // as the notification does a moment later
		x.t.Fatal(err)
	}
	x.rings("demo-muted")
	x.comes("demo-muted", func(s store.Story) bool { return s.State == store.StateDecided })
	for _, decision := range x.story("demo-muted").Decisions {
		if decision.Automation == "callback-requested" && decision.Reason != reason.Muted {
			x.t.Errorf("it is %s, %s", decision.Verdict, decision.Reason)
		}
	}
}

// comes waits until a call is as it should be.
func (x duty) comes(call string, as func(store.Story) bool) {
	x.t.Helper()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	late := time.After(finalWithin)
	for !as(x.story(call)) {
		select {
		case <-tick.C:
		case <-late:
			x.t.Fatalf("%s never comes to what it should", call)
		}
	}
}

// sentTo counts the messages that went to an address, in no sandbox.
func sentTo(s store.Story, address string) (n int) {
	for _, m := range s.Deliveries {
		if m.State == store.Sent && m.Address == address && !m.Test {
			n++
		}
	}
	return n
}
