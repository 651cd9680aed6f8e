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
	"aftercall/recipients"
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
	Input  string // the type of the field for its address
	Out    bool   // it leaves this machine
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
	for _, name := range []string{deliver.Email, deliver.SMS, deliver.Chatter, deliver.CTI, deliver.TeamAlert, deliver.Push, deliver.Task} {
		row := channelRow{Name: channelWord(name), Anchor: anchor("to", name)}
		switch _, ok := set[name]; {
		case name == deliver.TeamAlert || name == deliver.Task:
			row.State, row.Means = badge{"stays here", "check", "info"}, "A row in this database, shown on these pages."
		case ok:
			row.Out = true
			row.State, row.Means = badge{"goes out", "out", "good"}, "This process has what it needs to send."
		default:
			row.State, row.Means = badge{"captured", "flask", "quiet"}, "This process has no credentials for it: messages are kept under Captured."
		}
		if t, ok := channelTests()[name]; ok {
			row.Test, row.Input = channelsPath+"/"+url.PathEscape(name)+"/test", t.input
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
	case testKept:
		row.Outcome, row.Detail = badge{"captured", "flask", "quiet"}, "without credentials: nothing left this machine"
	case string(deliver.Unknown):
		row.Outcome, row.Detail = badge{"unknown", "question", "bad"}, words(ended.Detail["class"])
	default:
		row.Outcome, row.Detail = badge{"not sent", "cross", "bad"}, words(ended.Detail["class"])
	}
	return row
}

// testChannel is POST /settings/channels/{channel}/test: one message to the address that was typed, under the account's own
// sender. It is written down before it is handed out, and what became of it after that. Without credentials nothing is
// handed to anybody.
func (d *Dashboard) testChannel(r *http.Request) (answer, error) {
	account, err := d.managedAccount(r)
	if err != nil {
		return answer{}, err
	}
	name := r.PathValue("channel")
	t, ok := channelTests()[name]
	if !ok {
		return answer{}, fmt.Errorf("find channel: %w", store.ErrNotFound)
	}
	m, err := t.write(field(r, "to"), d.accountNames(account))
	if err != nil {
		return answer{}, err
	}
	m.DeliveryID, m.Attempt, m.AccountID, m.Channel = uuid.NewString(), 1, account, name
	act := store.Act{AccountID: account, By: people.Of(r.Context()).Actor(), What: store.ActTestBegun, Target: m.DeliveryID,
		Detail: map[string]string{"channel": name}}
	if err := d.store.LogAct(r.Context(), act); err != nil {
		return answer{}, err
	}
	act.What, act.Detail = store.ActTestEnded, d.handTest(r.Context(), m)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), queryTime)
	defer cancel()
	return answer{Location: channelsPath}, d.store.LogAct(ctx, act)
}

// handTest hands a test message to its channel, if there is one, and says what became of it.
func (d *Dashboard) handTest(ctx context.Context, m deliver.Message) map[string]string {
	channel, ok := d.channels[m.Channel]
	if !ok {
		return map[string]string{"channel": m.Channel, "result": testKept}
	}
	receipt, err := channel.Send(ctx, m)
	if err != nil {
		e := deliver.AsError(err)
		return map[string]string{"channel": m.Channel, "result": string(e.Verdict), "class": e.Class}
	}
	return map[string]string{"channel": m.Channel, "result": string(store.Sent), "provider": receipt.Provider}
}

// testKept is the result of a test message that nobody could be handed.
const testKept = "kept"

// channelTest is how a test message of one channel is asked for and written.
type channelTest struct {
	input string // the type of its input field
	write func(to string, n names) (deliver.Message, error)
}

// channelTests has one for each channel of which a test message can be asked for.
func channelTests() map[string]channelTest {
	return map[string]channelTest{deliver.Email: {"email", testMail}, deliver.SMS: {"tel", testText}}
}

const testWords = "This is a test message. Somebody who manages %s in Aftercall asked for it on the page of its channels."

// testMail writes an e-mail.
func testMail(to string, n names) (deliver.Message, error) {
	address, err := mail.ParseAddress(to)
	switch {
	case err != nil || address.Address != to:
		return deliver.Message{}, refused("That is not an e-mail address.")
	case n.rev == nil || n.rev.From.Address == "":
		return deliver.Message{}, refused("This account's config names no sender for e-mail.")
	}
	return deliver.Message{From: n.rev.From, To: []deliver.Address{{Address: to}}, Subject: "Test message from Aftercall",
		Text: fmt.Sprintf(testWords, n.account(n.rev.AccountID)) + "\n"}, nil
}

// testText writes a text message. A number without its country code is one of the account's region.
func testText(to string, n names) (deliver.Message, error) {
	if n.rev == nil || n.rev.FromNumber == "" {
		return deliver.Message{}, refused("This account's config names no sender for texts.")
	}
	number, no := recipients.Phone(to, n.rev.Directory.Region)
	if no != nil {
		return deliver.Message{}, refused("That is not a number to write to: " + no.Message + ".")
	}
	return deliver.Message{From: deliver.Address{Address: n.rev.FromNumber}, To: []deliver.Address{{Address: number}},
		Text: fmt.Sprintf(testWords, n.account(n.rev.AccountID))}, nil
}
