package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// overviewPage is the view of overview.html.
type overviewPage struct {
	Health     healthView
	Account    string
	Everywhere string
	Stops      []stopView
	Configs    []configView
	Since      moment
	Capped     bool // the figures begin later than an hour ago
	Most       int
	Tiles      []tile
	Columns    []string
	Slices     []sliceRow
	Review     []tab // what waits for a person
	Troubles   []troubleRow
	Model      []modelRow
	Silent     []silentRow
	Never      int  // automations that have never fired
	TooMany    bool // automations to look at one by one
	Changed    changeView
	Workers    string
}

// tile is one figure with its course.
type tile struct {
	Label, Figure, Note, Path string
	Spark                     spark
}

type sliceRow struct {
	At      moment
	Figures []int
}

type troubleRow struct {
	State            badge
	What, How, Count string
	Newest           moment
	Path             string
}

type modelRow struct {
	Answer          badge
	Model, Endpoint string
	Simulated       bool
	Calls           int
	Newest          moment
}

type silentRow struct {
	Name, Account, Path string
	Last                moment
	Days                int
}

type changeView struct {
	Account, By, Message, Digest string
	At                           moment
}

// mostAutomations is how many automations an overview looks at; of more accounts than that, one is picked.
const mostAutomations = 200

func (d *Dashboard) overviewRoutes(rs *routes) {
	rs.add("GET /{$}", people.Look, d.page(d.overview))
}

// overview is GET /: is it healthy now, and if not, why.
func (d *Dashboard) overview(r *http.Request) (answer, error) {
	ctx, reader, account := r.Context(), d.reader(r, people.Look), r.URL.Query().Get("account")
	asked, tooMany, err := d.activeAutomations(ctx, reader, account)
	if err != nil {
		return answer{}, err
	}
	o, err := reader.Overview(ctx, store.OverviewQuery{AccountID: account, Now: d.now(), Automations: asked})
	if err != nil {
		return answer{}, err
	}
	working, err := d.store.Working(ctx, worker.Lease)
	if err != nil {
		return answer{}, err
	}
	place, err := d.place(ctx, reader, account)
	if err != nil {
		return answer{}, err
	}
	stops, configs, err := d.alarms(ctx, reader, account)
	if err != nil {
		return answer{}, err
	}
	breakers, err := reader.Breakers(ctx, account)
	if err != nil {
		return answer{}, err
	}
	view := overviewView(situation{Overview: o, breakers: breakers, now: d.now(), account: account, zone: place.zone, working: working, stops: stops, configs: configs}, d.accountNames)
	view.TooMany = tooMany
	return answer{Template: "overview", Title: "Overview", Section: "overview", View: view}, nil
}

// activeAutomations are those of the accounts that are looked at which may fire.
func (d *Dashboard) activeAutomations(ctx context.Context, reader *store.Reader, account string) (asked []store.AutomationFired, tooMany bool, err error) {
	active, err := reader.ActiveRevisions(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("list active revisions: %w", err)
	}
	for _, a := range active {
		rev, ok := d.revisions.Active(a.AccountID)
		if !ok || account != "" && a.AccountID != account {
			continue
		}
		for _, auto := range rev.Automations {
			if auto.Trigger.Enabled {
				asked = append(asked, store.AutomationFired{AccountID: a.AccountID, Automation: auto.ID})
			}
		}
	}
	if len(asked) > mostAutomations {
		return nil, true, nil
	}
	return asked, false, nil
}

// situation is what an overview is made of.
type situation struct {
	store.Overview
	now      time.Time
	account  string
	zone     *time.Location
	working  int // workers
	stops    []stopView
	configs  []configView
	breakers []store.Breaker
}

func overviewView(s situation, of func(account string) names) overviewPage {
	p := overviewPage{
		Health: s.health(of), Account: s.account, Stops: s.stops, Configs: s.configs, Since: shortly(s.Since, s.zone), Capped: s.Capped,
		Most: store.OverviewMost, Tiles: s.tiles(), Columns: []string{"Received", "Decided", "Fired", "Delivered", "Failing", "Waiting"},
		Workers: count(s.working, "worker", "workers"),
	}
	if s.account != "" {
		p.Everywhere = "/"
	}
	first := s.now.Truncate(store.OverviewSlice).Add(-(store.OverviewSlices - 1) * store.OverviewSlice)
	for n, slice := range s.Slices {
		from := first.Add(time.Duration(n) * store.OverviewSlice)
		clock := shortly(from, s.zone)
		clock.Local = from.In(s.zone).Format("15:04")
		p.Slices = append(p.Slices, sliceRow{clock, []int{slice.Received, slice.Decided, slice.Fired, slice.Sent, slice.Failing, slice.Received - slice.Decided}})
	}
	p.Review = s.review()
	for _, t := range s.Troubles {
		p.Troubles = append(p.Troubles, s.trouble(t))
	}
	for _, m := range s.Model {
		p.Model = append(p.Model, modelAnswers(m, s.zone))
	}
	p.Silent, p.Never = s.silent(of)
	if c := s.Config; !c.At.IsZero() {
		p.Changed = changeView{of(c.AccountID).account(c.AccountID), c.By, c.Message, shortDigest(c.Digest), shortly(c.At, s.zone)}
	}
	return p
}

// sum adds up one figure of the slices, and gives its course.
func (s situation) sum(figure func(store.Slice) int) (sum int, course []int) {
	for _, slice := range s.Slices {
		n := figure(slice)
		sum, course = sum+n, append(course, n)
	}
	return sum, course
}

func (s situation) tiles() []tile {
	at := func(q string) string { return address("/conversations", "q", q, "account", s.account) }
	one := func(label, path, note string, figure func(store.Slice) int) tile {
		sum, course := s.sum(figure)
		return tile{Label: label, Figure: fmt.Sprint(sum), Note: note, Path: path, Spark: sparkline(label, course)}
	}
	waiting := one("Waiting", at("state:accepted after:any"), "due and not decided", func(x store.Slice) int { return x.Received - x.Decided })
	waiting.Figure = upTo(s.Waiting.Calls, store.OverviewMost)
	if s.Waiting.ForModel > 0 {
		waiting.Path = at("state:waiting after:any")
	}
	if s.Waiting.Calls > 0 {
		waiting.Note = "the oldest for " + ago(s.now.Sub(s.Waiting.OldestAt))
	}
	return []tile{
		one("Received", at("after:1h"), "calls", func(x store.Slice) int { return x.Received }),
		one("Decided", at("state:decided after:1h"), "of these calls", func(x store.Slice) int { return x.Decided }),
		one("Fired", at("outcome:fired after:1h"), "calls on which something fired", func(x store.Slice) int { return x.Fired }),
		one("Delivered", s.deliveries("", "", "1h"), "messages, tasks and alerts of these calls", func(x store.Slice) int { return x.Sent }),
		one("Failing", s.deliveries(store.Failed, "", "1h"), "deliveries failed or unknown", func(x store.Slice) int { return x.Failing }),
		waiting,
	}
}

// deliveries is the list of them, narrowed.
func (s situation) deliveries(state store.DeliveryState, class, after string) string {
	return address("/deliveries", "state", string(state), "class", class, "after", after, "account", s.account)
}

// upTo writes a number that was counted so far and no further.
func upTo(n, most int) string {
	if n >= most {
		return fmt.Sprintf("%d+", most)
	}
	return fmt.Sprint(n)
}

func (s situation) review() []tab {
	at := func(q string) string { return address("/conversations", "q", q, "account", s.account) }
	add := func(tabs []tab, n int, what, path string) []tab {
		if n > 0 {
			tabs = append(tabs, tab{Label: upTo(n, store.ReviewMost-1) + " " + what, Path: path})
		}
		return tabs
	}
	tabs := add(nil, s.Review.Unsure, "unsure", at("outcome:unsure after:any"))
	tabs = add(tabs, s.Review.Held, "held", at("outcome:held after:any"))
	return add(tabs, s.Review.Unknown, "unknown", at("outcome:unknown after:any"))
}

func (s situation) trouble(t store.Trouble) troubleRow {
	row := troubleRow{State: deliveryBadge(t.State), What: channelWord(t.Channel), How: or(words(t.Class), "no class"),
		Count: count(t.Deliveries, "delivery", "deliveries"), Newest: shortly(t.Newest, s.zone), Path: s.deliveries(t.State, t.Class, "1h")}
	if t.Provider != "" {
		row.What += " by " + t.Provider
	}
	return row
}

func modelAnswers(m store.ModelAnswers, zone *time.Location) modelRow {
	row := modelRow{Answer: badge{"answered", "check", "good"}, Model: or(m.Model, "no model named"), Endpoint: m.Endpoint, Simulated: m.Simulated,
		Calls: m.Calls, Newest: shortly(m.Newest, zone)}
	if !m.Valid {
		row.Answer = badge{words(or(m.ErrorKind, "not valid")), "cross", "bad"}
	}
	return row
}

// silentAfter is how long an automation that used to fire may be quiet before somebody is told.
const silentAfter = 7 * 24 * time.Hour

// silent are the automations that used to fire and have not for a week, and how many never did.
func (s situation) silent(of func(account string) names) (rows []silentRow, never int) {
	for _, a := range s.Fired {
		quiet := s.now.Sub(a.Last)
		switch {
		case a.Last.IsZero():
			never++
		case quiet > silentAfter:
			n := of(a.AccountID)
			name, _ := n.automation(a.Automation)
			rows = append(rows, silentRow{name, n.account(a.AccountID), s.firings(a), shortly(a.Last, s.zone), int(quiet / (24 * time.Hour))})
		}
	}
	return rows, never
}

func (s situation) firings(a store.AutomationFired) string {
	return address("/conversations", "q", "automation:"+quoted(a.Automation)+" after:any", "account", a.AccountID)
}

// ago writes a length of time as people say it.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour", "hours")
	}
	return count(int(d/(24*time.Hour)), "day", "days")
}

// spark is a small chart of bars, in a box of sparkWide by sparkHigh.
type spark struct {
	Said string // what it shows, in words
	Bars []bar
}

type bar struct{ X, Y, Wide, High int }

const sparkWide, sparkHigh = 120, 28

// sparkline draws a course; what is not zero is at least seen.
func sparkline(label string, course []int) spark {
	s := spark{}
	most, least := 0, 0
	for n, v := range course {
		v = max(0, v)
		if most = max(most, v); n == 0 || v < least {
			least = v
		}
	}
	step := sparkWide / max(1, len(course))
	for n, v := range course {
		if v <= 0 {
			continue
		}
		high := max(2, v*sparkHigh/most)
		s.Bars = append(s.Bars, bar{n * step, sparkHigh - high, step - 2, high})
	}
	s.Said = fmt.Sprintf("%s, in steps of five minutes: from %d to %d", label, least, most)
	if most == 0 {
		s.Said = label + ", in steps of five minutes: none"
	}
	return s
}

// quoted is a value as a search has it.
func quoted(v string) string {
	if strings.ContainsAny(v, " \t") {
		return `"` + v + `"`
	}
	return v
}
