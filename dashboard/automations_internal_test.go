package dashboard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/worker"
)

// automationPages lays out the pages about automations and usage, with text in everything that somebody types or says.
func automationPages(text string, n names) map[string]answer {
	page := func(template, section string, view any) answer {
		return answer{Template: template, Title: template, Section: section, View: view}
	}
	list := automationRows("acme", n, fixtureSums(), fixtureBreakers(text), fixtureMutes(text))
	list.Accounts = []choice{{"acme", text, true}, {text, text, false}}
	return map[string]answer{
		"automations":           page("automations", "automations", list),
		"automations, none yet": page("automations", "automations", automationsPage{}),
		"automation":            page("automation", "automations", fixtureRecord(text, n, 0)),
		"automation, muted":     page("automation", "automations", fixtureRecord(text, n, 1)),
		"usage":                 page("usage", "usage", fixtureUsage(text, n)),
		"usage, none yet":       page("usage", "usage", usagePage{Spans: usageSpans(7), Days: 7}),
	}
}

func fixtureSums() map[string]store.AutomationSum {
	sums := map[string]store.AutomationSum{}
	for _, s := range []store.AutomationSum{
		{Automation: "callback-requested", Day: 4, Before: 90, LastFired: began, Marked: 12, Wrong: 1, Counts: store.Counts{Evaluated: 340, Fired: 31, Unsure: 7, Held: 2}},
		{Automation: "complaint", Before: 12, LastFired: began.AddDate(0, 0, -9), Counts: store.Counts{Evaluated: 340, Unsure: 3, Failed: 1}},
		{Automation: "summary-mail", Day: 300, Before: 1000, LastFired: began, Counts: store.Counts{Evaluated: 1240, Fired: 1240, Stopped: 190, Held: 4}},
		{Automation: "sales-lead", Day: 90, Before: 9, LastFired: began, Counts: store.Counts{Evaluated: 340, Fired: 95}},
	} {
		sums[s.Automation] = s
	}
	return sums
}

func fixtureBreakers(text string) []store.Breaker {
	return []store.Breaker{
		{AccountID: "acme", Automation: "summary-mail", Cause: store.ByJump, Fired: 250, Allowed: 250, OpenedAt: began, Open: true, Stopped: store.MostStopped + 1},
		{AccountID: "acme", Automation: "confirmation" + text, Cause: store.ByDay, Fired: 200, Allowed: 200, OpenedAt: began.Add(-30 * time.Hour), Until: began.Add(-20 * time.Hour), Stopped: 3},
	}
}

func fixtureMutes(text string) []store.Mute {
	return []store.Mute{{AccountID: "acme", Automation: "address-changed", Until: began.Add(26 * time.Hour), Reason: text, By: text, At: began}}
}

// fixtureRecord is the page of an automation whose breaker is open, or of one that is muted.
func fixtureRecord(text string, n names, which int) automationPage {
	rec := store.AutomationRecord{Activations: []store.Activated{{RevisionID: "r", Digest: strings.Repeat("9f2b71c0", 8), At: began.AddDate(0, 0, -6), By: text, Message: text}}}
	for i := range beforeDays * 4 {
		h := store.CountedHour{Hour: began.Add(-time.Duration(i*6) * time.Hour)}
		h.Evaluated, h.Fired, h.Unsure = 12, (i*i+5)%9, i%3
		rec.Hours = append(rec.Hours, h)
	}
	call := func(v triggers.Verdict, c reason.Code, customer, quote string) store.DecidedCall {
		return store.DecidedCall{ConversationID: "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", Run: 1, CustomerName: customer, CustomerNumber: "+447700900123", DecidedAt: began,
			Decision: triggers.Decision{Verdict: v, Reason: c, Detail: text, Evidence: []interview.Evidence{{Turn: 5, Quote: quote}}}}
	}
	rec.Fired = []store.DecidedCall{call(triggers.Fires, reason.Fired, text, text), call(triggers.Fires, reason.Fired, "", "could somebody call me back today, after five")}
	rec.Wrong = []store.DecidedCall{call(triggers.Fires, reason.Fired, "Priya Nair", text)}
	rec.Nearly = []store.DecidedCall{call(triggers.Unsure, reason.EvidenceNotFound, "Dana Whitfield", text)}
	ids := []string{"summary-mail", "address-changed"}
	a := fixtureNames().rev.Automation(ids[which])
	limited := *a
	limited.PerDay = 200
	p := recordView("acme", &limited, rec, n, began)
	p.May, p.Sums = true, sumsOf(fixtureSums()["summary-mail"])
	p.Source = &sourceView{Place: "account.yaml:20", Digest: "9f2b71c0", Active: true, Text: "  - id: summary-mail\n    when: always\n    actions: " + text}
	if which == 0 {
		b := breakerOf(fixtureBreakers(text)[0], n)
		p.Breaker = &b
	} else {
		p.Mute = &muteView{Until: at(began.Add(26*time.Hour), n.zone()), At: shortly(began, n.zone()), By: text, Reason: text}
	}
	job := jobOf(store.Bulk{By: store.Actor{Name: text}, AskedAt: began, Done: 120, Refused: 2, State: store.BulkRunning, Request: store.BulkRequest{Action: store.BulkCancel}}, n)
	p.Job = &job
	p.Flags = flags(true, fixtureSums()["summary-mail"], breakerAt(fixtureBreakers(text), "summary-mail"), nil, n.zone())
	return p
}

func fixtureUsed(text string) (used []store.Usage) {
	for i := range 12 {
		for _, automation := range []string{"callback-requested", "complaint", "", text} {
			used = append(used, store.Usage{AccountID: "acme", Day: began.AddDate(0, 0, -i).Format(time.DateOnly), Automation: automation,
				Model: "gpt-4.1-mini-2025-04-14", Tokens: store.Tokens{In: 21_000 + 900*i, Cached: 14_000, Out: 830}})
		}
	}
	return append(used, store.Usage{AccountID: "acme", Day: began.Format(time.DateOnly), Automation: "complaint", Model: text, Tokens: store.Tokens{In: 10, Out: 1}})
}

func fixtureUsage(text string, n names) usagePage {
	prices, err := ParsePrices("USD gpt-4.1-mini=0.40/0.10/1.60")
	if err != nil {
		panic(err)
	}
	p := usagePage{Accounts: []choice{{"acme", text, true}, {text, text, false}}, Spans: usageSpans(30), Days: 30}
	p.lay("acme", n, fixtureUsed(text), prices, began)
	p.ByAccount = usageRows(fixtureUsed(text), prices, func(u store.Usage) string { return u.AccountID }, nil)
	p.Budget = budgetOf(worker.BudgetOf(&automation.Revision{TokensPerDay: 2_000_000, Location: time.UTC}, 0), store.Standing{Spent: 1_310_000, Reserved: 90_000}, began)
	return p
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		off  bool
		sum  store.AutomationSum
		want string
	}{
		"as usual":                 {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 70, Fired: 70}, Day: 10}, want: ""},
		"never fired":              {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 500}}, want: ""},
		"silent":                   {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 20}, Before: 1}, want: "silent"},
		"too few calls to say":     {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 19}, Before: 1}, want: ""},
		"switched off":             {off: true, sum: store.AutomationSum{Counts: store.Counts{Evaluated: 20}, Before: 1}, want: "switched off"},
		"three times and twenty":   {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 500, Fired: 110}, Day: 50}, want: ""},
		"more than that":           {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 500, Fired: 111}, Day: 51}, want: "more than usual"},
		"a first call is no crowd": {sum: store.AutomationSum{Counts: store.Counts{Evaluated: 500, Fired: 20}, Day: 20}, want: ""},
	} {
		got := ""
		for _, f := range flags(!c.off, c.sum, nil, nil, time.UTC) {
			got += f.Word
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"USD", "USD gpt", "USD gpt=1/2", "USD gpt=1/2/x", "USD gpt=1/2/-3", "USD =1/2/3", "USD gpt=1/2/NaN", "gpt=1/2/3"} {
		if _, err := ParsePrices(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if p, err := ParsePrices(""); err != nil || !p.None() {
		t.Errorf("no prices: %+v, %v", p, err)
	}
	p, err := ParsePrices("EUR gpt-4.1=2/0.5/8, gpt-4.1-mini=0.40/0.10/1.60")
	if err != nil {
		t.Fatal(err)
	}
	million := store.Tokens{In: 1_000_000, Cached: 500_000, Out: 1_000_000}
	for model, want := range map[string]string{
		"gpt-4.1": "9.25 EUR", "gpt-4.1-2025-04-14": "9.25 EUR", "gpt-4.1-mini": "1.85 EUR", "gpt-4.1-mini-2025-04-14": "1.85 EUR", "gpt-4.15": "", "gpt": "", "": "",
	} {
		var b bill
		b.add(store.Usage{Model: model, Tokens: million}, p)
		if got := b.cost(p); got != want {
			t.Errorf("%s costs %q, want %q", model, got, want)
		}
	}
	var mixed bill
	mixed.add(store.Usage{Model: "gpt-4.1-mini", Tokens: store.Tokens{Out: 100}}, p)
	mixed.add(store.Usage{Model: "other", Tokens: store.Tokens{Out: 100}}, p)
	if got := mixed.cost(p); got != "at least 0.0002 EUR" {
		t.Errorf("with a model that has no price: %q", got)
	}
}

// TestUsageAddsUp: by day, automation and model the same tokens, and each day of the time has its row.
func TestUsageAddsUp(t *testing.T) {
	t.Parallel()
	p := fixtureUsage("other", fixtureNames())
	sum := func(rows []usageRow) (n int) {
		for _, r := range rows {
			n += r.tokens
		}
		return n
	}
	if sum(p.ByDay) != p.Total.tokens || sum(p.ByAutomation) != p.Total.tokens || sum(p.ByModel) != p.Total.tokens || p.Total.tokens == 0 {
		t.Errorf("days %d, automations %d, models %d, all %d", sum(p.ByDay), sum(p.ByAutomation), sum(p.ByModel), p.Total.tokens)
	}
	if len(p.ByDay) != 30 || p.ByDay[0].Label != "2026-11-20" || len(p.Chart.Bars) != 30 || p.Chart.Last != "2026-11-20" {
		t.Errorf("%d days, the newest %s; %d bars until %s", len(p.ByDay), p.ByDay[0].Label, len(p.Chart.Bars), p.Chart.Last)
	}
	if !slices.IsSortedFunc(p.ByAutomation, func(a, b usageRow) int { return b.tokens - a.tokens }) {
		t.Error("the most expensive does not come first")
	}
}

// TestADayIsTheAccounts: an hour counts for the day it has in the account's zone, and days before the first are left out.
func TestADayIsTheAccounts(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 20, 30, 0, 0, time.UTC) // the 21st there
	one := store.Counts{Evaluated: 1, Fired: 1}
	rec := store.AutomationRecord{Hours: []store.CountedHour{{Hour: now.Truncate(time.Hour), Counts: one}, {Hour: now.Add(-6 * time.Hour).Truncate(time.Hour), Counts: one},
		{Hour: now.AddDate(0, 0, -40), Counts: one}}, Activations: []store.Activated{{Digest: "abcdef0123456789", At: now}}}
	rows := days(rec, tokyo, now)
	last, before := rows[len(rows)-1], rows[len(rows)-2]
	if len(rows) != beforeDays || last.Day != "2026-11-21" || last.Fired != 1 || before.Fired != 1 || !slices.Equal(last.Revisions, []string{"abcdef01"}) {
		t.Errorf("%+v, %+v", last, before)
	}
}
