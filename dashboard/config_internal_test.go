package dashboard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/change"
	"aftercall/internal/store"
)

// configPages lays out the pages of a config, with text in everything that somebody types or a file says.
func configPages(text func(string) string, n names) map[string]answer {
	page := func(template string, view any) answer {
		return answer{Template: template, Title: template, Section: "config", View: view}
	}
	accounts := []choice{{"acme", text("Acme Clinic"), true}, {text("umbra"), text("Umbra"), false}}
	list := configPageOf(fixtureConfig(text), n)
	list.Accounts = accounts
	log := activationList(text("acme"), "9", fixtureActivations(text), "3", n)
	log.Accounts = accounts
	d := fixtureDiffers(text)
	back := rollbackPage{differs: d, AccountName: text("Acme Clinic"), Back: configPath, Action: rollbackPath(text("acme"), text("r1")), Base: text("r2"), First: true}
	shut := back
	shut.Shut = governedWords(&store.Governed{Account: store.Account{ID: text("acme"), By: text("folder /etc/aftercall"), At: began}}, n)
	goes, refuses := page("config_rollback", back), page("config_rollback", shut)
	goes.Draft, refuses.Draft = true, true
	return map[string]answer{
		"config":                 page("config", list),
		"config, none yet":       page("config", configPage{}),
		"config, nothing known":  page("config", configPageOf(knownConfig{account: store.Account{ID: "acme"}}, names{})),
		"activations":            page("config_activations", log),
		"activations, none yet":  page("config_activations", activationsPage{}),
		"config diff":            page("config_diff", configDiffPageView{differs: d, AccountName: text("Acme Clinic"), Back: configPath, Swapped: diffPath(text("acme"), text("a"), text("b"))}),
		"config diff of nothing": page("config_diff", configDiffPageView{differs: differs{Same: true}, Back: configPath, Swapped: configDiffPath}),
		"rollback":               goes,
		"rollback refused":       refuses,
	}
}

func fixtureConfig(text func(string) string) knownConfig {
	made := func(id, digest string, active time.Time) store.RevisionRow {
		return store.RevisionRow{ID: id, Digest: digest, Message: text("The complaint goes to Ann"), GitSHA: text("1a2b3c4d5e6f-dirty"), CreatedBy: text("ann@host"),
			Origin: store.ByCLI, CreatedAt: began, ActivatedAt: active, ActivatedBy: text("ann@host"), ActivationMessage: text("back")}
	}
	return knownConfig{
		account: store.Account{ID: "acme", Authority: store.ByFiles, By: text("folder /etc/aftercall/acme"), At: began}, active: "r2", before: "x", next: "r1",
		list:    []store.RevisionRow{made("r3", "cdcdcdcd", time.Time{}), made("r2", "abababab", began), made("r1", text("efefefef"), began)},
		attempt: &store.Attempt{AccountID: "acme", Folder: text("/etc/aftercall/acme"), Host: text("web-1"), State: store.AttemptInvalid, Problems: 2, FirstProblem: text("account.yaml:9:81: error"), Since: began, At: began},
		workers: []store.Worker{{ID: text("w-1"), Host: text("worker-1"), Version: text("v1.2.3"), StartedAt: began, BeatAt: began, Revisions: map[string]string{"acme": "r2"}},
			{ID: "w-2", Host: "worker-2", StartedAt: began, BeatAt: began, Revisions: map[string]string{"acme": "r1"}}, {ID: "w-3", StartedAt: began}},
		machines: true, may: true,
	}
}

func fixtureActivations(text func(string) string) []store.ActivationRow {
	row := func(id string, o store.Origin) store.ActivationRow {
		return store.ActivationRow{Cursor: id, Origin: o, Activated: store.Activated{RevisionID: id, Digest: text("abababab"), At: began, By: text("ann@host"), Message: text("back")}}
	}
	return []store.ActivationRow{row("8", store.ByCLI), row("7", store.ByFiles), row("7", "")}
}

func fixtureDiffers(text func(string) string) differs {
	fields := []change.Field{{Name: "name", Before: text("Callback") + "!", After: text("Call back") + "?"}, {Name: "email 1.body", Before: "Hello\n" + text("Dana") + "\nBye", After: "Hello\nBye"},
		{Name: "on_unsure", After: text("skip") + "."}}
	d := differs{From: revisionName{Digest: text("abababab"), Message: text("first"), Made: at(began, time.UTC)}, To: revisionName{Digest: "cdcdcdcd"}, Asked: []string{"each call", text("calls of agent a")}}
	for _, i := range []change.Item{{Kind: "settings", Change: change.Changed, Fields: fields}, {Kind: "automation", ID: text("callback"), Change: change.Added, Fields: fields[2:]},
		{Kind: "person", ID: text("ann"), Change: change.Removed, Fields: fields}} {
		d.Items = append(d.Items, itemOf(i, true))
	}
	return d
}

// TestWorkersAreCountedByWhatTheyKnow: the active revision first, and one that says nothing is no worker with another.
func TestWorkersAreCountedByWhatTheyKnow(t *testing.T) {
	t.Parallel()
	got := configPageOf(fixtureConfig(plain), fixtureNames()).Taken
	want := []takenView{{"abababab", true, "1 worker"}, {"efefefef", false, "1 worker"}, {"none they tell of", false, "1 worker"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	k := fixtureConfig(plain)
	if k.machines = false; len(configPageOf(k, fixtureNames()).Workers) != 0 {
		t.Error("somebody who does not run the installation sees its machines")
	}
}

// TestADiffIsMaskedForThoseWhoSeeNoNumbers, and shows of a long text the lines that differ.
func TestADiffIsMaskedForThoseWhoSeeNoNumbers(t *testing.T) {
	t.Parallel()
	i := change.Item{Kind: "settings", Change: change.Changed, Fields: []change.Field{{Name: "body", Before: "Ring\n+44 7700 900555\nBye", After: "Ring\n+44 7700 900777\nBye"}}}
	if got := itemOf(i, true).Fields[0]; got != (fieldView{"body", "+44 7700 900555", "+44 7700 900777"}) {
		t.Errorf("%+v", got)
	}
	i.Fields = []change.Field{{Name: "from.sms", Before: "+442071838750", After: "+447700900777"}}
	if got := itemOf(i, false).Fields[0]; got.Before == "+442071838750" || got.After == "+447700900777" {
		t.Errorf("%+v", got)
	}
}

// TestARollbackSaysWhyItCannotBe before anybody tries.
func TestARollbackSaysWhyItCannotBe(t *testing.T) {
	t.Parallel()
	rev := &automation.Revision{AccountID: "acme"}
	for name, c := range map[string]struct {
		to        string
		authority store.Origin
		shut      bool
	}{
		"no door yet": {"r1", "", false}, "by apply": {"r1", store.ByCLI, false}, "a folder": {"r1", store.ByFiles, true}, "active already": {"r2", store.ByCLI, true},
	} {
		g := goingBack{account: store.Account{ID: "acme", Authority: c.authority}, from: revisionName{id: "r2"}, to: revisionName{id: c.to}, now: rev, rev: rev}
		if p := rollbackView(g, true, names{}); (p.Shut != "") != c.shut || p.First != (c.authority == "") || p.Base != "r2" {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
