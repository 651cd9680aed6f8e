package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

const addedAccount = `account: added
name: Added Ltd
timezone: Europe/London
from: { sms: "+442071838750" }
allow: { domains: [added.example] }
people: { maria: { name: Maria Lopez, email: maria@added.example, phone: "+447700900123" } }
sources: [ { id: calls, type: dummy, secret: "${ENV:DUMMY_SECRET}" } ]
automations:
  - id: told
    when: always
    actions: [ { sms: { to: [maria], body: "{{conversation_uuid}} is over." } } ]
`

// TestWhatIsAddedAsContributingSaysWorks builds the product with a platform and a provider that nobody has: a call that the one
// posts is signed for, stored, decided, and told by the other.
func TestWhatIsAddedAsContributingSaysWorks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var pages []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ To, Words, Ref string }
		if r.URL.Path != "/pages" || r.Header.Get("X-Key") != "pager-key" || json.NewDecoder(r.Body).Decode(&asked) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		pages = append(pages, asked.Ref+" to "+asked.To+": "+asked.Words)
		mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"page":"p-%s"}`, asked.Ref)
	}))
	t.Cleanup(service.Close)
	b, err := bed.Open(t.Context(), bed.Options{Dir: runDir(t), Builder: testBuilder(t), Seed: 1, Variants: []string{"one-more-of-each"},
		Config: map[string]string{"added/account.yaml": addedAccount}, Env: []string{"DUMMY_SECRET=a-secret", "PAGER_URL=" + service.URL, "PAGER_KEY=pager-key"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	c, err := checker.Open(t.Context(), b.Database.Direct("chaos"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := b.Whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	post := func(secret string) int {
		body := []byte(`{"what":"over","id":"d-1","began":1772443800,"lasted":"90.5","lines":[{"by":"it","words":"Hello"},{"by":"them","words":"Call me back"}]}`)
		code := hmac.New(sha256.New, []byte(secret))
		code.Write(body)
		return b.Send(t.Context(), http.DefaultClient, bed.Webhook{Path: "/hooks/calls", Body: body, Header: http.Header{"X-Dummy": {hex.EncodeToString(code.Sum(nil))}}})
	}
	if status := post("another"); status != http.StatusUnauthorized {
		t.Errorf("signed with another secret: %d", status)
	}
	for range 2 {
		if status := post("a-secret"); status != http.StatusOK {
			t.Errorf("a call, and the same again: %d", status)
		}
	}
	if _, left, err := c.Settle(t.Context(), time.Minute); err != nil || !left.Settled() {
		t.Fatalf("after a minute: %s, %v", left, err)
	}
	sent, err := c.Rows(t.Context(), `SELECT d.id || ' to ' || d.address || ': ' || c.external_id || ' is over. ' || d.state || ' by ' || d.provider || ' as ' || d.provider_id
		FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id`)
	mu.Lock()
	defer mu.Unlock()
	if err != nil || len(sent) != 1 || len(pages) != 1 || !slices.Equal(sent, []string{pages[0] + " sent by pager as p-" + pages[0][:36]}) {
		t.Errorf("sent %q, and the service has %q, %v", sent, pages, err)
	}
}
