package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

// listLimit is how many rows a page of a list has.
const listLimit = 50

// listPage is the view of conversations.html.
type listPage struct {
	searchView
	Stops   []stopView
	Configs []configView
	Rows    []rowView
	Paged   bool // not the first page
	Newest  string
	Older   string
	Further moment     // how far was looked, where there is more to look through; else zero
	None    bool       // there is no conversation at all
	Alone   []aloneRow // where no conversation was found: events of this id that nobody waits for
	News    string     // where an open page asks how many there are above its first row
}

// rowView is one conversation in the list.
type rowView struct {
	Path, Account, AccountPath string
	Accepted, Started          moment
	Event, ID                  string // what happened, and the platform's id of it; "" for a call
	Customer, Number           string
	Agent, Kind, Length        string
	Fired                      []string
	Outcomes                   []outcome
	Test, Simulated            bool
}

func (d *Dashboard) conversationRoutes(rs *routes) {
	rs.add("GET /conversations", people.Look, d.page(d.conversations))
	rs.add("GET /news/conversations", people.Look, d.page(d.conversationNews))
	rs.add("POST /conversations/views", people.Look, d.page(d.saveView))
	rs.add("POST /conversations/views/drop", people.Look, d.page(d.dropView))
}

// listed is what a list is asked for. The address holds the whole of it: q, account and before.
type listed struct {
	typed, account, before string
	search                 search
	saved                  []store.View
	place
}

// place is what is known of the accounts that are looked at.
type place struct {
	zone        *time.Location // theirs, if they have the same
	regions     []string       // where their numbers are from
	automations []string       // ids
}

func (d *Dashboard) place(ctx context.Context, reader *store.Reader, account string) (place, error) {
	active, err := reader.ActiveRevisions(ctx)
	if err != nil {
		return place{}, fmt.Errorf("list active revisions: %w", err)
	}
	var p place
	for _, a := range active {
		rev, ok := d.revisions.Active(a.AccountID)
		if !ok || account != "" && a.AccountID != account {
			continue
		}
		switch zone := (names{rev}).zone(); {
		case p.zone == nil:
			p.zone = zone
		case p.zone.String() != zone.String():
			p.zone = time.UTC
		}
		if region := rev.Directory.Region; region != "" && !slices.Contains(p.regions, region) {
			p.regions = append(p.regions, region)
		}
		for _, a := range rev.Automations {
			if !slices.Contains(p.automations, a.ID) {
				p.automations = append(p.automations, a.ID)
			}
		}
	}
	if p.zone == nil {
		p.zone = time.UTC
	}
	return p, nil
}

// listed reads what is asked for.
func (d *Dashboard) listed(r *http.Request) (l listed, err error) {
	in := r.URL.Query()
	l = listed{typed: strings.TrimSpace(in.Get("q")), account: in.Get("account")}
	if l.before, err = cursorOf(r); err != nil {
		return listed{}, err
	}
	if l.place, err = d.place(r.Context(), d.reader(r, people.Look), l.account); err != nil {
		return listed{}, err
	}
	l.search = readSearch(l.typed, d.now(), l.zone)
	l.search.query.AccountID, l.search.query.Before, l.search.query.Limit = l.account, l.before, listLimit
	l.search.query.Regions = l.regions
	return l, nil
}

// conversations is GET /conversations: the conversations accepted last, or those a search finds.
func (d *Dashboard) conversations(r *http.Request) (answer, error) {
	l, err := d.listed(r)
	if err != nil {
		return answer{}, err
	}
	ctx, reader := r.Context(), d.reader(r, people.Look)
	var rows []store.ConversationRow
	var next string
	if len(l.search.problems) == 0 {
		if rows, next, err = reader.Conversations(ctx, l.search.query); err != nil {
			return answer{}, fmt.Errorf("list conversations: %w", err)
		}
	}
	if l.saved, err = d.store.Views(ctx, people.Of(ctx).Actor(), l.account); err != nil {
		return answer{}, err
	}
	maskRows(rows, people.Of(ctx))
	view := conversationList(l, rows, next, d.accountNames)
	if view.Bare && len(rows) == 0 && l.before == "" {
		any, _, err := reader.Conversations(ctx, store.ConversationQuery{AccountID: l.account, Limit: 1})
		if err != nil {
			return answer{}, fmt.Errorf("list conversations: %w", err)
		}
		view.None = len(any) == 0
	}
	if l.search.text != "" && len(rows) == 0 && l.before == "" && len(l.search.problems) == 0 {
		if view.Alone, err = d.alone(r, l); err != nil {
			return answer{}, err
		}
	}
	if view.Stops, view.Configs, err = d.alarms(ctx, reader, l.account); err != nil {
		return answer{}, err
	}
	title := "Conversations"
	if l.typed != "" {
		title = "Conversations: " + l.typed
	}
	return answer{Template: "conversations", Title: title, Section: "conversations", View: view}, nil
}

// alarms are what a person must hear of before anything else.
func (d *Dashboard) alarms(ctx context.Context, reader *store.Reader, account string) ([]stopView, []configView, error) {
	stops, err := reader.Stops(ctx, account)
	if err != nil {
		return nil, nil, fmt.Errorf("list stopped budgets: %w", err)
	}
	troubles, err := reader.ConfigTroubles(ctx, account)
	if err != nil {
		return nil, nil, fmt.Errorf("list config troubles: %w", err)
	}
	return stopped(stops, d.tokensPerDay, d.now(), d.accountNames), configTroubles(troubles, d.accountNames), nil
}

// mostNews bounds what an open page is told of; more are "50+".
const mostNews = 50

// conversationNews is GET /news/conversations: how many there are by now above the first row of an open page.
func (d *Dashboard) conversationNews(r *http.Request) (answer, error) {
	l, err := d.listed(r)
	if err != nil {
		return answer{}, err
	}
	n := 0
	if len(l.search.problems) == 0 {
		n, err = d.reader(r, people.Look).NewConversations(r.Context(), l.search.query, r.URL.Query().Get("above"), mostNews)
		if err != nil {
			return answer{}, err
		}
	}
	body, err := json.Marshal(map[string]any{"new": n, "more": n >= mostNews})
	return answer{File: &file{Type: "application/json", Body: body}}, err
}

func conversationList(l listed, rows []store.ConversationRow, next string, of func(account string) names) listPage {
	p := listPage{searchView: searchViewOf(l), Paged: l.before != ""}
	p.Newest = address("/conversations", "q", l.typed, "account", l.account)
	if next != "" {
		p.Older = address("/conversations", "q", l.typed, "account", l.account, "before", next)
	}
	if next != "" && len(rows) < listLimit {
		p.Further = shortly(store.AcceptedAbout(next), l.zone)
	}
	if len(rows) > 0 && !p.Paged {
		p.News = address("/news/conversations", "q", l.typed, "account", l.account, "above", rows[0].ID)
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
	if row.Event != "" {
		v.Event, v.ID = eventName(row.Event, row.Point), strings.TrimPrefix(row.ExternalID, "event:")
		v.Kind, v.Length = strings.TrimSpace("event "+kindWords(row.Direction, row.Channel, "")), ""
	} else if v.Customer == "" && v.Number == "" {
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
