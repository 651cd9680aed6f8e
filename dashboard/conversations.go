package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"aftercall/internal/store"
	"aftercall/people"
)

// listLimit is how many rows a page of a list has.
const listLimit = 50

// listPage is the view of conversations.html.
type listPage struct {
	Search, Account string
	Everywhere      string // the same list without the account, if it has one
	Stops           []stopView
	Configs         []configView
	Rows            []rowView
	Paged           bool // not the first page
	Newest, Older   string
}

// rowView is one conversation in the list.
type rowView struct {
	Path, Account, AccountPath string
	Accepted, Started          moment
	Customer, Number           string
	Agent, Kind, Length        string
	Fired                      []string
	Outcomes                   []outcome
	Test, Simulated            bool
}

// conversations is GET /conversations: the conversations accepted last, or those a search finds. The address holds the whole
// state: q, account and before.
func (d *Dashboard) conversations(r *http.Request) (answer, error) {
	in := r.URL.Query()
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	q := store.ConversationQuery{AccountID: in.Get("account"), Search: strings.TrimSpace(in.Get("q")), Before: before, Limit: listLimit}
	reader := d.reader(r, people.Look)
	rows, next, err := reader.Conversations(r.Context(), q)
	if err != nil {
		return answer{}, fmt.Errorf("list conversations: %w", err)
	}
	stops, err := reader.Stops(r.Context(), q.AccountID)
	if err != nil {
		return answer{}, fmt.Errorf("list conversations: %w", err)
	}
	maskRows(rows, people.Of(r.Context()))
	view := conversationList(q, rows, next, d.accountNames)
	view.Stops = stopped(stops, d.tokensPerDay, d.now(), d.accountNames)
	troubles, err := reader.ConfigTroubles(r.Context(), q.AccountID)
	if err != nil {
		return answer{}, fmt.Errorf("list conversations: %w", err)
	}
	view.Configs = configTroubles(troubles, d.accountNames)
	title := "Conversations"
	if q.Search != "" {
		title = "Conversations: " + q.Search
	}
	return answer{Template: "conversations", Title: title, Section: "conversations", View: view}, nil
}

func conversationList(q store.ConversationQuery, rows []store.ConversationRow, next string, of func(account string) names) listPage {
	p := listPage{Search: q.Search, Account: q.AccountID, Paged: q.Before != ""}
	p.Newest = address("/conversations", "q", q.Search, "account", q.AccountID)
	if next != "" {
		p.Older = address("/conversations", "q", q.Search, "account", q.AccountID, "before", next)
	}
	if q.AccountID != "" {
		p.Everywhere = address("/conversations", "q", q.Search)
	}
	known := map[string]names{}
	for _, row := range rows {
		n, ok := known[row.AccountID]
		if !ok {
			n = of(row.AccountID)
			known[row.AccountID] = n
		}
		p.Rows = append(p.Rows, conversationRow(row, n))
	}
	return p
}

func conversationRow(row store.ConversationRow, n names) rowView {
	path := conversationPath(row.ID)
	v := rowView{
		Path: path, Account: n.account(row.AccountID), AccountPath: address("/conversations", "account", row.AccountID),
		Accepted: shortly(row.AcceptedAt, n.zone()), Started: shortly(row.StartedAt, n.zone()),
		Customer: row.CustomerName, Number: row.CustomerNumber,
		Agent: row.AgentName, Kind: kindWords(row.Direction, row.Channel, row.Status), Length: length(row.Duration),
		Test: row.Test, Simulated: row.Simulated,
	}
	for _, o := range outcomes(tallyOf(row)) {
		v.Outcomes = append(v.Outcomes, outcome{o.badge, path + o.Path})
	}
	if v.Customer == "" && v.Number == "" {
		v.Customer = "Unknown caller"
	}
	for _, id := range row.Fired {
		name, _ := n.automation(id)
		v.Fired = append(v.Fired, name)
	}
	return v
}

// kindWords describes a conversation: "inbound phone, completed".
func kindWords(direction, channel, status string) string {
	s := strings.TrimSpace(direction + " " + channel)
	if status != "" {
		s += ", " + status
	}
	return words(s)
}

func conversationPath(id string) string { return "/conversations/" + url.PathEscape(id) }

// address is a path with a query of those pairs that have a value.
func address(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
