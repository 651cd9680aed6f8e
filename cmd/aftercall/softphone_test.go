package main

import (
	"bufio"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/reason"
)

const popUpConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
language: en
missing: not stated
people:
  maria: { name: Maria Lopez, email: maria@acme.example, user: sip-7 }
automations:
  - id: vip
    when: always
    actions:
      - cti: { text: "{{customer_name}} on {{to_number}} <b>now</b>" }
      - cti: { to: [maria], text: "To Maria: {{customer_name}}" }
`

// softphone is a program that listens for an agent.
type softphone struct {
	t     *testing.T
	lines *bufio.Scanner
	hang  context.CancelFunc
	last  string
}

func (h *house) softphone(key, agent, last string) *softphone {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	h.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.app.address("webhooks")+"/v1/agents/"+agent+"/cti", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		h.t.Fatalf("the stream is answered with %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &softphone{t: h.t, lines: bufio.NewScanner(res.Body), hang: cancel}
}

// next gives the text of the next pop-up; "" when the stream has ended.
func (s *softphone) next() string {
	for s.lines.Scan() {
		if id, ok := strings.CutPrefix(s.lines.Text(), "id: "); ok {
			s.last = id
		}
		data, ok := strings.CutPrefix(s.lines.Text(), "data: ")
		if !ok {
			continue
		}
		var p struct{ Text string }
		if err := json.Unmarshal([]byte(data), &p); err != nil {
			s.t.Fatal(err)
		}
		return p.Text
	}
	return ""
}

// TestPopUpsReachTheirSoftphones: the agent's and Maria's, each once, also over a line that was lost; and by then they are sent.
func TestPopUpsReachTheirSoftphones(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(popUpConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHouseAt(t, dir, http.NotFoundHandler(), time.Now)
	made := people.NewKey()
	if err := h.app.db.AddKey(t.Context(), "acme", "softphones", made.Prefix, made.Hash, store.Actor{Name: "test"}, store.ScopeCTI); err != nil {
		t.Fatal(err)
	}
	desk, second, maria := h.softphone(made.Text, "reception", ""), h.softphone(made.Text, "reception", ""), h.softphone(made.Text, "sip-7", "")
	first := h.postCall(callAt("call-1", "Ana Ruiz", time.Now()))
	const want = "Ana Ruiz on +442071838750 <b>now</b>"
	if a, b, c := desk.next(), second.next(), maria.next(); a != want || b != want || c != "To Maria: Ana Ruiz" {
		t.Errorf("popped up: %q, %q, %q", a, b, c)
	}
	sent := func(d store.StoryDelivery) bool { return d.State == store.Sent && d.Provider == "softphone" }
	h.until(first, func(s store.Story) bool {
		return len(s.Deliveries) == 2 && sent(s.Deliveries[0]) && sent(s.Deliveries[1])
	})
	page, err := http.Get(h.app.address("pages") + "/softphone?account=acme&agent=reception")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = page.Body.Close() }()
	if body, err := io.ReadAll(page.Body); err != nil || !strings.Contains(string(body), "&lt;b&gt;now&lt;/b&gt;") || strings.Contains(string(body), "To Maria") {
		t.Errorf("the page shows %s, %v", body, err)
	}
	desk.hang()
	h.postCall(callAt("call-2", "Jo Poe", time.Now()))
	if a, b := second.next(), h.softphone(made.Text, "reception", desk.last).next(); !strings.HasPrefix(a, "Jo Poe") || a != b {
		t.Errorf("after the line was lost: %q and %q", a, b)
	}
}

// TestThePageIsASoftphone: what nobody else takes is sent when the page says that it was seen there. To get the page takes nothing: a
// browser may get it ahead of time.
func TestThePageIsASoftphone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(strings.Replace(popUpConfig, "      - cti: { to: [maria]", "      #", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHouseAt(t, dir, http.NotFoundHandler(), time.Now)
	id := h.postCall(callAt("call-1", "Ana Ruiz", time.Now()))
	h.until(id, func(s store.Story) bool { return len(s.Deliveries) == 1 && s.Deliveries[0].State == store.Retrying })
	page := h.app.address("pages") + "/softphone"
	shown := []string(nil)
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		said := h.asked(method, page+"?account=acme&agent=reception", nil)
		for _, m := range regexp.MustCompile(`name="shown" value="([^"]+)"`).FindAllStringSubmatch(said, -1) {
			shown = append(shown, m[1])
		}
	}
	if s := h.until(id, func(store.Story) bool { return true }); len(shown) != 1 || s.Deliveries[0].State != store.Retrying || s.Deliveries[0].ID != shown[0] {
		t.Fatalf("the page shows %v, and %+v", shown, s.Deliveries[0])
	}
	h.asked(http.MethodPost, page, url.Values{"account": {"acme"}, "agent": {"sales"}, "shown": shown}) // whose it is not
	h.asked(http.MethodPost, page, url.Values{"account": {"acme"}, "agent": {"reception"}, "shown": {"another"}})
	if s := h.until(id, func(store.Story) bool { return true }); s.Deliveries[0].State != store.Retrying {
		t.Fatalf("somebody else's word is taken for it: %+v", s.Deliveries[0])
	}
	if said := h.asked(http.MethodPost, page, url.Values{"account": {"acme"}, "agent": {"reception"}, "shown": shown}); !strings.Contains(said, "Ana Ruiz") || strings.Contains(said, `name="shown"`) {
		t.Errorf("afterwards the page is %s", said)
	}
	if s := h.until(id, func(store.Story) bool { return true }); s.Deliveries[0].State != store.Sent || s.Deliveries[0].Provider != "softphone" {
		t.Errorf("it was seen, and is %+v", s.Deliveries[0])
	}
}

// asked asks a page, or posts a form to it, and gives the page that comes of it.
func (h *house) asked(method, address string, form url.Values) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		h.t.Fatalf("%s %s: %d, %v", method, address, res.StatusCode, err)
	}
	return string(body)
}

// TestAPopUpThatNobodyTakesIsTooLate: for two minutes it waits, and then the page of the call says why it was dropped. The house's clock
// is behind the database's, which is the one that ends what waits: all but a few seconds of the two minutes are over.
func TestAPopUpThatNobodyTakesIsTooLate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(strings.Replace(popUpConfig, "      - cti: { to: [maria]", "      #", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHouseAt(t, dir, http.NotFoundHandler(), func() time.Time { return time.Now().Add(4*time.Second - 2*time.Minute) })
	id := h.postCall(callAt("call-1", "Ana Ruiz", time.Now().Add(-2*time.Minute)))
	s := h.until(id, func(s store.Story) bool { return len(s.Deliveries) == 1 && s.Deliveries[0].State == store.Failed })
	if d := s.Deliveries[0]; d.State != store.Failed || d.Reason != reason.TooLate {
		t.Fatalf("it is %s, %s", d.State, d.Reason)
	}
	page := h.asked(http.MethodGet, h.app.address("pages")+"/conversations/"+id, nil)
	for _, want := range []string{reason.TooLate.Sentence(), "no softphone of the agent has taken it"} {
		if !strings.Contains(html.UnescapeString(page), want) {
			t.Errorf("the page of the call does not say %q", want)
		}
	}
	late := h.asked(http.MethodGet, h.app.address("pages")+"/softphone?account=acme&agent=reception", nil)
	if strings.Contains(late, "Ana Ruiz") {
		t.Error("it pops up all the same")
	}
}

// callAt is a call that ended at a time.
func callAt(id, customer string, ended time.Time) []byte {
	body, _ := json.Marshal(map[string]any{
		"id": id, "agent": map[string]string{"id": "reception", "name": "Rosa"}, "channel": "phone", "direction": "inbound", "status": "completed",
		"started_at": ended.Add(-time.Minute).UTC().Format(time.RFC3339), "ended_at": ended.UTC().Format(time.RFC3339),
		"from_number": "+447700900456", "to_number": "+442071838750", "customer": map[string]string{"name": customer},
		"turns": []any{map[string]any{"role": "customer", "text": "Hello there.", "at_ms": 0}},
	})
	return body
}
