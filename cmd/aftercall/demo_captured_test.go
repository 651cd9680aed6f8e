package main

import (
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// capturesEachKind looks for what the front desk's call leads to, in the sink and on its pages: a pop-up while it
// goes on and one when it is over, a text, a post, and a text that waited.
func capturesEachKind(t *testing.T, d *demonstration) {
	const call = "demo-ops-4-front-desk"
	account, id, err := d.app.db.FindConversation(t.Context(), "", call)
	if err != nil {
		t.Fatal(err)
	}
	story, err := d.app.db.Story(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		channel, text string
		after         time.Duration // the end of the call
		of            string        // begins the id of the call, or of what happened during it
		named         string        // how pages name that
	}{
		"mid-call pop-up": {deliver.CTI, "+447700900641 is on the line", -time.Minute, "event:", "call.reached at front-desk"},
		"pop-up":          {deliver.CTI, "Owen Price has just called from +447700900641", 0, call, call},
		"Chatter post":    {deliver.Chatter, "Owen Price called Nadia on ", 0, call, call},
		"text":            {deliver.SMS, "Acme Clinic: thank you for your call.", 0, call, call},
		"delayed message": {deliver.SMS, "Acme Clinic: did we answer your question? Call +442071838750 if we did not.", 5 * time.Second, call, call},
	} {
		rows, _, err := d.app.db.Within(store.Only(account)).CapturedMessages(t.Context(), account, want.channel, "", 50)
		if err != nil {
			t.Fatal(err)
		}
		var kept []store.Captured
		for _, m := range rows {
			if strings.HasPrefix(m.ExternalID, want.of) && strings.HasPrefix(m.Text, want.text) {
				kept = append(kept, m)
			}
		}
		if len(kept) != 1 {
			t.Errorf("%s: %d captured, of %d on its channel", name, len(kept), len(rows))
			continue
		}
		if waited := kept[0].CapturedAt.Sub(story.Conversation.EndedAt); waited < want.after {
			t.Errorf("%s: captured %s after the call", name, waited)
		}
		for _, path := range []string{"/captured?channel=" + want.channel, "/captured/" + kept[0].ID} {
			if page := readOn(t, d, path); !strings.Contains(page, want.text[:min(30, len(want.text))]) || !strings.Contains(page, want.named) {
				t.Errorf("%s: it is not on %s", name, path)
			}
		}
	}
}

// readOn is a page of the demo as it is read.
func readOn(t *testing.T, d *demonstration, path string) string {
	t.Helper()
	res, err := http.Get(d.app.address("pages") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
	}
	return html.UnescapeString(string(body))
}
