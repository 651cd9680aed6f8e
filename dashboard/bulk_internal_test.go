package dashboard

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
	"aftercall/reason"
)

// bulkPages lays out the pages of bulk jobs, with text in everything that somebody types or says.
func bulkPages(text func(string) string, n names) map[string]answer {
	page := func(template string, view any) answer {
		return answer{Template: template, Title: template, Section: "deliveries", View: view}
	}
	jobs := fixtureBulks(text)
	of := func(string) names { return n }
	list := bulkList(text("acme"), text("b"), jobs, text("c"), of)
	list.Ask = askPath
	running := bulkPageOf(jobs[0], fixtureBulkItems(text), true, text("d"), n)
	running.Abort = running.Path + "/abort"
	ask := bulkForm(url.Values{"action": {"resend"}, "class": {text("timeout")}, "automation": {text("callback")}, "reason": {text("held")}, "after": {text("7d")}},
		[]choice{{"acme", text("Acme Clinic"), true}, {text("umbra"), text("Umbra"), false}}, []string{text("callback")})
	ask.Problems = []string{"Say which state they are in. " + text("x")}
	sure := ask
	sure.Problems, sure.Sure = nil, sureOf(text("acme"), jobs[0].Request, 10_000, true, began, n)
	nothing := sure
	nothing.Sure = sureOf(text("acme"), jobs[1].Request, 0, false, began, n)
	askAgain := page("bulk_ask", ask)
	askSure, askNothing := page("bulk_ask", sure), page("bulk_ask", nothing)
	askAgain.Draft, askSure.Draft, askNothing.Draft = true, true, true
	return map[string]answer{
		"bulks":                  page("bulks", list),
		"no bulks":               page("bulks", bulkList("", "", nil, "", of)),
		"bulk, running":          page("bulk", running),
		"bulk, aborted":          page("bulk", bulkPageOf(jobs[1], nil, false, "", n)),
		"bulk, of nothing known": page("bulk", bulkPageOf(store.Bulk{}, []store.BulkItem{{ID: "i"}}, false, "", n)),
		"bulk asked":             askAgain,
		"bulk counted":           askSure,
		"bulk of nothing":        askNothing,
	}
}

func fixtureBulks(text func(string) string) []store.Bulk {
	filter := store.BulkFilter{Since: began.Add(-time.Hour), Until: began, Channel: text("email"), State: store.DeliveryState(text("failed")), Class: text("timeout"),
		Automation: text("callback-requested"), Reason: reason.Code(text("render_failed")), Domain: text("acme.example")}
	ann := store.Actor{Name: text("ann@acme.example")}
	return []store.Bulk{
		{ID: "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", AccountID: "acme", Request: store.BulkRequest{Action: store.BulkResend, Filter: filter}, By: ann,
			State: store.BulkRunning, Counted: 312, Done: 120, Refused: 3, Failed: 1, AskedAt: began},
		{ID: text("b2"), AccountID: "acme", Request: store.BulkRequest{Action: store.BulkAction(text("replay_active")), Sandbox: true, Filter: filter}, By: ann,
			State: store.BulkAborted, Counted: 10_000, More: true, Done: 9, AskedAt: began, EndedAt: began.Add(time.Minute), EndedBy: text("bob@acme.example")},
		{ID: "b3", AccountID: text("acme"), Request: store.BulkRequest{Action: store.BulkSettleSent, Filter: filter}, State: store.BulkEnded, Counted: 2, Done: 2},
	}
}

func fixtureBulkItems(text func(string) string) []store.BulkItem {
	return []store.BulkItem{
		{ID: "d1", ConversationID: "c1", Result: store.BulkDone, Made: "d2", At: began},
		{ID: "d3", ConversationID: text("c2"), Result: store.BulkRefused, Detail: text("It was sent already."), At: began},
		{ID: "d4", ConversationID: "00000000-0000-0000-0000-000000000000", Result: store.BulkFailed, Detail: "It failed; the log has the fault.", At: began},
	}
}

// TestWhatIsAskedForIsOfOneMoment: times are written out when a filter is read, and there always are two.
func TestWhatIsAskedForIsOfOneMoment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in           url.Values
		since, until time.Time
		problems     int
	}{
		"nothing said":   {url.Values{}, began.Add(-24 * time.Hour), began, 0},
		"a week":         {url.Values{"after": {"7d"}}, began.Add(-7 * 24 * time.Hour), began, 0},
		"ever":           {url.Values{"after": {"any"}}, time.Unix(0, 0), began, 0},
		"until":          {url.Values{"after": {"any"}, "until": {"1h"}}, time.Unix(0, 0), began.Add(-time.Hour), 0},
		"no time":        {url.Values{"after": {"soon"}}, time.Unix(0, 0), began, 1},
		"no such reason": {url.Values{"reason": {"because"}}, began.Add(-24 * time.Hour), began, 1},
	} {
		b, problems := bulkAsked(c.in, began, time.UTC)
		if len(problems) != c.problems || !b.Filter.Since.Equal(c.since) || !b.Filter.Until.Equal(c.until) {
			t.Errorf("%s: from %s until %s with %v", name, b.Filter.Since, b.Filter.Until, problems)
		}
	}
}

// TestAListsFilterIsTakenOver: what stands in the list of deliveries stands in the job that is asked for from it.
func TestAListsFilterIsTakenOver(t *testing.T) {
	t.Parallel()
	failed := deliveriesAsked{after: "7d", DeliveryQuery: store.DeliveryQuery{AccountID: "acme", State: store.Failed, Channel: "sms", Class: "timeout", Automation: "a"}}
	want := []tab{{"Send again", "/bulk/ask?account=acme&action=resend&after=7d&automation=a&channel=sms&class=timeout&state=failed", false}}
	if d := cmp.Diff(want, failed.doorsToAll()); d != "" {
		t.Error(d)
	}
	held := deliveriesAsked{DeliveryQuery: store.DeliveryQuery{State: store.Held}}
	if doors := held.doorsToAll(); len(doors) != 2 || doors[0].Path != "/bulk/ask?action=release&after=any&state=held" {
		t.Errorf("held: %+v", doors)
	}
	narrowed := failed
	narrowed.Domain = "acme.example"
	if doors := narrowed.doorsToAll(); len(doors) != 1 || doors[0].Path != strings.Replace(want[0].Path, "&state", "&domain=acme.example&state", 1) {
		t.Errorf("by a domain: %+v", doors)
	}
	b, _ := bulkAsked(url.Values{"action": {"resend"}, "state": {"failed"}, "domain": {" acme.example "}}, began, time.UTC)
	if facts := sureOf("acme", b, 1, false, began, names{}); b.Filter.Domain != "acme.example" || !slices.Contains(facts.Filter, fact{"domain", "acme.example"}) ||
		!slices.Contains(facts.Carried, fact{"domain", "acme.example"}) {
		t.Errorf("what is asked for, narrowed to a domain: %+v", facts)
	}
	for name, a := range map[string]deliveriesAsked{"in any state": {}, "sent": {DeliveryQuery: store.DeliveryQuery{State: store.Sent}}} {
		if doors := a.doorsToAll(); len(doors) != 0 {
			t.Errorf("%s: %+v", name, doors)
		}
	}
}
