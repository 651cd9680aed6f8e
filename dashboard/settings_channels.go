package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"time"

	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/people"
)

const channelsPath = settingsPath + "/channels"

// testTime bounds a test message: longer than a channel waits for its provider.
const testTime = 30 * time.Second

// channelsPage is the view of settings_channels.html.
type channelsPage struct {
	Tabs     []tab
	Rows     []channelRow
	Accounts []choice
	Tests    []testRow
}

// channelRow is one way out.
type channelRow struct {
	Name   string
	State  badge
	Means  string
	Test   string // where to ask for a test message; "" if there is nothing to test
	Anchor string
}

// testRow is one test message, as the log tells of it.
type testRow struct {
	Account, Who, Channel string
	Outcome               badge
	Detail                string
	At                    moment
}

// channelList is GET /settings/channels: what leaves this machine by which way, and the last test messages.
func (d *Dashboard) channelList(r *http.Request) (answer, error) {
	accounts, err := d.managed(r, "")
	if err != nil {
		return answer{}, err
	}
	tests, err := d.tests(r)
	if err != nil {
		return answer{}, err
	}
	view := channelsPage{Tabs: settingsTabs(r.Context(), channelsPath), Rows: channelRows(d.channels), Accounts: accounts, Tests: tests}
	return settingsPage("settings_channels", "Channels", view), nil
}

func channelRows(set map[string]deliver.Channel) (rows []channelRow) {
	for _, name := range []string{deliver.Email, deliver.SMS, deliver.Chatter, deliver.CTI, deliver.TeamAlert, deliver.Task} {
		row := channelRow{Name: channelWord(name), Anchor: anchor("to", name)}
		switch _, ok := set[name]; {
		case name == deliver.TeamAlert || name == deliver.Task:
			row.State, row.Means = badge{"stays here", "check", "info"}, "A row in this database, shown on these pages."
		case ok:
			row.State, row.Means = badge{"goes out", "out", "good"}, "This process has what it needs to send."
		default:
			row.State, row.Means = badge{"captured", "flask", "quiet"}, "This process has no credentials for it: messages are kept under Captured."
		}
		if _, ok := set[name]; ok && name == deliver.Email {
			row.Test = channelsPath + "/" + url.PathEscape(name) + "/test"
		}
		rows = append(rows, row)
	}
	return rows
}

// testsShown bounds the list of test messages.
const testsShown = 10

// tests are the test messages of the last month. One whose end nobody wrote down may have gone out.
func (d *Dashboard) tests(r *http.Request) (rows []testRow, err error) {
	ends := map[string]store.Act{}
	q := store.ActQuery{What: store.ActTestEnded, Since: d.now().AddDate(0, -1, 0), Limit: 2 * testsShown}
	acts, _, err := d.reader(r, people.Manage).FindActs(r.Context(), q)
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		ends[a.Target] = a
	}
	q.What, q.Limit = store.ActTestBegun, testsShown
	if acts, _, err = d.reader(r, people.Manage).FindActs(r.Context(), q); err != nil {
		return nil, err
	}
	for _, a := range acts {
		rows = append(rows, testRowOf(a, ends[a.Target], d.accountNames(a.AccountID)))
	}
	return rows, nil
}

func testRowOf(begun, ended store.Act, n names) testRow {
	row := testRow{Account: n.account(begun.AccountID), Who: begun.By.Name, Channel: channelWord(begun.Detail["channel"]),
		Outcome: badge{"no answer kept", "question", "warn"}, At: at(begun.At, n.zone())}
	switch ended.Detail["result"] {
	case "":
	case string(store.Sent):
		row.Outcome, row.Detail = badge{"sent", "check", "good"}, "by "+ended.Detail["provider"]
	case string(deliver.Unknown):
		row.Outcome, row.Detail = badge{"unknown", "question", "bad"}, words(ended.Detail["class"])
	default:
		row.Outcome, row.Detail = badge{"not sent", "cross", "bad"}, words(ended.Detail["class"])
	}
	return row
}

// testChannel is POST /settings/channels/{channel}/test: one message to the address that was typed, under the account's own
// sender. It is written down before it is handed out, and what became of it after that.
func (d *Dashboard) testChannel(r *http.Request) (answer, error) {
	account, err := d.managedAccount(r)
	if err != nil {
		return answer{}, err
	}
	name := r.PathValue("channel")
	channel, ok := d.channels[name]
	if !ok || name != deliver.Email {
		return answer{}, fmt.Errorf("find channel: %w", store.ErrNotFound)
	}
	m, err := testMail(field(r, "to"), account, d.accountNames(account))
	if err != nil {
		return answer{}, err
	}
	act := store.Act{AccountID: account, By: people.Of(r.Context()).Actor(), What: store.ActTestBegun, Target: m.DeliveryID,
		Detail: map[string]string{"channel": name}}
	if err := d.store.LogAct(r.Context(), act); err != nil {
		return answer{}, err
	}
	receipt, sendErr := channel.Send(r.Context(), m)
	act.What, act.Detail = store.ActTestEnded, map[string]string{"channel": name, "result": string(store.Sent), "provider": receipt.Provider}
	if sendErr != nil {
		e := deliver.AsError(sendErr)
		act.Detail = map[string]string{"channel": name, "result": string(e.Verdict), "class": e.Class}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), queryTime)
	defer cancel()
	return answer{Location: channelsPath}, d.store.LogAct(ctx, act)
}

// testMail writes the test message.
func testMail(to, account string, n names) (deliver.Message, error) {
	address, err := mail.ParseAddress(to)
	switch {
	case err != nil || address.Address != to:
		return deliver.Message{}, refused("That is not an e-mail address.")
	case n.rev == nil || n.rev.From.Address == "":
		return deliver.Message{}, refused("This account's config names no sender for e-mail.")
	}
	return deliver.Message{
		DeliveryID: uuid.NewString(), Attempt: 1, AccountID: account, Channel: deliver.Email, From: n.rev.From, To: []deliver.Address{{Address: to}},
		Subject: "Test message from Aftercall",
		Text:    "This is a test message. Somebody who manages " + n.account(account) + " in Aftercall asked for it on the page of its channels.\n",
	}, nil
}
