package store_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// searches ask for a page in every way there is: by the query, and by the index and the condition that must bound it.
func searches() map[string]store.ConversationQuery {
	return map[string]store.ConversationQuery{
		"ListConversations, conversations_by_account, id <":                                {},
		"ListUndecided, conversations_undecided_by_account, id <":                          {State: store.StateWaiting},
		"ListTroubled, deliveries_troubled, state =":                                       {Outcome: store.OutcomeHeld},
		"ListTroubledOf, deliveries_troubled_of, automation =":                             {Outcome: store.OutcomeHeld, Automation: "callback"},
		"ListUnsure, decisions_unsure, conversation_id <":                                  {Outcome: store.OutcomeUnsure},
		"ListFired, decisions_fired_run, automation =":                                     {Automation: "callback"},
		"ListOfAgent, conversations_by_agent, agent_id =":                                  {Agent: "a"},
		"ListOfAgent, conversations_by_agent_name, agent_name =":                           {Agent: "nobody"},
		"AgentsNamed, conversations_by_agent_name, agent_name >":                           {Agent: "robin"},
		"ListOfChannel, conversations_by_channel, channel =":                               {Channel: "chat"},
		"ConversationRows, decisions_unsure, account_id = c.account_id.*conversation_id =": {},
		"SiftConversations, conversations_pkey, id =":                                      {Outcome: store.OutcomeNone},
		"SearchConversations, attempts_by_provider_id, provider_id =":                      {Search: "old-7"},
		"SearchConversations, conversations_by_phone, phone_key =":                         {Search: "+447000000007"},
		"SearchConversations, conversations_by_far_phone, phone_key =":                     {Search: "7"},
		"SearchConversations, conversations_by_email, email_key =":                         {Search: "p7@example.com"},
		"SearchConversations, deliveries_pkey, id =":                                       {Search: "0192f3a4-0000-7000-8000-000000000007"},
		"SearchConversations, beside_calls_by_call, call_id =":                             {Search: "old-7"},
		"SearchConversations, decisions_fired_run, automation =":                           {Search: "callback"},
		"SearchConversations, conversations_external_id, external_id =":                    {Search: "callback", Outcome: store.OutcomeNone},
	}
}

func searchAll(t *testing.T, r *store.Reader) {
	t.Helper()
	for name, q := range searches() {
		if _, _, err := r.Conversations(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func keepViews(t *testing.T, h *house) {
	t.Helper()
	by := store.Actor{Name: "test"}
	if err := h.SaveView(t.Context(), by, store.View{AccountID: "acme", Name: "mine", Query: "outcome:held"}); err != nil {
		t.Fatal(err)
	}
	views, err := h.Views(t.Context(), by, "acme")
	if err != nil || len(views) != 1 {
		t.Fatalf("%+v, %v", views, err)
	}
	if account, err := h.DropView(t.Context(), by, views[0].ID); err != nil || account != "acme" {
		t.Fatalf("%q, %v", account, err)
	}
}

// TestSearchesWalkTheirIndex explains each way of asking as the pages run it, under row security.
func TestSearchesWalkTheirIndex(t *testing.T) {
	t.Parallel()
	h := filled(t)
	for name, q := range searches() {
		h.boundBy(t, name, func(r *store.Reader) error {
			_, _, err := r.Conversations(t.Context(), q)
			return err
		})
	}
}

// filled is a house with old calls in it.
func filled(t *testing.T) *house {
	t.Helper()
	h := open(t, store.Options{})
	h.exec(t, filler, h.revision)
	h.exec(t, "VACUUM ANALYZE") // as it is in life: an index alone can answer
	return h
}

// boundBy asks, and has the planner explain one of the statements: it must walk an index, and no more of it than a condition
// leaves. name says which, with commas between.
func (h *house) boundBy(t *testing.T, name string, ask func(r *store.Reader) error) {
	t.Helper()
	said := strings.Split(name, ", ")
	text := h.planOf(t, said[0], ask)
	bound := regexp.MustCompile(said[1] + `.*\n\s*Index Cond: .*` + said[2])
	if scan := regexp.MustCompile(`Seq Scan on (?:` + growing + `)\b`); scan.MatchString(text) || !bound.MatchString(text) {
		t.Errorf("%s is not bound by %s:\n%.4000s", said[0], bound, text)
	}
}

// planOf asks, and has the planner explain one of the statements as the pages run it.
func (h *house) planOf(t *testing.T, statement string, ask func(r *store.Reader) error) (text string) {
	t.Helper()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	pages, err := store.Open(t.Context(), h.url, store.Options{Pool: 1, Pages: 1, Ingest: -1, Tracer: passed})
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	if err := ask(pages.Within(store.Only("acme"))); err != nil {
		t.Fatal(err)
	}
	asked, ok := passed.seen[statement]
	if !ok {
		t.Fatalf("%s was not asked", statement)
	}
	h.pagesTx(t, "SET LOCAL aftercall.accounts = '{acme}'", func(tx pgx.Tx) {
		rows, err := tx.Query(t.Context(), "EXPLAIN "+asked.SQL, asked.Args...)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		text = strings.Join(plan, "\n")
	})
	return text
}

// found are the platform's ids of what a query finds.
func (h *house) found(t *testing.T, q store.ConversationQuery) []string {
	t.Helper()
	rows, _, err := h.Conversations(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, r := range rows {
		ids = append(ids, r.ExternalID)
	}
	return ids
}

// TestANumberIsFoundHoweverItIsTyped: a short one, too, whose last nine digits differ with its country.
func TestANumberIsFoundHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for id, number := range map[string]string{"london": "+44 7700 900123", "berlin": "+4930901820", "home": "030 901821", "york": "+12125550100"} {
		c := phoneCall(id)
		c.FromNumber = number
		h.accept(t, h.arrival(c))
	}
	for typed, want := range map[string]string{
		"+447700900123": "london", "+44 7700 900123": "london", "07700 900123": "london", "0044 7700-900-123": "london", "(07700) 900 123": "london",
		"+44 (0)7700 900123": "london", "tel:+447700900123": "london", "7700900123": "london",
		"+49 30 901820": "berlin", "030 901820": "berlin", "+49 (0)30 901820": "berlin", "0049 30 90 18 20": "berlin",
		"+49 30 901821": "home", "030901821": "home",
		"(212) 555-0100": "york", "+1 212 555 0100": "york", "2125550100": "york",
	} {
		got := h.found(t, store.ConversationQuery{Search: typed, Regions: []string{"DE", "GB"}})
		if d := cmp.Diff([]string{want}, got); d != "" {
			t.Errorf("%s: %s", typed, d)
		}
	}
	for _, typed := range []string{"+447700900124", "12", "900123x", ""} {
		if got := h.found(t, store.ConversationQuery{Search: typed, Since: time.Now().Add(time.Hour)}); len(got) != 0 {
			t.Errorf("%q finds %v", typed, got)
		}
	}
}

// TestAnEventIsFoundByWhatItSays: by its id as it was posted, and by whichever numbers it brought along.
func TestAnEventIsFoundByWhatItSays(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for id, numbers := range map[string][3]string{
		"to":   {"", "+447700900126", ""},
		"both": {"+442079460000", "+447700900124", ""},
		"out":  {"+442079460001", "+447700900125", "outbound"},
	} {
		e := h.happened("", id)
		e.Conversation.FromNumber, e.Conversation.ToNumber, e.Conversation.Direction = numbers[0], numbers[1], conversation.Direction(numbers[2])
		e.Conversation.Customer = conversation.Customer{}
		h.accept(t, e)
	}
	h.accept(t, h.arrival(phoneCall("out"))) // a call may have the id of an event
	for search, want := range map[string][]string{
		"07700 900126": {"event:to"}, "020 7946 0000": {"event:both"}, "+44 7700 900124": {"event:both"}, "+447700900125": {"event:out"}, "+442079460001": {},
		"to": {"event:to"}, "event:to": {"event:to"}, "out": {"out", "event:out"},
	} {
		if d := cmp.Diff(want, h.found(t, store.ConversationQuery{Search: search, Regions: []string{"GB"}})); d != "" {
			t.Errorf("%s: %s", search, d)
		}
	}
	for id, want := range map[string]string{"to": "event:to", "out": "out"} {
		_, found, err := h.FindConversation(t.Context(), "acme", id)
		if err != nil || h.story(t, found).Conversation.ExternalID != want {
			t.Errorf("%s: %s, %v; want %s", id, found, err, want)
		}
	}
	for number, want := range map[string]int{"+447700900124": 1, "+442079460000": 1, "+447700900125": 1, "+39700900124": 0} {
		who, err := store.ParseCustomer(number)
		if err != nil {
			t.Fatal(err)
		}
		if calls, err := h.CallsOf(t.Context(), "acme", who); err != nil || len(calls) != want {
			t.Errorf("of %s: %+v, %v; want %d", number, calls, err, want)
		}
	}
}

// afternoon are six calls, one of each outcome, told by their ids.
func (h *house) afternoon(t *testing.T) (message string) {
	t.Helper()
	state := map[string]store.DeliveryState{"sent": store.Planned, "held": store.Held, "failed": store.Failed, "unsure": "", "nothing": ""}
	for _, id := range []string{"sent", "held", "failed", "unsure", "nothing"} {
		c := phoneCall(id)
		if id == "nothing" {
			c.Channel, c.Agent = conversation.ChannelChat, conversation.Agent{ID: "desk", Name: "Front Desk"}
		}
		p := h.plan(h.accept(t, h.arrival(c)).ConversationID, 1)
		p.Deliveries[0].State = state[id]
		if p.Deliveries[0].State == store.Held {
			p.Deliveries[0].Reason = reason.VariableMissingForCustomer
		}
		if id == "unsure" || id == "nothing" {
			p.Deliveries, p.Actions, p.Decisions[0].Verdict, p.Decisions[0].Reason = nil, nil, triggers.No, reason.ConditionNotMet
		}
		if id == "unsure" {
			p.Decisions[1].Verdict, p.Decisions[1].Reason, p.Decisions[1].Review = triggers.Unsure, reason.Unsure, true
		}
		h.save(t, p)
		if id == "sent" {
			claimed := h.claim(t, p.ConversationID, "w1")[0]
			o := outcome(claimed, "w1", store.Sent)
			o.ProviderID = "<one.two@mail.example>"
			h.record(t, o)
			message = claimed.ID
		}
	}
	h.accept(t, h.arrival(phoneCall("open")))
	return message
}

func TestASearchIsNarrowed(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	message := h.afternoon(t)
	for name, test := range map[string]struct {
		q    store.ConversationQuery
		want []string
	}{
		"all":                        {store.ConversationQuery{}, []string{"open", "nothing", "unsure", "failed", "held", "sent"}},
		"fired":                      {store.ConversationQuery{Outcome: store.OutcomeFired}, []string{"failed", "held", "sent"}},
		"an automation":              {store.ConversationQuery{Automation: "callback"}, []string{"failed", "held", "sent"}},
		"nothing fired":              {store.ConversationQuery{Outcome: store.OutcomeNone}, []string{"nothing", "unsure"}},
		"one did not fire":           {store.ConversationQuery{Outcome: store.OutcomeNone, Automation: "complaint"}, []string{"nothing", "unsure", "failed", "held", "sent"}},
		"nobody's did not fire":      {store.ConversationQuery{Outcome: store.OutcomeNone, Automation: "nobody's"}, []string{}},
		"held":                       {store.ConversationQuery{Outcome: store.OutcomeHeld}, []string{"held"}},
		"failed":                     {store.ConversationQuery{Outcome: store.OutcomeFailed}, []string{"failed"}},
		"failed, of an automation":   {store.ConversationQuery{Outcome: store.OutcomeFailed, Automation: "callback"}, []string{"failed"}},
		"failed, of another":         {store.ConversationQuery{Outcome: store.OutcomeFailed, Automation: "complaint"}, []string{}},
		"unknown":                    {store.ConversationQuery{Outcome: store.OutcomeUnknown}, []string{}},
		"unsure":                     {store.ConversationQuery{Outcome: store.OutcomeUnsure}, []string{"unsure"}},
		"unsure, of an automation":   {store.ConversationQuery{Outcome: store.OutcomeUnsure, Automation: "complaint"}, []string{"unsure"}},
		"unsure, of another":         {store.ConversationQuery{Outcome: store.OutcomeUnsure, Automation: "callback"}, []string{}},
		"accepted":                   {store.ConversationQuery{State: store.StateAccepted}, []string{"open"}},
		"waiting":                    {store.ConversationQuery{State: store.StateWaiting}, []string{}},
		"decided, by an agent":       {store.ConversationQuery{State: store.StateDecided, Agent: "front desk"}, []string{"nothing"}},
		"an agent, by id":            {store.ConversationQuery{Agent: "desk"}, []string{"nothing"}},
		"an agent, by name":          {store.ConversationQuery{Agent: "Front desk"}, []string{"nothing"}},
		"an agent, of a channel":     {store.ConversationQuery{Agent: "desk", Channel: "phone"}, []string{}},
		"no agent":                   {store.ConversationQuery{Agent: "nobody"}, []string{}},
		"a channel, fired":           {store.ConversationQuery{Channel: "phone", Outcome: store.OutcomeFired}, []string{"failed", "held", "sent"}},
		"a channel":                  {store.ConversationQuery{Channel: "chat"}, []string{"nothing"}},
		"a number and an outcome":    {store.ConversationQuery{Search: "07700900123", Outcome: store.OutcomeHeld}, []string{"held"}},
		"a provider's id":            {store.ConversationQuery{Search: "<one.two@mail.example>"}, []string{"sent"}},
		"a delivery's id":            {store.ConversationQuery{Search: message}, []string{"sent"}},
		"an automation, searched":    {store.ConversationQuery{Search: "callback"}, []string{"failed", "held", "sent"}},
		"an e-mail address":          {store.ConversationQuery{Search: "ANN@example.com", Channel: "chat"}, []string{"nothing"}},
		"before it all":              {store.ConversationQuery{Until: time.Now().Add(-time.Hour)}, []string{}},
		"since an hour":              {store.ConversationQuery{Since: time.Now().Add(-time.Hour), Outcome: store.OutcomeHeld}, []string{"held"}},
		"from an hour on":            {store.ConversationQuery{Since: time.Now().Add(time.Hour)}, []string{}},
		"exact, but not at the time": {store.ConversationQuery{Search: "held", Until: time.Now().Add(-time.Hour)}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want, h.found(t, test.q)); d != "" {
				t.Error(d)
			}
		})
	}
	rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{Search: "held"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	if n, err := h.NewConversations(t.Context(), store.ConversationQuery{}, rows[0].ID, 50); err != nil || n != 4 {
		t.Errorf("above the second are %d, want 4: %v", n, err)
	}
	if n, err := h.NewConversations(t.Context(), store.ConversationQuery{}, rows[0].ID, 2); err != nil || n != 2 {
		t.Errorf("counted up to 2: %d, %v", n, err)
	}
	if about := store.AcceptedAbout(rows[0].ID); about.Sub(rows[0].AcceptedAt).Abs() > time.Minute {
		t.Errorf("the id tells of %s, the row of %s", about, rows[0].AcceptedAt)
	}
	if _, err := h.NewConversations(t.Context(), store.ConversationQuery{}, "x", 2); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// TestWhatWasReviewedIsNotUnsureAnyMore: whatever came of it.
func TestWhatWasReviewedIsNotUnsureAnyMore(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.afternoon(t)
	h.exec(t, "UPDATE decisions SET settled_as = 'dismissed', settled_by = 'ann', settled_at = now() WHERE verdict = 'unsure'")
	for _, q := range []store.ConversationQuery{{Outcome: store.OutcomeUnsure}, {Outcome: store.OutcomeUnsure, Automation: "complaint"}} {
		if got := h.found(t, q); len(got) != 0 {
			t.Errorf("%+v finds %v", q, got)
		}
	}
	if review := lookOver(t, h.Reader).Review; review.Unsure != 0 {
		t.Errorf("%+v", review)
	}
	rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{Search: "unsure"})
	if err != nil || len(rows) != 1 || rows[0].Unsure != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// pages are the platform's ids on each page of a search, one to a page.
func (h *house) pages(t *testing.T, q store.ConversationQuery) (pages []string) {
	t.Helper()
	for q.Limit = 1; ; {
		rows, next, err := h.Conversations(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		page := ""
		for _, r := range rows {
			page += r.ExternalID
		}
		if pages = append(pages, page); next == "" || len(pages) > 9 {
			return pages
		}
		q.Before = next
	}
}

// TestACallFoundTwiceEndsNoPage: by its automation, which fired in its replay as well, and by an id that a provider gave two messages.
func TestACallFoundTwiceEndsNoPage(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for _, id := range []string{"old", "replayed"} {
		p := h.decided(t, id, 2)
		for _, c := range h.claim(t, p.ConversationID, "w1") {
			h.record(t, outcome(c, "w1", store.Sent)) // each "m-1"
		}
	}
	id := h.conversation(t, "replayed")
	run, err := h.AskReplay(t.Context(), somebody(), "acme", id, store.AskedReplay{RevisionID: h.revision},
		func(context.Context, pgx.Tx, int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.LoadRun(t.Context(), id, run)
	if err != nil {
		t.Fatal(err)
	}
	p := h.run1(id, 1)
	p.Run = run
	if err := h.SaveReplay(t.Context(), p, r, h.enqueueDelivers); err != nil {
		t.Fatal(err)
	}
	for _, search := range []string{"callback", "m-1"} {
		for narrowed, q := range map[string]store.ConversationQuery{"": {Search: search}, ", narrowed": {Search: search, Channel: "phone"}} {
			if d := cmp.Diff([]string{"replayed", "old"}, h.pages(t, q)); d != "" {
				t.Errorf("%s%s: %s", search, narrowed, d)
			}
		}
	}
}

// TestARareSearchGivesUpAndGoesOn: a page looks so far and no further, and the next one begins there.
func TestARareSearchGivesUpAndGoesOn(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.exec(t, filler, h.revision)
	h.exec(t, `UPDATE decisions SET verdict = 'no' WHERE verdict = 'fires'
		AND conversation_id IN (SELECT id FROM conversations WHERE external_id IN ('old-100', 'old-5900', 'old-5901'))`)
	q := store.ConversationQuery{Outcome: store.OutcomeNone, Limit: 2}
	pages := []string{}
	for {
		rows, next, err := h.Conversations(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		page := ""
		for _, r := range rows {
			page += r.ExternalID + " "
		}
		if pages = append(pages, page); next == "" {
			break
		}
		q.Before = next
	}
	if d := cmp.Diff([]string{"old-5901 old-5900 ", "old-100 "}, pages); d != "" {
		t.Error(d)
	}
}

// TestAPersonKeepsTheirOwnViews.
func TestAPersonKeepsTheirOwnViews(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	ann, ben := store.Actor{PersonID: "0192f3a4-0000-7000-8000-00000000000a", Name: "ann"}, store.Actor{Name: "ben"}
	save := func(by store.Actor, v store.View) {
		t.Helper()
		if err := h.SaveView(t.Context(), by, v); err != nil {
			t.Fatal(err)
		}
	}
	save(ann, store.View{AccountID: "acme", Name: "b", Query: "outcome:held"})
	save(ann, store.View{AccountID: "acme", Name: "a", Query: "one"})
	save(ann, store.View{AccountID: "acme", Name: "a", Query: "another"})
	save(ben, store.View{AccountID: "acme", Name: "a", Query: "his"})
	save(ann, store.View{Name: "everywhere", Query: "q"})
	views, err := h.Views(t.Context(), ann, "acme")
	if err != nil || len(views) != 2 || views[0].Query != "another" || views[1].Name != "b" {
		t.Fatalf("%+v, %v", views, err)
	}
	if _, err := h.DropView(t.Context(), ben, views[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if _, err := h.DropView(t.Context(), ann, views[0].ID); err != nil {
		t.Error(err)
	}
	for n := range 60 {
		if err = h.SaveView(t.Context(), ben, store.View{AccountID: "acme", Name: fmt.Sprint("v", n), Query: "q"}); err != nil {
			break
		}
	}
	if views, _ := h.Views(t.Context(), ben, "acme"); !errors.Is(err, store.ErrTooManyViews) || len(views) != 50 {
		t.Errorf("%d views, %v", len(views), err)
	}
	acts, _, err := h.Acts(t.Context(), "acme", "", 200)
	if err != nil || len(acts) < 50 || acts[len(acts)-1].What != store.ActViewSaved || strings.Contains(fmt.Sprint(acts), "outcome:held") {
		t.Errorf("the log: %d, %v", len(acts), err)
	}
}
