package store_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"aftercall/internal/store"
)

func asked(k store.Key, token, request string) store.Asked {
	t, r := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(request))
	return store.Asked{Key: k, Token: t[:], Request: r[:]}
}

// askTwice makes every query of kept answers pass once.
func askTwice(t *testing.T, s *store.Store, k store.Key) {
	t.Helper()
	a := asked(k, "once", "resend")
	claim(t, s, a, nil)
	claim(t, s, a, &store.Answered{})
	if err := s.KeepAnswer(t.Context(), a, 200, `{"delivery_id":"d"}`); err != nil {
		t.Fatal(err)
	}
	claim(t, s, a, &store.Answered{Status: 200, Body: `{"delivery_id":"d"}`})
	claim(t, s, asked(k, "once", "cancel"), &store.Answered{Status: 200, Body: `{"delivery_id":"d"}`, Other: true})
	if err := s.ForgetAnswer(t.Context(), a); err != nil { // what is kept is not given up
		t.Fatal(err)
	}
	claim(t, s, a, &store.Answered{Status: 200, Body: `{"delivery_id":"d"}`})
	if n, err := s.DropAnswers(t.Context(), time.Now().Add(23*time.Hour)); err != nil || n != 0 {
		t.Errorf("dropped %d within a day, %v", n, err)
	}
	if n, err := s.DropAnswers(t.Context(), time.Now().Add(25*time.Hour)); err != nil || n == 0 {
		t.Errorf("dropped %d after a day; %v", n, err)
	}
	claim(t, s, a, nil)
}

func claim(t *testing.T, s *store.Store, a store.Asked, want *store.Answered) {
	t.Helper()
	got, err := s.ClaimAnswer(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if got != nil {
		got.At = time.Time{}
	}
	if (got == nil) != (want == nil) || got != nil && *got != *want {
		t.Errorf("claimed: %+v, want %+v", got, want)
	}
}

func TestAnAnswerIsKeptForOneKey(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{Ingest: -1})
	var keys []store.Key
	for _, name := range []string{"one", "two"} {
		if err := h.AddKey(t.Context(), "acme", name, "ac_"+name, []byte(name), store.Actor{}, store.ScopeOperate, store.ScopeRead); err != nil {
			t.Fatal(err)
		}
		k, err := h.FindKey(t.Context(), []byte(name))
		if err != nil || !k.May(store.ScopeRead) || !k.May(store.ScopeOperate) || k.May(store.ScopePost) {
			t.Fatalf("%+v, %v", k, err)
		}
		keys = append(keys, k)
	}
	claim(t, h.Store, asked(keys[0], "same word", "x"), nil)
	claim(t, h.Store, asked(keys[1], "same word", "y"), nil)
	if err := h.ForgetAnswer(t.Context(), asked(keys[0], "same word", "x")); err != nil {
		t.Fatal(err)
	}
	claim(t, h.Store, asked(keys[0], "same word", "z"), nil)
	claim(t, h.Store, asked(keys[1], "same word", "y"), &store.Answered{})
	askTwice(t, h.Store, keys[0])
}
