package dashboard

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// popsUpFor is where an agent's softphone is.
func popsUpFor(agent string) string {
	return address(softphonePath, "account", "acme", "agent", agent)
}

// popUp lets a text pop up for an agent, as the worker does while nobody has taken it.
func (k *desk) popUp(agent, text string) (conversation string) {
	k.t.Helper()
	id, now := uuid.NewString(), time.Now()
	conversation = k.plan("Dana Whitfield", &store.Plan{Actions: map[string]int{"callback-requested": 1},
		Decisions: []triggers.Decision{{Automation: "callback-requested", Verdict: triggers.Fires, Reason: reason.Fired}},
		Deliveries: []store.Delivery{{ID: id, Automation: "callback-requested", Channel: deliver.CTI, Recipient: deliver.CTI, State: store.Retrying,
			DueAt: now.Add(time.Hour), DeadlineAt: now.Add(time.Hour), Content: store.Content{Text: text}}}})
	if _, _, err := k.d.store.PostPopUp(context.Background(), deliver.Message{AccountID: "acme", DeliveryID: id, Text: text}, agent, now); err != nil {
		k.t.Fatal(err)
	}
	return conversation
}

// pops is the state of a conversation's only delivery.
func (k *desk) pops(conversation string) store.DeliveryState {
	k.t.Helper()
	s, err := k.d.store.Story(context.Background(), "acme", conversation)
	if err != nil || len(s.Deliveries) != 1 {
		k.t.Fatalf("%d deliveries, %v", len(s.Deliveries), err)
	}
	return s.Deliveries[0].State
}

// oneSeen is that there is one card and nothing on the page waits to be seen.
const oneSeen = `document.querySelectorAll("#live .card").length === 1 && !document.querySelector("[data-seen]")`

// isASoftphone listens for an agent. What pops up comes by itself and once, counts as sent because somebody sees it, and stays for
// its time, however often the page is loaded and the line is lost.
func isASoftphone(t *testing.T, b browser, k *desk) {
	line := newLostLine(t, b.url)
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(line.URL + "/softphone"))
	tabTo(tab, "#softphone-agent")
	tab.run(chromedp.KeyEvent("reception"), chromedp.KeyEvent(kb.Enter))
	settles(tab, `location.search.includes("agent=reception") && document.querySelector("#live").innerText.includes("Nothing pops up")`)

	first, others := k.popUp("reception", "Dana Whitfield <b>is calling</b>"), k.popUp("sales", "Somebody for sales")
	settles(tab, oneSeen+` && document.querySelector("#live .card").innerText.includes("Dana Whitfield <b>is calling</b>")`)
	if got := []store.DeliveryState{k.pops(first), k.pops(others)}; !slices.Equal(got, []store.DeliveryState{store.Sent, store.Retrying}) {
		t.Errorf("the agent's own and another's are %s", got)
	}
	for _, scheme := range []string{"light", "dark"} {
		tab.Scheme(scheme)
		for _, barrier := range tab.Barriers() {
			t.Errorf("in %s: %s", scheme, barrier)
		}
	}
	for len(line.opened) > 0 {
		<-line.opened
	}
	tab.run(chromedp.Navigate(line.URL + popsUpFor("reception")))
	settles(tab, oneSeen) // its two minutes are not over

	// The page may find the alert by itself before it is told of it; what it is told has the id by which it comes back.
	arrives(t, line.opened, "line of the page that was loaded again")
	k.post(k.call("Priya Nair"), "Priya Nair waits for a call back")
	settles(tab, `document.querySelector(".pops [data-alert]")`)
	arrives(t, line.told, "alert that the page is told of")
	line.CloseClientConnections()
	second := k.popUp("reception", "Jonas Weber is calling")
	settles(tab, `document.querySelectorAll("#live .card").length === 2 && document.querySelector("#live .card").innerText.includes("Jonas Weber") && !document.querySelector("[data-seen]")`)
	arrives(t, line.resumed, "browser that comes back and says what it heard last")
	if k.pops(second) != store.Sent {
		t.Error("what came while the line was lost is not sent")
	}

	if _, err := k.d.store.Pool().Exec(t.Context(), `UPDATE popups SET until = now()`); err != nil { // its time is over
		t.Fatal(err)
	}
	tab.run(chromedp.Navigate(line.URL + popsUpFor("reception")))
	settles(tab, `document.querySelector("#live").innerText.includes("Nothing pops up")`)
	for _, c := range tab.complaints() {
		if !strings.Contains(c, "ERR_INCOMPLETE_CHUNKED_ENCODING") { // the line that was lost
			t.Error(c)
		}
	}
	tab.run(chromedp.Navigate("about:blank")) // or this softphone takes what the next one is shown
	saysItWasSeen(t, b, k)
}

// saysItWasSeen reads a pop-up without scripts. The page that is loaded does not say that anybody saw it; its reader does.
func saysItWasSeen(t *testing.T, b browser, k *desk) {
	tab := b.open(t, "dark", 375)
	tab.Scripts(false)
	x := k.popUp("reception", "Ada Quinn is calling")
	tab.run(chromedp.Navigate(b.url + popsUpFor("reception")))
	settles(tab, `document.querySelector("#live .card").innerText.includes("Ada Quinn")`)
	if got := k.pops(x); got != store.Retrying {
		t.Errorf("a page that was loaded makes it %s", got)
	}
	tabTo(tab, `[data-seen] button`)
	tab.run(chromedp.KeyEvent(kb.Enter))
	settles(tab, oneSeen)
	if got := k.pops(x); got != store.Sent {
		t.Errorf("it was seen, and is %s", got)
	}
}

// lostLine is a way to the pages that can be cut.
type lostLine struct {
	*httptest.Server
	opened  chan string // lines for news that stand
	told    chan string // news with an id
	resumed chan string // what those who came back for one had heard last
}

// arrives waits for something that comes by itself.
func arrives(t *testing.T, from <-chan string, what string) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(20 * time.Second):
		t.Errorf("there is no %s", what)
	}
}

func newLostLine(t *testing.T, to string) *lostLine {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy, l := httputil.NewSingleHostReverseProxy(u), &lostLine{opened: make(chan string, 100), told: make(chan string, 100), resumed: make(chan string, 100)}
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.URL.Path == livePath {
			note(l.opened, r.Status)
			r.Body = tapped{r.Body, l.told}
		}
		return nil
	}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if last := r.Header.Get("Last-Event-ID"); r.URL.Path == livePath && last != "" {
			note(l.resumed, last)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		l.CloseClientConnections()
		l.Close()
	})
	return l
}

// note keeps the first of what nobody may wait for.
func note(in chan<- string, what string) {
	select {
	case in <- what:
	default:
	}
}

// tapped notes news with an id that pass by.
type tapped struct {
	io.ReadCloser
	told chan<- string
}

func (b tapped) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if bytes.HasPrefix(p[:n], []byte("id: ")) {
		note(b.told, string(p[:n]))
	}
	return n, err
}
