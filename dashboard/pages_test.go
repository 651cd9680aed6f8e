package dashboard

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// The templates are tested from inside the package: what they get is a view, and a view is not exported.

// everyPage lays out every page, with all that a store can hand over written by text.
func everyPage(story store.Story, rows []store.ConversationRow, kept []store.Captured, n names) map[string]answer {
	of := func(string) names { return n }
	list := conversationList(fixtureListed(story.Digest, story.AccountID, story.Digest), rows, story.Digest, of)
	list.Stops = stopped(fixtureStops(), 2_000_000, began, of)
	found := conversationList(fixtureListed(story.Digest, story.AccountID, story.Digest), nil, "", of)
	found.Alone = []aloneRow{{Type: story.Digest, Path: eventPath("e-1"), Source: story.Digest, Account: story.AccountID, At: shortly(began, time.UTC)}}
	list.Configs = configTroubles(fixtureTroubles(story.Digest), of)
	hour := fixtureSituation(func(s string) string { return or(story.Digest, s) })
	if story.Digest == "" {
		hour = situation{zone: time.UTC}
	}
	as := map[string]answer{
		"overview":      {Template: "overview", Title: "Overview", Section: "overview", View: overviewView(hour, of)},
		"deliveries":    {Template: "deliveries", Title: "Deliveries", Section: "deliveries", View: deliveryList(fixtureDeliveriesAsked(store.Failed, story.Digest), fixtureDeliveryRows(func(s string) string { return or(story.Digest, s) }), story.Digest, of)},
		"conversation":  {Template: "conversation", Title: "Conversation", Section: "conversations", View: fixturePage(story, n, func(string) string { return story.Digest })},
		"model call":    fixtureCall(story),
		"event":         fixtureEvent(func(s string) string { return or(story.Digest, s) }, n),
		"act":           fixtureAct(story, n),
		"conversations": {Template: "conversations", Title: "Conversations", Section: "conversations", View: list},
		"events found":  {Template: "conversations", Title: "Conversations", Section: "conversations", View: found},
		"captured list": {Template: "captured_list", Title: "Captured", Section: "captured", View: capturedRows(story.AccountID, "", "", kept, story.Digest, of)},
		"workbench":     {Template: "workbench", Title: "Workbench", Section: "workbench", View: fixtureWorkbench(story, n), Draft: true},
		"rule":          fixtureRule(),
		"sign in":       {Template: "sign_in", Title: "Sign in", View: signInPage{Next: story.Digest, Email: story.Digest, Said: story.Digest, OIDC: address(oidcPath, "next", story.Digest)}, Draft: true},
		"password":      passwordAnswer(passwordPage{Email: story.Digest, Said: story.Digest, Changed: true}, 0),
		"no password":   passwordAnswer(passwordPage{Email: story.Digest, Elsewhere: true}, 0),
		"softphone": {Template: "softphone", Title: "Softphone", Section: "alerts", View: softphonePage{Accounts: []choice{{story.AccountID, story.Digest, true}}, Account: story.AccountID, Agent: story.Digest, New: []string{story.Digest},
			Cards: []popUpCard{{Text: story.Digest, Automation: story.Digest, Call: conversationPath("c"), Named: story.Digest, At: shortly(began, time.UTC)}}}},
		"nobody's softphone": {Template: "softphone", Title: "Softphone", Section: "alerts", View: softphonePage{}},
		"problem":            {Template: "problem", Title: "Problem", View: problemOf(store.ErrNotFound)},
	}
	maps.Copy(as, settingsPages(func(string) string { return story.Digest }, of))
	maps.Copy(as, deskPages(story, n))
	maps.Copy(as, automationPages(story.Digest, n))
	maps.Copy(as, reviewPages(story, n))
	maps.Copy(as, bulkPages(func(string) string { return story.Digest }, n))
	maps.Copy(as, configPages(func(string) string { return story.Digest }, n))
	maps.Copy(as, queuePages(func(string) string { return story.Digest }))
	for _, m := range kept {
		as["captured "+m.ID] = answer{Template: "captured", Title: "Captured", Section: "captured", View: capturedMessage(m, n)}
	}
	return as
}

func fixturePages(text func(string) string) map[string]answer {
	return everyPage(fixtureStory(text), fixtureRows(text), fixtureCaptured(text), fixtureNames())
}

func renderPages(t *testing.T, answers map[string]answer) map[string]*html.Node {
	t.Helper()
	ps, err := newPages(site{Release: "v1", Simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]*html.Node{}
	for name, a := range answers {
		body, version, err := ps.render(a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if (version == "") != a.Draft {
			t.Errorf("%s has the version %q", name, version)
		}
		if nodes[name], err = html.Parse(strings.NewReader(string(body))); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return nodes
}

func TestEveryPageIsSound(t *testing.T) {
	t.Parallel()
	for fixture, answers := range map[string]map[string]answer{
		"zero": everyPage(store.Story{}, nil, []store.Captured{{}}, names{}),
		"full": fixturePages(plain),
	} {
		for name, page := range renderPages(t, answers) {
			t.Run(fixture+" "+name, func(t *testing.T) {
				t.Parallel()
				for _, fault := range faults(page) {
					t.Error(fault)
				}
			})
		}
	}
}

// TestEveryTemplateIsAPage fails for a template that no test executes.
func TestEveryTemplateIsAPage(t *testing.T) {
	t.Parallel()
	executed := map[string]bool{"layout.html": true, "parts.html": true, "search.html": true, "settings_parts.html": true, "chart.html": true, "ledger.html": true,
		"workbench_parts.html": true, "workbench_try.html": true, "desk_parts.html": true, "alerts_latest.html": true} // around and inside the others
	for _, a := range fixturePages(plain) {
		executed[a.Template+".html"] = true
	}
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !executed[e.Name()] {
			t.Errorf("no test executes %s", e.Name())
		}
	}
}

func TestPayloadsAreText(t *testing.T) {
	t.Parallel()
	n := names{}
	pagesWith := func(s string) map[string]*html.Node {
		story, rows, kept := fixtureStory(plain), fixtureRows(plain), fixtureCaptured(plain)
		for _, v := range []any{&story, rows, kept} {
			writeStrings(reflect.ValueOf(v), s)
		}
		return renderPages(t, everyPage(story, rows, kept, n))
	}
	harmless := map[string]string{}
	for _, word := range []string{"harmless", "harm:less"} { // what stands before a colon is a kind of recipient
		for name, page := range pagesWith(word) {
			harmless[word+" "+name] = shape(page)
		}
	}
	for _, payload := range payloads() {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			for name, page := range pagesWith(payload) {
				// A captured message's name in the map is its id, which is the payload here.
				word := "harmless"
				if strings.Contains(payload, ":") {
					word = "harm:less"
				}
				want, ok := harmless[word+" "+strings.Replace(name, payload, word, 1)]
				if !ok {
					t.Fatalf("no harmless page for %q", name)
				}
				if diff := cmp.Diff(want, shape(page)); diff != "" {
					t.Errorf("%s: elements or attributes come from the payload:\n%s", name, diff)
				}
				for _, fault := range leaks(page) {
					t.Errorf("%s: %s", name, fault)
				}
			}
		})
	}
}

// payloads are what somebody might say, or be called, to make a page do something.
func payloads() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `javascript:alert(1)`,
		`jAvAsCrIpT:alert(1)//https://x.example`, `data:text/html,<script>alert(1)</script>`, `</title><script>alert(1)</script>`,
		`</textarea></style></script><iframe srcdoc="<script>alert(1)</script>">`, `" autofocus onfocus=alert(1) x="`,
		`{{.Config}}{{template "layout.html"}}`, "`${alert(1)}`", `<!--><img src=x onerror=alert(1)>-->`, `&lt;img src=x onerror=alert(1)&gt;`,
		`a" style="position:fixed" class="x`, "a\u202e\u0000\u2028alert", `//evil.example/%2e%2e/x?y#z`, `../../admin/river/`,
	}
}

// writeStrings sets every string that can be reached to s, keys of maps included.
func writeStrings(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			writeStrings(v.Elem(), s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				writeStrings(v.Field(i), s)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(s))
			return
		}
		for i := range v.Len() {
			writeStrings(v.Index(i), s)
		}
	case reflect.Map:
		if v.Len() > 0 && v.Type().Key().Kind() == reflect.String {
			m := reflect.MakeMap(v.Type())
			m.SetMapIndex(reflect.ValueOf(s).Convert(v.Type().Key()), reflect.ValueOf(s).Convert(v.Type().Elem()))
			v.Set(m)
		}
	case reflect.String:
		v.SetString(s)
	}
}

// The pages a person opens at night: the cause must stand on the page, in words, with its remedy.
func TestThePageNamesTheCause(t *testing.T) {
	t.Parallel()
	page := textOf(renderPages(t, fixturePages(plain))["conversation"])
	for _, want := range []string{
		"3 of 7 automations fired, 1 unsure, 1 sent, 1 delivered, 1 alert posted, 1 captured, 1 planned, 1 held, 1 failed, 1 unknown, 1 skipped, 1 task written.",
		"auth 401: the provided authorization grant is invalid",
		"A request went out and no answer was kept",
		reason.VariableMissingForCustomer.Sentence(), reason.VariableMissingForCustomer.Remedy(),
		reason.Unsure.Sentence(), reason.FilteredAgent.Sentence(), reason.RecipientsEmpty.Sentence(),
		"simulated model", "account.yaml:20", "turn 5", "4420 tokens in", "1 time with another body", "20 Nov 2026, 14:02:31 GMT",
		"Webhook analysis.completed accepted after the decision", "Job: Decide completed attempt 2", "due 10 min 0 s after it was planned", "2 attempts",
		"claim 2, by worker w-4f1", "sent again for this one", "Send, text message",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	list := textOf(renderPages(t, fixturePages(plain))["conversations"])
	for _, want := range []string{"Callback requested", "1 failed", "1 unknown", "1 held for a person", "1 unsure, to review",
		"1 captured", "1 task written", "2 tasks written", "1 alert posted", "test call", "waits for the model", "nothing fired", "simulated model",
		"last accepted first", "started 20 Nov, 14:02"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
}

func TestStatesHaveWordsAndIcons(t *testing.T) {
	t.Parallel()
	ps, err := newPages(site{})
	if err != nil {
		t.Fatal(err)
	}
	icon := func(name string) string {
		var b strings.Builder
		if err := ps.tree.ExecuteTemplate(&b, "icon", name); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, s := range []store.DeliveryState{store.Planned, store.Sending, store.Retrying, store.Sent, store.Delivered,
		store.Held, store.Failed, store.Skipped, store.Cancelled, store.Unknown} {
		b := deliveryBadge(s)
		if b.Word == "" || b.Tone == "" {
			t.Errorf("state %s has no badge: %+v", s, b)
		}
		if icon(b.Icon) == icon("nothing of that name") && b.Icon != "dash" {
			t.Errorf("state %s: there is no icon %q", s, b.Icon)
		}
		if w := whyDelivery(store.StoryDelivery{Delivery: store.Delivery{State: s}}); w.Sentence == "" {
			t.Errorf("state %s is not explained", s)
		}
	}
}

func TestFollowable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://platform.example/c/1": "https://platform.example/c/1", "http://platform.example": "http://platform.example",
		"javascript:alert(1)": "", "data:text/html,x": "", "//evil.example": "", "/local": "", "": "", "https://": "", "%zz": "",
	} {
		if got := followable(in); got != want {
			t.Errorf("followable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTimesAreShownInTheZone(t *testing.T) {
	t.Parallel()
	got := at(began, fixtureNames().zone())
	want := moment{"20 Nov 2026, 14:02:31 GMT", "2026-11-20 14:02:31 UTC", "2026-11-20T14:02:31Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for seconds, want := range map[int]string{0: "0:00", 65: "1:05", 3599: "59:59", 4503: "1:15:03"} {
		if got := length(time.Duration(seconds) * time.Second); got != want {
			t.Errorf("length(%d s) = %q, want %q", seconds, got, want)
		}
	}
}

func TestTheVersionFollowsTheContent(t *testing.T) {
	t.Parallel()
	ps, err := newPages(site{})
	if err != nil {
		t.Fatal(err)
	}
	version := func(a answer) string {
		_, v, err := ps.render(a)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	story := fixtureStory(plain)
	page := func() answer {
		return answer{Template: "conversation", View: fixturePage(story, fixtureNames(), plain)}
	}
	before, again := version(page()), version(page())
	if before != again {
		t.Error("the same content has two versions")
	}
	story.Deliveries[4].State = store.Sent
	if version(page()) == before {
		t.Error("another state has the same version")
	}
}

func TestRunsStandApart(t *testing.T) {
	t.Parallel()
	story := fixtureStory(plain)
	for _, d := range fixtureDecisions(plain) {
		d.Run = 2
		story.Decisions = append(story.Decisions, d)
	}
	page := renderPages(t, map[string]answer{"p": {Template: "conversation", Title: "t", View: fixturePage(story, fixtureNames(), plain)}})["p"]
	for _, fault := range faults(page) {
		t.Error(fault)
	}
	if text := textOf(page); !strings.Contains(text, "run 1") || !strings.Contains(text, "run 2") {
		t.Error("the runs are not named")
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{Loopback: true}); err == nil {
		t.Error("New without a store gives no error")
	}
}

func TestAModelThatIsAwayIsOneCard(t *testing.T) {
	t.Parallel()
	story := store.Story{State: store.StateWaiting}
	for _, id := range []string{"a", "b", "c"} {
		story.Decisions = append(story.Decisions, store.StoryDecision{Run: 1, Decision: triggers.Decision{Automation: id,
			Verdict: triggers.Waiting, Reason: reason.ModelUnavailable, Detail: "the model refuses the key (401), says " + id}})
	}
	l := ledger{story: story, zone: time.UTC}
	want := []attention{{badge{"waiting", "clock", "info"}, "3 automations wait for the model", "#automation-a",
		whyCode(reason.ModelUnavailable), "the model refuses the key (401), says a"}}
	if diff := cmp.Diff(want, l.attention(), cmp.AllowUnexported(attention{})); diff != "" {
		t.Error(diff)
	}
	l.story.Decisions = story.Decisions[:1]
	if got := l.attention(); len(got) != 1 || got[0].Title != "a" {
		t.Errorf("one automation that waits: %+v", got)
	}
}

func TestWhatNeedsAPersonStandsAtTheTop(t *testing.T) {
	t.Parallel()
	delivery := func(s store.DeliveryState, channel, provider string) store.StoryDelivery {
		return store.StoryDelivery{Provider: provider, Delivery: store.Delivery{State: s, Channel: channel}}
	}
	unsure := store.StoryDecision{Decision: triggers.Decision{Verdict: triggers.Unsure, Review: true}}
	for name, test := range map[string]struct {
		story       store.Story
		marks, list []string
	}{
		"nothing": {store.Story{}, []string{"decided"}, []string{"nothing fired"}},
		"sent and kept": {store.Story{Deliveries: []store.StoryDelivery{delivery(store.Sent, deliver.SMS, "twilio"),
			delivery(store.Sent, deliver.Email, "capture"), delivery(store.Sent, deliver.TeamAlert, "capture"),
			delivery(store.Sent, deliver.Task, ""), delivery(store.Sent, deliver.TeamAlert, "team_alert")}},
			[]string{"decided"}, []string{"1 sent", "2 captured", "1 task written", "1 alert posted"}},
		"held": {store.Story{Deliveries: []store.StoryDelivery{delivery(store.Held, deliver.Email, ""), delivery(store.Sent, deliver.Email, "smtp")}},
			[]string{"1 held for a person"}, []string{"1 held for a person", "1 sent"}},
		"all at once": {store.Story{Decisions: []store.StoryDecision{unsure}, Deliveries: []store.StoryDelivery{
			delivery(store.Held, deliver.Email, ""), delivery(store.Unknown, deliver.Email, ""), delivery(store.Failed, deliver.Email, "")}},
			[]string{"1 failed", "1 unknown", "1 held for a person", "1 unsure, to review"}, []string{"1 failed", "1 unknown", "1 held for a person", "1 unsure, to review"}},
		"retrying": {store.Story{Deliveries: []store.StoryDelivery{delivery(store.Retrying, deliver.Email, "")}},
			[]string{"needs a look"}, []string{"1 on the way"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.story.State = store.StateDecided
			l := ledger{story: test.story, zone: time.UTC}
			if diff := cmp.Diff(test.marks, wordsOf(l.marks(len(l.attention()) > 0))); diff != "" {
				t.Errorf("at the top: %s", diff)
			}
			if diff := cmp.Diff(test.list, wordsOf(outcomes(l.tally()))); diff != "" {
				t.Errorf("in the list: %s", diff)
			}
		})
	}
}

func wordsOf(os []outcome) []string {
	var ws []string
	for _, o := range os {
		ws = append(ws, o.Word)
	}
	return ws
}
