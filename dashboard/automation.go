package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/reason"
	"aftercall/worker"
)

// automationPage is the view of automation.html: one rule's record.
type automationPage struct {
	Path, Name, ID, Account, AccountName string
	List                                 string // the account's automations
	Flags                                []badge
	Breaker                              *breakerView
	Job                                  *bulkView // the last one over what it held
	Mute                                 *muteView
	Spans                                []choice // how long a mute may last
	May                                  bool     // whoever looks may mute and release
	Limit                                string   // the author's, in words; "" if there is none
	Sums                                 []pair
	Fires                                chart
	Days                                 []dayRow
	Activations                          []activationRow
	Fired, Nearly, Wrong                 []decidedRow
	Calls                                string // those it fired for
	Source                               *sourceView
}

// pair is a figure with what it counts.
type pair struct{ Label, Value, Note string }

// muteView is a mute that holds.
type muteView struct {
	Until, At  moment
	By, Reason string
}

// dayRow is one day in the table under the chart.
type dayRow struct {
	Day                                             string
	Evaluated, Fired, Unsure, Held, Failed, Stopped int
	Revisions                                       []string // that became active on it
}

// activationRow is a revision that became active.
type activationRow struct {
	At              moment
	Digest, By, Why string
	Path            string // this page with its source
	Shown           bool
}

// decidedRow is a call that an automation fired for, or nearly.
type decidedRow struct {
	Path, Customer, Number string
	At                     moment
	Verdict                badge
	Why, Code, Detail      string
	Quotes                 []string
}

// sourceView is an automation as it stands in its file.
type sourceView struct {
	Place, Digest string
	Active        bool
	Text          string
}

// automation is GET /automations/{account}/{id}. With revision in the address it shows the source of that one.
func (d *Dashboard) automation(r *http.Request) (answer, error) {
	account, a, err := d.automationOf(r, people.Look)
	if err != nil {
		return answer{}, err
	}
	reader, n, now := d.reader(r, people.Look), d.accountNames(account), d.now()
	since := firstDay(now, n.zone(), beforeDays)
	record, err := reader.AutomationRecord(r.Context(), account, a.ID, since)
	if err != nil {
		return answer{}, err
	}
	if p := people.Of(r.Context()); !p.May(people.Addresses, account) {
		maskDecided(record.Fired)
		maskDecided(record.Nearly)
		maskDecided(record.Wrong)
	}
	view := recordView(account, a, record, n, now)
	view.May = people.Of(r.Context()).May(people.Operate, account)
	if err := d.addStops(r, &view, account, a); err != nil {
		return answer{}, err
	}
	if view.Source, err = d.sourceOf(r, account, a.ID); err != nil {
		return answer{}, err
	}
	for i := range view.Activations {
		view.Activations[i].Shown = view.Source != nil && view.Activations[i].Digest == view.Source.Digest
	}
	return answer{Template: "automation", Title: view.Name, Section: "automations", View: view}, nil
}

// automationOf finds the automation of an address in the account's active revision, for somebody with the right there.
func (d *Dashboard) automationOf(r *http.Request, right people.Right) (account string, a *automation.Automation, err error) {
	account = r.PathValue("account")
	rev, ok := d.revisions.Active(account)
	if ok && people.Of(r.Context()).May(right, account) {
		a = rev.Automation(r.PathValue("id"))
	}
	if a == nil {
		return "", nil, fmt.Errorf("find automation: %w", store.ErrNotFound)
	}
	return account, a, nil
}

// addStops fills in what keeps the automation from going on.
func (d *Dashboard) addStops(r *http.Request, view *automationPage, account string, a *automation.Automation) error {
	reader, n := d.reader(r, people.Look), d.accountNames(account)
	breakers, err := reader.Breakers(r.Context(), account)
	if err != nil {
		return err
	}
	mutes, err := reader.Mutes(r.Context(), account)
	if err != nil {
		return err
	}
	now := d.now()
	sums, err := reader.AutomationSums(r.Context(), account, []string{a.ID}, now.AddDate(0, 0, -beforeDays), now.AddDate(0, 0, -sumDays))
	if err != nil {
		return err
	}
	s, b, m := sums[a.ID], breakerAt(breakers, a.ID), muteAt(mutes, a.ID)
	view.Flags = flags(a.Trigger.Enabled, s, b, m, n.zone())
	view.Sums = sumsOf(s)
	if b != nil {
		v := breakerOf(*b, n)
		view.Breaker = &v
	}
	if view.Job, err = d.lastJob(r, account, a.ID, n); err != nil {
		return err
	}
	if m != nil {
		view.Mute = &muteView{Until: at(m.Until, n.zone()), At: shortly(m.At, n.zone()), By: m.By, Reason: m.Reason}
	}
	return nil
}

// bulkView is a bulk job over what a breaker held.
type bulkView struct {
	What, By, Path        string
	At                    moment
	Done, Refused, Failed int
	Running               bool
}

// lastJob finds the last bulk job that was asked for on this page, among the account's newest.
func (d *Dashboard) lastJob(r *http.Request, account, automation string, n names) (*bulkView, error) {
	jobs, _, err := d.reader(r, people.Look).Bulks(r.Context(), account, "", 20)
	if err != nil {
		return nil, err
	}
	for _, b := range jobs {
		if b.Request.Filter.Automation == automation && b.Request.Filter.Reason == reason.BreakerOpen {
			v := jobOf(b, n)
			return &v, nil
		}
	}
	return nil, nil
}

func jobOf(b store.Bulk, n names) bulkView {
	v := bulkView{What: "Releasing", By: b.By.Name, Path: bulkJobPath(b.ID), At: shortly(b.AskedAt, n.zone()), Done: b.Done, Refused: b.Refused, Failed: b.Failed, Running: b.State == store.BulkRunning}
	if b.Request.Action == store.BulkCancel {
		v.What = "Discarding"
	}
	return v
}

func sumsOf(s store.AutomationSum) []pair {
	return []pair{
		{"Fired", worker.Amount(s.Fired), percent(s.Fired, s.Evaluated)},
		{"Evaluated", worker.Amount(s.Evaluated), ""},
		{"Unsure", worker.Amount(s.Unsure), percent(s.Unsure, s.Evaluated)},
		{"Held", worker.Amount(s.Held + s.Stopped), percent(s.Held+s.Stopped, s.Fired)},
		{"Could not be judged or written", worker.Amount(s.Failed), percent(s.Failed, s.Evaluated)},
		{"Marked right, in four weeks", fmt.Sprintf("%d of %d", s.Marked-s.Wrong, s.Marked), percent(s.Marked-s.Wrong, s.Marked)},
	}
}

func recordView(account string, a *automation.Automation, rec store.AutomationRecord, n names, now time.Time) automationPage {
	name, _ := n.automation(a.ID)
	path := automationPath(account, a.ID)
	p := automationPage{
		Path: path, Name: name, ID: a.ID, Account: account, AccountName: n.account(account), List: address(automationsPath, "account", account),
		Spans: muteSpans(), Calls: address("/conversations", "q", a.ID, "account", account),
	}
	if a.PerDay > 0 {
		p.Limit = fmt.Sprintf("%s a day, set by limit in %s", worker.Amount(a.PerDay), a.File)
	}
	p.Days = days(rec, n.zone(), now)
	p.Fires = firesChart(p.Days)
	for _, v := range rec.Activations {
		p.Activations = append(p.Activations, activationRow{At: shortly(v.At, n.zone()), Digest: short(v.Digest), By: v.By, Why: v.Message,
			Path: address(path, "revision", v.Digest) + "#source"})
	}
	p.Fired, p.Nearly = decidedRows(rec.Fired, n.zone()), decidedRows(rec.Nearly, n.zone())
	p.Wrong = decidedRows(rec.Wrong, n.zone())
	return p
}

// firstDay is when the day began that is so many days ago, today counted.
func firstDay(now time.Time, zone *time.Location, days int) time.Time {
	local := now.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day()-days+1, 0, 0, 0, 0, zone)
}

// days sums hours up by day, one row for every day, the first one first. An hour counts for the day in which it begins.
func days(rec store.AutomationRecord, zone *time.Location, now time.Time) []dayRow {
	rows, place := make([]dayRow, beforeDays), map[string]int{}
	for i := range rows {
		rows[i].Day = firstDay(now, zone, beforeDays).AddDate(0, 0, i).Format(time.DateOnly)
		place[rows[i].Day] = i
	}
	for _, h := range rec.Hours {
		i, ok := place[h.Hour.In(zone).Format(time.DateOnly)]
		if !ok {
			continue
		}
		r := &rows[i]
		r.Evaluated, r.Fired, r.Unsure = r.Evaluated+h.Evaluated, r.Fired+h.Fired, r.Unsure+h.Unsure
		r.Held, r.Failed, r.Stopped = r.Held+h.Held, r.Failed+h.Failed, r.Stopped+h.Stopped
	}
	for _, v := range rec.Activations {
		if i, ok := place[v.At.In(zone).Format(time.DateOnly)]; ok {
			rows[i].Revisions = append(rows[i].Revisions, short(v.Digest))
		}
	}
	return rows
}

// short is the beginning of a digest, by which people know a revision.
func short(digest string) string { return digest[:min(len(digest), 8)] }

func firesChart(days []dayRow) chart {
	bars := make([]column, len(days))
	for i, d := range days {
		bars[i] = column{Label: d.Day, Value: d.Fired, Mark: strings.Join(d.Revisions, ", ")}
		bars[i].Says = fmt.Sprintf("%s: fired %d of %d", d.Day, d.Fired, d.Evaluated)
	}
	return newChart("fires", "Fired by day", bars)
}

func decidedRows(calls []store.DecidedCall, zone *time.Location) (rows []decidedRow) {
	for _, c := range calls {
		row := decidedRow{Path: conversationPath(c.ConversationID), Customer: c.CustomerName, Number: c.CustomerNumber, At: shortly(c.DecidedAt, zone),
			Verdict: verdictBadge(c.Verdict), Why: c.Reason.Sentence(), Code: string(c.Reason), Detail: c.Detail}
		if row.Customer == "" && row.Number == "" {
			row.Customer = or(c.Event, "Unknown caller")
		}
		for _, e := range c.Evidence {
			row.Quotes = append(row.Quotes, e.Quote)
		}
		rows = append(rows, row)
	}
	return rows
}

func maskDecided(calls []store.DecidedCall) {
	for i := range calls {
		maskWhole(&calls[i].CustomerNumber)
		maskTexts(&calls[i].CustomerName, &calls[i].Detail)
		maskEvidence(calls[i].Evidence)
	}
}

// sourceOf is the automation as it stands in its file, in the active revision or in the one the address asks for; nil if it
// is not there, or not to be read by this binary.
func (d *Dashboard) sourceOf(r *http.Request, account, id string) (*sourceView, error) {
	reader := d.reader(r, people.Look)
	active, ok := d.revisions.Active(account)
	if !ok {
		return nil, nil
	}
	revision := active.ID
	if ref := r.URL.Query().Get("revision"); ref != "" {
		_, found, err := reader.FindRevision(r.Context(), account, ref)
		if err != nil {
			return nil, fmt.Errorf("find revision: %w", err)
		}
		revision = found
	}
	stored, err := reader.Revision(r.Context(), revision)
	if err != nil {
		return nil, err
	}
	rev, err := d.revisions.ByID(r.Context(), revision)
	if err != nil {
		d.log.WarnContext(r.Context(), "page without a source", "revision_id", revision, "error", err)
		return nil, nil
	}
	view := sourceIn(rev, stored.Files, id)
	if view != nil {
		view.Digest, view.Active = short(stored.Digest), revision == active.ID
		if !people.Of(r.Context()).May(people.Addresses, account) {
			maskTexts(&view.Text)
		}
	}
	return view, nil
}

// sourceIn cuts an automation out of its file: from its first line to the next one's.
func sourceIn(rev *automation.Revision, files map[string][]byte, id string) *sourceView {
	a := rev.Automation(id)
	if a == nil {
		return nil
	}
	lines := strings.Split(string(files[a.File]), "\n")
	end := len(lines)
	for _, other := range rev.Automations {
		if other.File == a.File && other.Line > a.Line {
			end = min(end, other.Line-1)
		}
	}
	begin := min(max(a.Line-1, 0), end)
	return &sourceView{Place: fmt.Sprintf("%s:%d", a.File, a.Line), Text: strings.TrimRight(strings.Join(lines[begin:end], "\n"), "\n ")}
}

// muteSpans are how long a mute may last, for a form without a clock.
func muteSpans() []choice {
	return []choice{{"1", "an hour", false}, {"4", "4 hours", false}, {"24", "a day", true}, {"72", "3 days", false}, {"168", "a week", false},
		{"720", "30 days", false}}
}

// mute is POST /automations/{account}/{id}/mute.
func (d *Dashboard) mute(r *http.Request) (answer, error) {
	account, a, err := d.automationOf(r, people.Operate)
	if err != nil {
		return answer{}, err
	}
	hours, err := strconv.Atoi(field(r, "hours"))
	if err != nil || hours <= 0 || hours > int(store.LongestMute/time.Hour) {
		return answer{}, refused("Say for how long: a mute always ends.")
	}
	err = d.store.Mute(r.Context(), people.Of(r.Context()).Actor(), account, a.ID, time.Now().Add(time.Duration(hours)*time.Hour), field(r, "reason"))
	if errors.Is(err, store.ErrMute) {
		return answer{}, refused("Say why, in at most 200 characters: whoever looks next wants to know.")
	}
	return answer{Location: automationPath(account, a.ID)}, err
}

// unmute is POST /automations/{account}/{id}/unmute.
func (d *Dashboard) unmute(r *http.Request) (answer, error) {
	account, a, err := d.automationOf(r, people.Operate)
	if err != nil {
		return answer{}, err
	}
	return answer{Location: automationPath(account, a.ID)}, settled(d.store.Unmute(r.Context(), people.Of(r.Context()).Actor(), account, a.ID))
}

// closeBreaker is POST /automations/{account}/{id}/close: it goes on, and what is held stays held.
func (d *Dashboard) closeBreaker(r *http.Request) (answer, error) {
	account, a, err := d.automationOf(r, people.Operate)
	if err != nil {
		return answer{}, err
	}
	return answer{Location: automationPath(account, a.ID)}, settled(d.store.CloseBreaker(r.Context(), people.Of(r.Context()).Actor(), account, a.ID))
}

// releaseStopped is POST /automations/{account}/{id}/release: a bulk job lets what the breaker held go out.
func (d *Dashboard) releaseStopped(r *http.Request) (answer, error) {
	return d.settleStopped(r, store.BulkRelease)
}

// discardStopped is POST /automations/{account}/{id}/discard: a bulk job cancels it.
func (d *Dashboard) discardStopped(r *http.Request) (answer, error) {
	return d.settleStopped(r, store.BulkCancel)
}

// heldBefore makes up for clocks that differ: what a process planned has the time of its own machine.
const heldBefore = 10 * time.Minute

func (d *Dashboard) settleStopped(r *http.Request, do store.BulkAction) (answer, error) {
	account, a, err := d.automationOf(r, people.Operate)
	if err != nil {
		return answer{}, err
	}
	breakers, err := d.reader(r, people.Operate).Breakers(r.Context(), account)
	if err != nil {
		return answer{}, err
	}
	back := answer{Location: automationPath(account, a.ID)}
	b := breakerAt(breakers, a.ID)
	if b == nil || b.Stopped == 0 || d.ops == nil {
		return back, nil
	}
	_, err = d.ops.Bulk(r.Context(), people.Of(r.Context()).Actor(), account, store.BulkRequest{Action: do, Filter: store.BulkFilter{
		Since: b.HeldSince.Add(-heldBefore), Until: time.Now().Add(heldBefore), State: store.Held, Automation: a.ID, Reason: reason.BreakerOpen}})
	var no *store.Refused
	if errors.As(err, &no) {
		return answer{}, refused(no.Sentence)
	}
	return back, err
}

// settled takes what somebody else has done a moment ago for done.
func settled(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
