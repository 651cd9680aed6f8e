package store_test

import (
	"fmt"
	"testing"
	"time"

	"aftercall/internal/store"
)

// person is somebody who may sign in.
func person(t *testing.T, h *house, name string) store.Actor {
	t.Helper()
	id, err := h.AddPerson(t.Context(), store.Person{Email: name + "@acme.example", Roles: map[string]string{"acme": "operator"}}, store.Actor{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return store.Actor{PersonID: id, Name: name}
}

// screens makes every query of pushes pass once.
func (h *house) screens(t *testing.T) {
	t.Helper()
	ctx, machine := t.Context(), store.Actor{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(h.SubscribePush(ctx, machine, store.PushSubscription{Endpoint: "https://push.example/1"}))
	h.exec(t, "UPDATE push_subscriptions SET created_at = 'epoch'")
	a, err := h.Alert(ctx, store.Teammate{Whole: true}, oldID)
	must(err)
	claimed, err := h.ClaimPushes(ctx, a, "", time.Now().Add(-time.Hour), time.Now(), 10)
	if err != nil || len(claimed) != 1 || !claimed[0].InFull {
		t.Fatalf("%+v, %v", claimed, err)
	}
	must(h.SettlePush(ctx, a, claimed[0], store.PushOutcome{State: store.PushRetrying, DueAt: time.Now(), Gone: true}))
	if _, again, err := h.NextPush(ctx, a); err != nil || !again {
		t.Errorf("tried again %v, %v", again, err)
	}
	if n, err := h.DoubtPushes(ctx, a); n != 0 || err != nil {
		t.Errorf("%d are in doubt, %v", n, err)
	}
	if n, err := h.PushBrowsers(ctx, machine); n != 0 || err != nil {
		t.Errorf("%d browsers, %v", n, err)
	}
	must(h.UnsubscribePush(ctx, machine))
}

// TestABrowserIsOnePersons: whoever subscribes it takes it over, and nobody has more than ten.
func TestABrowserIsOnePersons(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	bob, cat := person(t, h, "bob"), person(t, h, "cat")
	browsers := func(of store.Actor, want int) {
		t.Helper()
		if n, err := h.PushBrowsers(t.Context(), of); n != want || err != nil {
			t.Errorf("%s has %d browsers, want %d; %v", of.Name, n, want, err)
		}
	}
	subscribe := func(of store.Actor, n int) {
		t.Helper()
		if err := h.SubscribePush(t.Context(), of, store.PushSubscription{Endpoint: fmt.Sprint("https://push.example/", n)}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 12 {
		subscribe(bob, n)
	}
	browsers(bob, 10)
	subscribe(cat, 11)
	subscribe(cat, 11)
	browsers(bob, 9)
	browsers(cat, 1)
	if err := h.UnsubscribePush(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	browsers(bob, 0)
	browsers(cat, 1)
}
