package dashboard

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/examples"
	"aftercall/internal/llm/openai"
	"aftercall/internal/llm/simulated"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/worker"
)

// workbenchWalk is an author at work, with a browser on the whole thing: real pages, real database, simulated model.
func workbenchWalk(t *testing.T, b browser) {
	b.url, _ = wholeServer(t, false)
	const start = "/workbench?from=starter:callback-requested"
	t.Run("mends a wrong name with the keyboard alone", func(t *testing.T) { mendsByKeyboard(t, b, start) })
	t.Run("tries a call", func(t *testing.T) { triesACall(t, b, start) })
	t.Run("completes", func(t *testing.T) { completes(t, b, start) })
	t.Run("lets Tab out", func(t *testing.T) { tabLeaves(t, b, start) })
	t.Run("loads again in dev", func(t *testing.T) { loadsAgain(t, b) })
	for _, s := range []screen{{"light", 1280, true}, {"dark", 1280, true}, {"light", 375, true}, {"dark", 375, false}} {
		b.fits(t, s, []string{start + "&call=sample:01-callback-requested"}, func(tab *window, path string) {
			tab.run(chromedp.Navigate(b.url + path))
			if s.script {
				until(tab, `document.querySelector("#try iframe")`)
			} else if !evaluate[bool](tab, `document.querySelector("textarea").checkVisibility() && !document.querySelector("#editor").checkVisibility()`) {
				tab.t.Error("without a script there is nothing to type into")
			}
		})
	}
}

// wholeServer serves the real pages on a database of their own, in which the example account is active.
func wholeServer(t *testing.T, dev bool) (string, *Dashboard) {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{Pool: 4, Ingest: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	queue, err := river.NewClient(riverpgxv5.New(s.Pool()), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	answers := httptest.NewServer(simulated.New(simulated.Options{}))
	t.Cleanup(answers.Close)
	model, err := openai.New(openai.Config{BaseURL: answers.URL + "/v1", Model: simulated.ModelName})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	revisions := activeExample(t, s, log)
	actions, err := ops.New(ops.Config{Store: s, River: queue, Revisions: revisions, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(Config{
		Store: s, River: queue, Revisions: revisions, Ops: actions, Logger: log, Version: "v0.0.1", Simulated: true, Loopback: true, Model: model, Dev: dev,
		Channels: map[string]deliver.Channel{deliver.Push: pushes(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d.Handler())
	t.Cleanup(func() {
		d.EndStreams() // Close waits for them
		server.Close()
	})
	return server.URL, d
}

// activeExample makes the example account's config active.
func activeExample(t *testing.T, s *store.Store, log *slog.Logger) *worker.Revisions {
	t.Helper()
	folder, err := fs.Sub(examples.Files(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	files, err := automation.ReadFS(folder)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Apply(t.Context(), store.RevisionFiles{AccountID: "acme", Digest: files.Digest(), Format: 1, Files: files}, store.Activation{By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	revisions := worker.NewRevisions(s, log)
	if err := revisions.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return revisions
}

// until waits for something on the page, as long as a step may take.
func until(w *window, expression string) {
	w.t.Helper()
	evaluate[bool](w, `new Promise(done => {
		const look = () => (`+expression+`) ? done(true) : setTimeout(look, 20);
		look();
	})`)
}

func tabTo(w *window, selector string) {
	w.t.Helper()
	w.TabTo(selector)
}

// openBody goes to the e-mail's body, the third file, and to its end.
func openBody(w *window) {
	w.t.Helper()
	tabTo(w, `[role="tab"]`)
	w.run(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	if got := evaluate[string](w, `document.activeElement.textContent`); got != "callback-requested/email.md.hbs" {
		w.t.Fatalf("the arrow keys lead to %q", got)
	}
	tabTo(w, `.cm-content`)
	w.run(chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

func mendsByKeyboard(t *testing.T, b browser, start string) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + start))
	until(tab, `document.querySelector("#bench.live") && document.querySelector("[data-summary]").textContent.includes("Nothing is wrong")`)
	openBody(tab)
	tab.run(chromedp.KeyEvent("\rDear {{customer_nmae}}"))
	until(tab, `document.querySelector(".cm-lintRange-error") && document.querySelector("#problems [data-fix]")`)
	if got := evaluate[string](tab, `document.querySelector(".cm-lintRange-error").textContent`); got != "customer_nmae" {
		t.Errorf("%q is underlined", got)
	}
	if evaluate[int](tab, `document.querySelectorAll(".cm-lint-marker-error").length`) != 1 {
		t.Error("the line has no mark in the gutter")
	}
	if got := evaluate[string](tab, `document.querySelector("#problems").innerText`); !strings.Contains(got, ":8 AC201") || !strings.Contains(got, "did you mean customer_name?") {
		t.Errorf("the list says: %s", got)
	}
	tabTo(tab, `#problems [data-fix]`)
	tab.run(chromedp.KeyEvent(kb.Enter))
	until(tab, `document.querySelector("[data-summary]").textContent.includes("Nothing is wrong")`)
	if got := evaluate[string](tab, `document.querySelector(".cm-content").innerText`); !strings.Contains(got, "Dear {{customer_name}}") || strings.Contains(got, "nmae") {
		t.Errorf("the fix was not written: %s", got)
	}
	if evaluate[bool](tab, `!!document.querySelector(".cm-lintRange-error")`) {
		t.Error("what is right is still underlined")
	}
	if !evaluate[bool](tab, `document.activeElement.matches(".cm-content")`) {
		t.Error("after the fix one cannot go on typing")
	}
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}

// triesACall chooses a call, sees its decision with the quote, types, and sees the message change.
func triesACall(t *testing.T, b browser, start string) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + start))
	until(tab, `document.querySelector("#bench.live")`)
	evaluate[bool](tab, `!!(document.querySelector("#call").value = "sample:01-callback-requested")`)
	tabTo(tab, `.cm-content`)
	tab.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	until(tab, `document.querySelector("#try iframe")`)
	until(tab, `document.querySelector("#bench-summary").textContent.includes("would fire")`)
	outcome := evaluate[string](tab, `document.querySelector("#try").innerText`)
	for _, want := range []string{"would fire", "Could somebody call me back tomorrow after three", "would go out", "Ana Ruiz", "simulated model"} {
		if !strings.Contains(outcome, want) {
			t.Errorf("the try does not say %q: %s", want, outcome)
		}
	}
	if got := evaluate[string](tab, `[...document.querySelectorAll("#try .turns mark")].map(m => m.textContent).join("|")`); !strings.Contains(got, "call me back") {
		t.Errorf("marked in the transcript: %q", got)
	}
	before := evaluate[string](tab, `document.querySelector("#try iframe").src`)
	openBody(tab)
	tab.run(chromedp.KeyEvent("\rKindly, {{agent_name}}"))
	until(tab, `document.querySelector("#try pre.text")?.textContent.includes("Kindly, Clara")`)
	if after := evaluate[string](tab, `document.querySelector("#try iframe").src`); after == before {
		t.Error("the message as HTML is the one from before")
	}
	tab.run(chromedp.KeyEvent(" {{nobody_of_that_name"))
	until(tab, `document.querySelector("#try-old").checkVisibility()`)
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}

// completes types the beginning of a name and of a key, and takes what is offered.
func completes(t *testing.T, b browser, start string) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + start))
	until(tab, `document.querySelector("#bench.live") && document.querySelector("#names button")`)
	openBody(tab)
	tab.run(chromedp.KeyEvent("\r{{crm_"))
	until(tab, `document.querySelector(".cm-tooltip-autocomplete")?.innerText.includes("crm_record_id")`)
	// The list takes no key for a moment after it opens, so that nobody takes what they have not seen.
	until(tab, `(document.opened ??= performance.now()) + 200 < performance.now()`)
	tab.run(chromedp.KeyEvent(kb.Enter))
	// The key is handled, and yet the protocol types the line break that it would have made.
	until(tab, `/{{crm_record_id\s*}}/.test(document.querySelector(".cm-content").innerText)`)

	// Each of these is typed at the end of account.yaml, offers what may stand there, and is taken out again. They share one page:
	// a browser gives a server six lines, an open page holds one of them, and here all of them count as looked at.
	tab = b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + start))
	until(tab, `document.querySelector("#bench.live") && document.querySelector("#names button")`)
	tabTo(tab, `.cm-content`)
	for _, c := range []struct{ typed, offers, not string }{
		{"budg", "budget", "actions"},
		{"automations: [{id: one, actions: [{email: {to: [maria], su", "subject", "to"},
		{"automations: [{when: {calls: {stat", "status", "subject"},
		{"variables: {dyn_kind: {type: en", "enum", "type"},
		{"name: \"{{#un", "unless", "customer_name"},
		{"name: \"{{#if customer_name}}x{{/", "if", "unless"},
		{"name: \"{{trun", "truncate", "customer_name"},
	} {
		tab.run(chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(c.typed))
		const offered = `[...document.querySelectorAll(".cm-tooltip-autocomplete .cm-completionLabel")].map(l => l.textContent)`
		until(tab, fmt.Sprintf("%s.includes(%q)", offered, c.offers))
		if evaluate[bool](tab, fmt.Sprintf("%s.includes(%q)", offered, c.not)) {
			t.Errorf("%q offers %s", c.typed, c.not)
		}
		tab.run(chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(chromedp.ModifierCtrl|chromedp.ModifierShift)), chromedp.KeyEvent(kb.Delete))
		until(tab, `!document.querySelector(".cm-tooltip-autocomplete") && document.querySelector(".cm-content").lastElementChild.textContent === ""`)
	}

	// A block is written with its end, and the cursor where its condition goes.
	tab = b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + start))
	until(tab, `document.querySelector("#bench.live") && document.querySelector("#names button")`)
	openBody(tab)
	tab.run(chromedp.KeyEvent("\r{{#unl"))
	until(tab, `document.querySelector(".cm-tooltip-autocomplete")?.innerText.includes("unless")`)
	until(tab, `(document.opened ??= performance.now()) + 200 < performance.now()`)
	tab.run(chromedp.KeyEvent(kb.Enter))
	until(tab, `/{{#unless\s*}}{{\/unless}}/.test(document.querySelector(".cm-content").innerText)`)
}

// tabLeaves: the editor is no trap for the keyboard, not even while it offers words.
func tabLeaves(t *testing.T, b browser, start string) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + start))
	until(tab, `document.querySelector("#bench.live") && document.querySelector("#names button")`)
	openBody(tab)
	tab.run(chromedp.KeyEvent("\r{{cust"))
	until(tab, `document.querySelector(".cm-tooltip-autocomplete")?.innerText.includes("customer_name")`)
	tab.run(chromedp.KeyEvent(kb.Tab))
	if evaluate[bool](tab, `!!document.activeElement.closest(".cm-content")`) {
		t.Error("Tab does not leave the editor while it offers words")
	}
}

// loadsAgain: in dev a page whose draft is as it began follows the folder, and one that was typed in asks first.
func loadsAgain(t *testing.T, b browser) {
	url, d := wholeServer(t, true)
	b.url = url
	tab := b.open(t, "light", 1280)
	came := make(chan string, 256)
	tab.Listen(func(event any) {
		if e, ok := event.(*network.EventResponseReceived); ok {
			came <- e.Response.URL
		}
	})
	await := func(part string) {
		t.Helper()
		late := time.After(time.Minute)
		for {
			select {
			case url := <-came:
				if strings.Contains(url, part) {
					return
				}
			case <-late:
				t.Fatalf("the page never asks for %s", part)
			}
		}
	}
	tab.run(chromedp.Navigate(b.url + "/workbench?from=active:acme"))
	await("/workbench?")
	await(livePath)
	d.Changed()
	await("/workbench?from=active%3Aacme")
	await(livePath)
	until(tab, `document.querySelector("#bench.live")`)
	tabTo(tab, `.cm-content`)
	tab.run(chromedp.KeyEvent("#"))
	d.Changed()
	until(tab, `document.querySelector(".news button")`)
	if got := evaluate[string](tab, `document.querySelector(".cm-content").innerText`); !strings.HasPrefix(got, "#") {
		t.Errorf("the draft is gone: %.80s", got)
	}
}
