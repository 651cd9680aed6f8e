package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"

	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/push"
	"aftercall/internal/store"
	"aftercall/worker"
)

// screens are a push service and people with a browser each.
type screens struct {
	*bench
	service *delivertest.Push
	channel deliver.Channel
	people  map[string]store.Actor
}

func newScreens(t *testing.T) *screens {
	t.Helper()
	s := &screens{service: delivertest.NewPush(), people: map[string]store.Actor{}}
	t.Cleanup(s.service.Close)
	key, err := push.NewKey()
	must(t, err)
	s.channel, err = push.New(push.Config{Key: key, Subject: "mailto:ops@acme.example", Client: s.service.Client()})
	must(t, err)
	s.bench = begin(t, hanging{}, worker.Config{Channels: map[string]deliver.Channel{deliver.Push: s.channel}, AskTimeout: 200 * time.Millisecond}, true)
	for name, roles := range map[string]map[string]string{
		"maria": {"acme": "viewer"}, "tom": {"acme": "operator"}, "root": {store.EveryAccount: "admin"}, "eve": {"umbra": "admin"}, "left": {"acme": "admin"}, "nobody": nil,
	} {
		id, err := s.store.AddPerson(t.Context(), store.Person{Email: name + "@acme.example", Roles: roles}, store.Actor{Name: "test"})
		must(t, err)
		s.people[name] = store.Actor{PersonID: id, Name: name}
		s.subscribe(name)
	}
	must(t, s.store.SetDisabled(t.Context(), s.people["left"].PersonID, true, store.Actor{Name: "test"}))
	return s
}

// subscribe gives a person a browser, whose messages go to a path with their name.
func (s *screens) subscribe(name string) {
	s.Helper()
	endpoint, browser, err := s.service.Subscribe("/" + name)
	must(s, err)
	must(s, s.store.SubscribePush(s.Context(), s.people[name], store.PushSubscription{Endpoint: endpoint, P256dh: browser.P256dh(), Auth: browser.Auth()}))
}

// alert posts an alert with the call's message; to is a key or all.
func (s *screens) alert(poster interface {
	PostAlert(ctx context.Context, m deliver.Message) error
}, to string) store.Alert {
	s.Helper()
	story := s.until(func(s store.Story) bool { return state(s, "every-call") == store.Sent })
	must(s, poster.PostAlert(s.Context(), deliver.Message{AccountID: "acme", DeliveryID: story.Deliveries[0].ID, Text: "Dana waits.", To: []deliver.Address{{Address: to}}}))
	alerts, err := s.store.Alerts(s.Context(), "acme", 1)
	must(s, err)
	return alerts[0]
}

// now works the pushes of an alert at a time.
func (s *screens) now(a store.Alert, at time.Time) error {
	return worker.PushNow(s.Context(), s.store, s.revisions, s.channel, capture.New(s.store), at, a.ID)
}

// seen are the paths that were reached, sorted.
func (s *screens) seen() (paths []string) {
	for _, n := range s.service.Notices() {
		paths = append(paths, n.Path)
	}
	slices.Sort(paths)
	return paths
}

// TestAnAlertGoesToTheScreensOfItsAudience, by the queue; to a viewer without its text.
func TestAnAlertGoesToTheScreensOfItsAudience(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	jobs, err := worker.NewInserter(s.store)
	must(t, err)
	a := s.alert(s.store.NewPoster(worker.EnqueuePush(jobs)), "all")
	for late := time.After(time.Minute); len(s.seen()) < 3; {
		select {
		case <-late:
			t.Fatalf("reached are %v", s.seen())
		case <-time.After(5 * time.Millisecond):
		}
	}
	must(t, s.now(a, time.Now())) // once more
	if d := cmp.Diff([]string{"/maria", "/root", "/tom"}, s.seen()); d != "" {
		t.Error(d)
	}
	for _, n := range s.service.Notices() {
		want := delivertest.Notice{Path: n.Path, Title: "every-call · Acme Clinic", Body: "Dana waits.", Opens: "/conversations/" + s.id, Tag: a.DeliveryID,
			Topic: n.Topic, TTL: n.TTL, Urgency: n.Urgency}
		if n.Path == "/maria" {
			want.Body = "A team alert. Open it to read it."
		}
		if d := cmp.Diff(want, n); d != "" {
			t.Error(d)
		}
	}
}

func TestAnAlertToOneGoesToTheirScreens(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	must(t, s.now(s.alert(s.store, "maria"), time.Now()))
	if d := cmp.Diff([]string{"/maria"}, s.seen()); d != "" {
		t.Error(d)
	}
}

func TestABrowserHearsOfWhatComesAfterIt(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	a := s.alert(s.store, "all")
	s.subscribe("maria") // it takes the place of the one that was there
	must(t, s.now(a, time.Now()))
	if d := cmp.Diff([]string{"/root", "/tom"}, s.seen()); d != "" {
		t.Error(d)
	}
}

// TestAPushIsSentOnce: again where certainly nothing was sent, never where nobody knows, and not as old news.
func TestAPushIsSentOnce(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	a, now := s.alert(s.store, "maria"), time.Now()
	s.service.Fail(func(n int, _ delivertest.Notice) delivertest.Fault {
		return map[int]delivertest.Fault{1: {Status: 503}}[n]
	})
	var back *river.JobSnoozeError
	if err := s.now(a, now); !errors.As(err, &back) || back.Duration <= 0 {
		t.Fatalf("a service with a fault: %v", err)
	}
	for range 2 { // the second has nothing to do
		must(t, s.now(a, now.Add(back.Duration+time.Second)))
	}
	if got := s.seen(); len(got) != 1 || s.service.Requests() != 2 {
		t.Errorf("reached are %v by %d requests", got, s.service.Requests())
	}
}

func TestAHalfSentPushIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	a, now := s.alert(s.store, "maria"), time.Now()
	claimed, err := s.store.ClaimPushes(t.Context(), a, "maria@acme.example", now.Add(-time.Hour), now, 10)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%+v, %v", claimed, err)
	}
	must(t, s.now(a, now)) // whoever had claimed it is gone
	must(t, s.store.SettlePush(t.Context(), a, claimed[0], store.PushOutcome{State: store.PushRetrying, DueAt: now}))
	must(t, s.now(a, now.Add(time.Second)))
	if n := s.service.Requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestOldNewsAreNotPushed(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	a := s.alert(s.store, "maria")
	must(t, s.now(a, time.Now().Add(61*time.Minute)))
	if n := s.service.Requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestABrowserThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	a := s.alert(s.store, "maria")
	s.service.Fail(func(int, delivertest.Notice) delivertest.Fault { return delivertest.Fault{Status: 410} })
	must(t, s.now(a, time.Now()))
	if n, err := s.store.PushBrowsers(t.Context(), s.people["maria"]); n != 0 || err != nil {
		t.Errorf("%d browsers, %v", n, err)
	}
	if n, err := s.store.PushBrowsers(t.Context(), s.people["tom"]); n != 1 || err != nil {
		t.Errorf("somebody else's: %d browsers, %v", n, err)
	}
}

// TestWithoutAKeyAPushIsCaptured, beside the alert, which stays sent; and the ledger balances.
func TestWithoutAKeyAPushIsCaptured(t *testing.T) {
	t.Parallel()
	s := newScreens(t)
	s.channel = nil
	must(t, s.store.UnsubscribePush(t.Context(), s.people["maria"]))
	for range 2 { // twice is once
		must(t, s.store.SubscribePush(t.Context(), s.people["maria"], store.PushSubscription{}))
	}
	a := s.alert(s.store, "maria")
	for range 2 {
		must(t, s.now(a, time.Now()))
	}
	kept, _, err := s.store.CapturedMessages(t.Context(), "acme", deliver.Push, "", 10)
	must(t, err)
	if len(kept) != 1 || kept[0].To != "person:maria" || kept[0].Subject != "every-call · Acme Clinic" || len(kept[0].Fields) != 1 || s.service.Requests() != 0 {
		t.Errorf("%+v", kept)
	}
	if _, wrong, err := s.store.Audit(t.Context()); err != nil || slices.ContainsFunc(wrong, func(w store.Imbalance) bool { return strings.Contains(fmt.Sprint(w), kept[0].ID) }) {
		t.Errorf("the ledger does not balance: %v, %v", wrong, err)
	}
}
