package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/people"
)

// capturedList is the view of captured_list.html.
type capturedListPage struct {
	Channels []tab
	Rows     []capturedRow
	Paged    bool
	Newest   string
	Older    string
}

// tab is one choice of a filter.
type tab struct {
	Label, Path string
	Current     bool
}

// capturedRow is one captured message in the list.
type capturedRow struct {
	Path, Channel, To, Subject string
	Automation                 string
	Conversation, ExternalID   string // path and the platform's id
	Event                      string // what happened, if it is of an event
	At                         moment
	Test                       bool
}

// capturedPage is the view of captured.html.
type capturedPage struct {
	capturedRow
	Account string
	Fields  []fact
	Text    string
	HTML    string // address of the message's HTML, "" if it has none
	Reveal  string // where to ask for phone numbers and addresses in full; "" if they are shown
}

// capturedList is GET /captured: messages that were kept instead of sent, newest first, by channel and cursor.
func (d *Dashboard) capturedList(r *http.Request) (answer, error) {
	in := r.URL.Query()
	account, channel := in.Get("account"), in.Get("channel")
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	rows, next, err := d.reader(r, people.Look).CapturedMessages(r.Context(), account, channel, before, listLimit)
	if err != nil {
		return answer{}, fmt.Errorf("list captured messages: %w", err)
	}
	who := people.Of(r.Context())
	for i := range rows {
		if !who.May(people.Addresses, rows[i].AccountID) {
			maskCaptured(&rows[i])
		}
	}
	view := capturedRows(account, channel, before, rows, next, d.accountNames)
	return answer{Template: "captured_list", Title: "Captured messages", Section: "captured", View: view}, nil
}

func capturedRows(account, channel, before string, rows []store.Captured, next string, of func(account string) names) capturedListPage {
	p := capturedListPage{Paged: before != "", Newest: address("/captured", "account", account, "channel", channel)}
	if next != "" {
		p.Older = address("/captured", "account", account, "channel", channel, "before", next)
	}
	p.Channels = append(p.Channels, tab{"All", address("/captured", "account", account), channel == ""})
	for _, c := range []string{deliver.Email, deliver.SMS, deliver.Chatter, deliver.CTI, deliver.TeamAlert, deliver.Push} {
		p.Channels = append(p.Channels, tab{channelWord(c), address("/captured", "account", account, "channel", c), channel == c})
	}
	known := map[string]names{}
	for _, m := range rows {
		n, ok := known[m.AccountID]
		if !ok {
			n = of(m.AccountID)
			known[m.AccountID] = n
		}
		p.Rows = append(p.Rows, capturedMessageRow(m, n))
	}
	return p
}

func capturedMessageRow(m store.Captured, n names) capturedRow {
	name, _ := n.automation(m.Automation)
	row := capturedRow{
		Path: capturedPath(m.ID), Channel: channelWord(m.Channel), To: m.To, Subject: m.Subject,
		Automation: name, ExternalID: m.ExternalID, Event: eventName(m.Event, m.Point), At: shortly(m.CapturedAt, n.zone()), Test: m.Test,
	}
	if row.Event != "" {
		row.ExternalID = strings.TrimPrefix(row.ExternalID, "event:")
	}
	if m.ConversationID != "" {
		row.Conversation = conversationPath(m.ConversationID)
	}
	if row.Subject == "" {
		row.Subject = firstLine(m.Text)
	}
	return row
}

func capturedPath(id string) string { return "/captured/" + url.PathEscape(id) }

// firstLine is the beginning of a text, short enough for a row.
func firstLine(s string) string {
	const longest = 80
	n := 0
	for i, r := range s {
		if r == '\n' || r == '\r' {
			return s[:i]
		}
		if n++; n > longest {
			return s[:i] + "…"
		}
	}
	return s
}

// captured is GET /captured/{id}: one message with its HTML in a sandbox, its text and its fields.
func (d *Dashboard) captured(r *http.Request) (answer, error) {
	m, masked, err := d.capturedFor(r)
	if err != nil {
		return answer{}, err
	}
	view := capturedMessage(m, d.accountNames(m.AccountID))
	if masked {
		view.Reveal = view.Path + "/reveal"
	}
	return answer{Template: "captured", Title: view.Channel + ": " + view.Subject, Section: "captured", View: view}, nil
}

// capturedFor loads the message that is asked for, as whoever asks may see it.
func (d *Dashboard) capturedFor(r *http.Request) (m store.Captured, masked bool, err error) {
	m, err = d.reader(r, people.Look).CapturedMessage(r.Context(), r.PathValue("id"))
	if err != nil {
		return store.Captured{}, false, fmt.Errorf("load captured message: %w", err)
	}
	if masked = !people.Of(r.Context()).May(people.Addresses, m.AccountID); masked {
		maskCaptured(&m)
	}
	return m, masked, nil
}

// revealCaptured is POST /captured/{id}/reveal: the page in full, once, after it was written down who asked.
func (d *Dashboard) revealCaptured(r *http.Request) (answer, error) {
	m, err := d.reader(r, people.Look).CapturedMessage(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, fmt.Errorf("load captured message: %w", err)
	}
	if err := d.logReveal(r, m.AccountID, m.ID, "captured"); err != nil {
		return answer{}, err
	}
	view := capturedMessage(m, d.accountNames(m.AccountID))
	return answer{Template: "captured", Title: view.Channel + ": " + view.Subject, Section: "captured", View: view, Draft: true}, nil
}

func capturedMessage(m store.Captured, n names) capturedPage {
	p := capturedPage{capturedRow: capturedMessageRow(m, n), Account: n.account(m.AccountID), Text: m.Text, Fields: fields(m.Fields)}
	p.At = at(m.CapturedAt, n.zone())
	if m.HTML != "" {
		p.HTML = p.Path + "/html"
	}
	return p
}

// capturedHTML is GET /captured/{id}/html: the message's HTML under the sandbox policy.
func (d *Dashboard) capturedHTML(r *http.Request) (answer, error) {
	m, _, err := d.capturedFor(r)
	if err != nil {
		return answer{}, err
	}
	if m.HTML == "" {
		return answer{}, store.ErrNotFound
	}
	return answer{Message: m.HTML}, nil
}

// fact is a label with its value.
type fact struct{ Label, Value string }

// fields lists a message's fields by name.
func fields(m map[string]string) []fact {
	fs := make([]fact, 0, len(m))
	for k, v := range m {
		fs = append(fs, fact{words(k), v})
	}
	sort.Slice(fs, func(i, j int) bool { return fs[i].Label < fs[j].Label })
	return fs
}
