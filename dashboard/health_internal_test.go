package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

// fixtureSituation is an hour in which everything went wrong that can. text writes what comes from outside.
func fixtureSituation(text func(string) string) situation {
	s := situation{now: began, zone: time.UTC, working: 2, account: "acme"}
	s.Since, s.Capped, s.Slices = began.Add(-50*time.Minute), true, make([]store.Slice, store.OverviewSlices)
	for n := range s.Slices {
		s.Slices[n] = store.Slice{Received: 10 + n, Decided: 10, Fired: 4, Sent: 9, Failing: n % 3}
	}
	s.Troubles = []store.Trouble{
		{State: store.Failed, Channel: "email", Provider: text("sendgrid"), Class: text("auth"), Deliveries: 3, Newest: began},
		{State: store.Unknown, Channel: "sms", Class: text("timeout"), Deliveries: 1, Newest: began},
		{State: store.Retrying, Channel: text("chatter"), Deliveries: 2, Newest: began},
	}
	s.Waiting = store.Waiting{Calls: 12, ForModel: 4, OldestID: text("3d1f9a52"), OldestAt: began.Add(-14 * time.Minute)}
	s.Review = store.Review{Unsure: 3, Held: store.ReviewMost, Unknown: 1}
	s.Model = []store.ModelAnswers{
		{Endpoint: text("127.0.0.1:4"), Model: text("simulated-1"), Simulated: true, Valid: true, Calls: 5, Newest: began},
		{Model: text("simulated-1"), ErrorKind: text("rate_limited"), Calls: 5, Newest: began},
	}
	s.Fired = []store.AutomationFired{
		{AccountID: "acme", Automation: text("callback-requested"), Last: began, Thirtieth: began.Add(-time.Minute), CallsNow: 31, CallsBefore: 200},
		{AccountID: "acme", Automation: text("complaint"), Last: began.AddDate(0, 0, -20)},
		{AccountID: "acme", Automation: text("sales-lead")},
	}
	s.Config = store.LastChange{AccountID: "acme", By: text("maria"), Message: text("mend the subject"), Digest: text("9f2b71c0a4dd8b12"), At: began}
	s.configs = configTroubles(fixtureTroubles(text("x")), func(string) names { return fixtureNames() })
	s.stops = stopped(fixtureStops(), 2_000_000, began, func(string) names { return fixtureNames() })
	return s
}

func TestHealthIsOneSentenceWithItsCauses(t *testing.T) {
	t.Parallel()
	calls := []store.Slice{{Received: 3, Decided: 3}}
	for name, test := range map[string]struct {
		is     situation
		want   string
		causes []string
	}{
		"quiet":   {situation{working: 1}, "healthy: It works and it is quiet", nil},
		"fine":    {situation{working: 1, Overview: store.Overview{Slices: calls}}, "healthy: It works: 3 calls came in during the last hour, none waits that is due", nil},
		"nobody":  {situation{}, "not healthy: No worker is running: calls are accepted, and nothing is decided or sent.", []string{"No worker is running"}},
		"waiting": {situation{working: 1, Overview: store.Overview{Waiting: store.Waiting{Calls: 1, OldestAt: began.Add(-3 * time.Minute)}}}, "have a look: It works. 1 call is due", []string{"1 call is due and not decided; the oldest has waited for 3 minutes."}},
		"too long": {situation{working: 1, Overview: store.Overview{Waiting: store.Waiting{Calls: 2000, ForModel: 7, OldestAt: began.Add(-3 * time.Hour)}}}, "not healthy",
			[]string{"2000+ calls are due and not decided, 7 of them for want of the model; the oldest has waited for 3 hours."}},
		"not long yet":   {situation{working: 1, Overview: store.Overview{Waiting: store.Waiting{Calls: 9, OldestAt: began.Add(-time.Minute)}}}, "healthy", nil},
		"review is work": {situation{working: 1, Overview: store.Overview{Review: store.Review{Held: 9}}}, "healthy", nil},
		"a model that slips": {situation{working: 1, Overview: store.Overview{Model: []store.ModelAnswers{{Valid: true, Calls: 40}, {ErrorKind: "server", Calls: 9}}}},
			"healthy", nil},
		"a model that fails": {situation{working: 1, Overview: store.Overview{Model: []store.ModelAnswers{{Valid: true, Calls: 36}, {ErrorKind: "rate_limited", Calls: 9}}}},
			"not healthy", []string{"The model failed 9 of the last 45 times: rate limited."}},
		"failing": {situation{working: 1, Overview: store.Overview{Troubles: []store.Trouble{{State: store.Failed, Channel: "email", Class: "auth", Deliveries: 2},
			{State: store.Retrying, Channel: "sms", Deliveries: 1}}}}, "not healthy: 2 deliveries failed in the last hour: e-mail auth. And 1 more thing.",
			[]string{"2 deliveries failed in the last hour: e-mail auth.", "1 delivery is to be tried again in the last hour: text message without a class."}},
		"runaway": {situation{working: 1, Overview: store.Overview{Fired: []store.AutomationFired{{AccountID: "acme", Automation: "complaint", CallsNow: 40, CallsBefore: 160}}}},
			"have a look", []string{"Complaint fired on 30 of the last 40 calls; the 30 times before took 160 calls."}},
		"held": {situation{working: 1, breakers: []store.Breaker{{AccountID: "acme", Automation: "complaint", Open: true}, {AccountID: "acme", Automation: "sales-lead"}}},
			"not healthy", []string{"Complaint fires too often: what it would send or write is held."}},
		"always fires": {situation{working: 1, Overview: store.Overview{Fired: []store.AutomationFired{{AccountID: "acme", Automation: "complaint", CallsNow: 30, CallsBefore: 30}}}}, "healthy", nil},
	} {
		test.is.now = began
		h := test.is.health(func(string) names { return fixtureNames() })
		var causes []string
		for _, c := range h.Causes {
			causes = append(causes, c.Sentence)
		}
		match := len(causes) == len(test.causes)
		for n := range causes {
			match = match && strings.HasPrefix(causes[n], test.causes[n])
		}
		if !strings.HasPrefix(h.Word+": "+h.Sentence, test.want) || !match {
			t.Errorf("%s: %s: %s %q, want %q %q", name, h.Word, h.Sentence, causes, test.want, test.causes)
		}
	}
}

func TestASparklineShowsWhatIsThere(t *testing.T) {
	t.Parallel()
	got := sparkline("Received", []int{0, 1, 100, 50})
	want := spark{"Received, in steps of five minutes: from 0 to 100", []bar{{30, 26, 28, 2}, {60, 0, 28, 28}, {90, 14, 28, 14}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := sparkline("Fired", []int{0, 0}); len(got.Bars) != 0 || got.Said != "Fired, in steps of five minutes: none" {
		t.Errorf("%+v", got)
	}
}

func TestTheOverviewSaysWhatItKnows(t *testing.T) {
	t.Parallel()
	of := func(string) names { return fixtureNames() }
	page := renderPages(t, map[string]answer{"o": {Template: "overview", Title: "Overview", View: overviewView(fixtureSituation(plain), of)}})["o"]
	text := textOf(page)
	for _, want := range []string{
		"not healthy", "12 calls are due and not decided, 4 of them for want of the model; the oldest has waited for 14 minutes.", "The newest 2000 calls, since 20 Nov, 13:12",
		"Received 186", "Failing 12", "Waiting 12", "100+ held", "3 unsure", "Complaint", "20 days ago", "1 has never fired.", "mend the subject", "2 workers at work",
		"And 8 more things.", "E-mail by sendgrid", "rate limited", "Callback requested fired on 30 of the last 31 calls",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q in\n%s", want, text)
		}
	}
	for length, want := range map[time.Duration]string{30 * time.Second: "less than a minute", 90 * time.Second: "1 minute", 5 * time.Hour: "5 hours", 72 * time.Hour: "3 days"} {
		if got := ago(length); got != want {
			t.Errorf("%s: %q, want %q", fmt.Sprint(length), got, want)
		}
	}
}
