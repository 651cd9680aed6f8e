package dashboard

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

const logPath = settingsPath + "/log"

// logPage is the view of settings_log.html.
type logPage struct {
	Tabs                    []tab
	Who                     string
	Accounts, Deeds, Within []choice
	Filtered                bool
	Rows                    []actRow
	Paged                   bool
	Newest, Older           string
}

// actRow is one line of the log.
type actRow struct {
	What, Account   string
	Who, WhoPath    string // and where everything they did is listed
	Address         string // the request came from there
	Target          string
	Whom            string // the person that the target is
	Path            string // of what it was done to, if that has a page
	Details         []fact
	At              moment
	Installation    bool // it concerns no account
	ByNobody, ByCLI bool
}

// spans are the times a reader may look back over. The log is never listed without one.
func spans(chosen string, now time.Time) (options []choice, since time.Time) {
	options = []choice{{"1", "the last day", false}, {"7", "the last week", false}, {"30", "the last month", false}, {"366", "the last year", false},
		{"3660", "ten years", false}}
	n := slices.IndexFunc(options, func(o choice) bool { return o.Value == chosen })
	if n < 0 {
		n = 2
	}
	options[n].Chosen = true
	days, _ := strconv.Atoi(options[n].Value) // one of those above
	return options, now.AddDate(0, 0, -days)
}

// auditLog is GET /settings/log: who did what, the newest first. The address holds the whole state: account, what, who,
// within and before.
func (d *Dashboard) auditLog(r *http.Request) (answer, error) {
	in := r.URL.Query()
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	within, since := spans(in.Get("within"), d.now())
	q := store.ActQuery{AccountID: in.Get("account"), What: store.Deed(in.Get("what")), Who: in.Get("who"), Since: since, Before: before, Limit: listLimit}
	acts, next, err := d.reader(r, people.Manage).FindActs(r.Context(), q)
	if err != nil {
		return answer{}, err
	}
	accounts, err := d.managed(r, q.AccountID)
	if err != nil {
		return answer{}, err
	}
	view := logView(q, in.Get("within"), acts, next, d.accountNames)
	if err := d.nameTargets(r, acts, view.Rows); err != nil {
		return answer{}, err
	}
	view.Tabs, view.Accounts, view.Within = settingsTabs(r.Context(), logPath), accounts, within
	return settingsPage("settings_log", "Audit log", view), nil
}

// nameTargets says who was meant where something was done to a person, to those who may see people.
func (d *Dashboard) nameTargets(r *http.Request, acts []store.Act, rows []actRow) error {
	if people.Of(r.Context()).Accounts(people.Run).None() {
		return nil
	}
	everybody, err := d.store.People(r.Context())
	if err != nil {
		return err
	}
	email := map[string]string{}
	for _, p := range everybody {
		email[p.ID] = p.Email
	}
	for n, a := range acts {
		rows[n].Whom = email[a.Target]
	}
	return nil
}

func logView(q store.ActQuery, within string, acts []store.Act, next string, of func(account string) names) logPage {
	link := func(before string) string {
		return address(logPath, "account", q.AccountID, "what", string(q.What), "who", q.Who, "within", within, "before", before)
	}
	p := logPage{Who: q.Who, Paged: q.Before != "", Newest: link(""), Filtered: q.AccountID != "" || q.What != "" || q.Who != ""}
	if next != "" {
		p.Older = link(next)
	}
	for _, deed := range store.Deeds() {
		p.Deeds = append(p.Deeds, choice{string(deed), words(string(deed)), deed == q.What})
	}
	for _, a := range acts {
		p.Rows = append(p.Rows, actRowOf(a, within, of(a.AccountID)))
	}
	return p
}

// ofConversation reports whether a deed's target is a conversation.
func ofConversation(d store.Deed) bool {
	switch d {
	case store.ActFixed, store.ActApproved, store.ActDismissed, store.ActMarked, store.ActReplayed:
		return true
	}
	return false
}

func actRowOf(a store.Act, within string, n names) actRow {
	row := actRow{What: words(string(a.What)), Account: n.account(a.AccountID), Installation: a.AccountID == "", Who: a.By.Name, Address: a.By.Address,
		Target: a.Target, At: at(a.At, n.zone()), ByNobody: a.By.Name == "", ByCLI: a.By.Name != "" && a.By.Address == ""}
	if row.Who != "" {
		row.WhoPath = address(logPath, "who", row.Who, "within", within)
	}
	switch {
	case a.Detail["page"] == "conversation":
		row.Path = conversationPath(a.Target)
	case a.Detail["page"] == "captured":
		row.Path = capturedPath(a.Target)
	case a.Detail["page"] == "event":
		row.Path = eventPath(a.Target)
	case ofConversation(a.What):
		row.Path = conversationPath(a.Target)
	case a.What == store.ActBulk, a.What == store.ActBulkEnded:
		row.Path = bulkJobPath(a.Target)
	case a.Detail["conversation"] != "":
		row.Path = conversationPath(a.Detail["conversation"])
	}
	for _, key := range slices.Sorted(maps.Keys(a.Detail)) {
		row.Details = append(row.Details, fact{words(key), a.Detail[key]})
	}
	return row
}
