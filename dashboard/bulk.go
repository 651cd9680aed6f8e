package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store"
	"aftercall/people"
)

// bulkPath is where it stands what was asked for all that a filter finds.
const bulkPath = "/bulk"

func bulkJobPath(id string) string { return bulkPath + "/" + url.PathEscape(id) }

// bulkRoutes are the pages of bulk jobs. In a process without room ops they can only be looked at.
func (d *Dashboard) bulkRoutes(rs *routes) {
	rs.add("GET "+bulkPath, people.Look, d.page(d.bulks))
	rs.add("GET "+bulkPath+"/{id}", people.Look, d.page(d.bulk))
	if d.ops == nil {
		return
	}
	rs.add("GET "+askPath, people.Operate, d.page(d.askBulk))
	rs.add("POST "+bulkPath, people.Operate, d.form(d.startBulk))
	rs.add("POST "+bulkPath+"/{id}/abort", people.Operate, d.form(d.abortBulk))
}

// bulksPage is the view of bulks.html.
type bulksPage struct {
	Account, Everywhere string
	Ask                 string // where one asks for a job; "" if the reader may not
	Rows                []bulkRow
	Paged               bool
	Newest, Older       string
}

// bulkRow is one job.
type bulkRow struct {
	Path, Account string
	Does          string // to each, in words
	Filter        []fact
	By            string
	Asked         moment
	State         badge
	Found         string // when it was asked for
	Of            int    // the same as a number; 0 where it was more than is counted
	Through       int
	Figures       string // what became of those it is through with
}

// bulks is GET /bulk: the jobs, the newest first. The address holds the whole state: account and before.
func (d *Dashboard) bulks(r *http.Request) (answer, error) {
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	account := r.URL.Query().Get("account")
	jobs, next, err := d.reader(r, people.Look).Bulks(r.Context(), account, before, listLimit)
	if err != nil {
		return answer{}, err
	}
	view := bulkList(account, before, jobs, next, d.accountNames)
	if d.mayOperate(r, account) {
		view.Ask = address(askPath, "account", account)
	}
	return answer{Template: "bulks", Title: "Bulk jobs", Section: "deliveries", View: view}, nil
}

// mayOperate reports whether the reader may do something about calls of the account, or of any for "".
func (d *Dashboard) mayOperate(r *http.Request, account string) bool {
	return d.ops != nil && !people.Of(r.Context()).Accounts(people.Operate).Narrow(account).None()
}

func bulkList(account, before string, jobs []store.Bulk, next string, of func(account string) names) bulksPage {
	p := bulksPage{Account: account, Paged: before != "", Newest: address(bulkPath, "account", account)}
	if account != "" {
		p.Everywhere = bulkPath
	}
	if next != "" {
		p.Older = address(bulkPath, "account", account, "before", next)
	}
	of = knownNames(of)
	for _, b := range jobs {
		p.Rows = append(p.Rows, bulkRowOf(b, of(b.AccountID)))
	}
	return p
}

func bulkRowOf(b store.Bulk, n names) bulkRow {
	row := bulkRow{
		Path: bulkJobPath(b.ID), Account: n.account(b.AccountID), Does: bulkWords(b.Request).does, Filter: filterFacts(b.Request, n),
		By: b.By.Name, Asked: shortly(b.AskedAt, n.zone()), State: bulkBadge(b), Found: foundWords(b.Counted, b.More), Of: b.Counted,
		Through: b.Done + b.Refused + b.Failed,
		Figures: fmt.Sprintf("%d done, %d refused, %d failed", b.Done, b.Refused, b.Failed),
	}
	if b.More || row.Through > b.Counted {
		row.Of = 0 // how many there are is not known
	}
	return row
}

func bulkBadge(b store.Bulk) badge {
	switch b.State {
	case store.BulkRunning:
		return badge{"running", "clock", "info"}
	case store.BulkAborted:
		return badge{"aborted", "cross", "warn"}
	}
	return badge{"ended", "check", "good"}
}

func foundWords(n int, more bool) string {
	if more {
		return fmt.Sprintf("more than %d", n)
	}
	return fmt.Sprint(n)
}

// filterFacts say what a filter asks for, all of it.
func filterFacts(b store.BulkRequest, n names) (facts []fact) {
	f := b.Filter
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, fact{label, value})
		}
	}
	if f.Channel != "" {
		add("channel", channelWord(f.Channel))
	}
	if f.State != "" {
		add("state", deliveryBadge(f.State).Word)
	}
	add("error", f.Class)
	add("automation", f.Automation)
	add("reason", string(f.Reason))
	add("domain", f.Domain)
	when := "planned"
	if b.Action.Replays() {
		when = "accepted"
	}
	if f.Since.Unix() > 0 {
		add(when+" from", at(f.Since, n.zone()).Local)
	}
	add(when+" until", at(f.Until, n.zone()).Local)
	return facts
}

// bulkPage is the view of bulk.html.
type bulkPage struct {
	bulkRow
	List    string
	Abort   string // where it is stopped; "" where it cannot be
	EndedBy string
	Ended   moment
	Items   []bulkItemRow
	Paged   bool // not the first page of them
	First   string
	Next    string
}

// bulkItemRow is what became of one item.
type bulkItemRow struct {
	ID, Path       string
	Result         badge
	Detail         string
	Made, MadePath string // what came of it
	At             moment
}

// bulk is GET /bulk/{id}: how far a job is, and what became of each item, in the order in which they are done.
func (d *Dashboard) bulk(r *http.Request) (answer, error) {
	after, err := cursorNamed(r, "after")
	if err != nil {
		return answer{}, err
	}
	reader := d.reader(r, people.Look)
	b, err := reader.Bulk(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	items, next, err := reader.BulkItems(r.Context(), b.ID, after, listLimit)
	if err != nil {
		return answer{}, err
	}
	view := bulkPageOf(b, items, after != "", next, d.accountNames(b.AccountID))
	if b.State == store.BulkRunning && d.mayOperate(r, b.AccountID) {
		view.Abort = bulkJobPath(b.ID) + "/abort"
	}
	return answer{Template: "bulk", Title: view.Does, Section: "deliveries", View: view}, nil
}

func bulkPageOf(b store.Bulk, items []store.BulkItem, paged bool, next string, n names) bulkPage {
	p := bulkPage{bulkRow: bulkRowOf(b, n), List: bulkPath, EndedBy: b.EndedBy, Ended: at(b.EndedAt, n.zone()), Paged: paged, First: bulkJobPath(b.ID)}
	p.Asked = at(b.AskedAt, n.zone())
	if next != "" {
		p.Next = address(bulkJobPath(b.ID), "after", next)
	}
	for _, i := range items {
		p.Items = append(p.Items, bulkItemOf(b.Request.Action, i, n.zone()))
	}
	return p
}

func bulkItemOf(a store.BulkAction, i store.BulkItem, zone *time.Location) bulkItemRow {
	row := bulkItemRow{ID: i.ID, Detail: i.Detail, At: at(i.At, zone), Result: badge{"done", "check", "good"}}
	switch i.Result {
	case store.BulkRefused:
		row.Result = badge{"refused", "dash", "warn"}
	case store.BulkFailed:
		row.Result = badge{"failed", "cross", "bad"}
	}
	if i.ConversationID == "" || i.ConversationID == uuid.Nil.String() {
		return row // its call was erased meanwhile
	}
	call := conversationPath(i.ConversationID)
	row.Path = call
	if !a.Replays() {
		row.Path = call + "#" + anchor("delivery", i.ID)
	}
	switch {
	case i.Made == "":
	case a.Replays():
		row.Made, row.MadePath = "run "+i.Made, call
	default:
		row.Made, row.MadePath = "the new delivery", call+"#"+anchor("delivery", i.Made)
	}
	return row
}

// abortBulk is POST /bulk/{id}/abort: no item more. What is done stays done.
func (d *Dashboard) abortBulk(r *http.Request) (answer, error) {
	b, err := d.reader(r, people.Operate).Bulk(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	return answer{Location: bulkJobPath(b.ID)}, d.ops.AbortBulk(r.Context(), people.Of(r.Context()).Actor(), b.AccountID, b.ID)
}
