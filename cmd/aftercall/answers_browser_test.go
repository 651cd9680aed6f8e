package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"aftercall/internal/chromium"
	"aftercall/internal/store"
	"aftercall/people"
)

// echoConfig puts what callers say wherever an automation can.
const echoConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
automations:
  - id: echo
    when: always
    actions:
      - email: { to: [desk@acme.example], subject: "{{customer_name}}", body: "{{metadata.text}}" }
      - team_alert: { to: all, text: "{{customer_name}} {{metadata.text}}" }
      - task: { title: "{{customer_name}}", description: "{{metadata.text}}" }
`

// scriptWord is in each of them, and in nothing else.
const scriptWord = "qxzana"

func scriptTexts() []string {
	return []string{
		`<script>document.title="qxzana"</script>`, `"><img src=x onerror='document.title="qxzana"'>`, `</pre></div><svg onload="document.title='qxzana'">`,
		`<iframe srcdoc="<b>qxzana</b>"></iframe>`, `<a href="javascript:document.title='qxzana'">qxzana</a>`, `{"qxzana":"</script><h1>"}`, "data: qxzana\n\nevent: x\n<h1>",
	}
}

// TestNoAnswerIsAPage opens what the API and the queue's pages answer in a browser, as somebody does who follows a link: data stays
// data, whatever callers said, and the queue knows nothing of it.
func TestNoAnswerIsAPage(t *testing.T) {
	t.Parallel()
	h := newHouseAt(t, writeAccount(t, echoConfig), http.NotFoundHandler(), time.Now)
	texts := scriptTexts()
	var id string
	for n, text := range texts {
		now := time.Now().UTC().Format(time.RFC3339)
		line := strings.ReplaceAll(text, "\n", " ")
		body, err := json.Marshal(map[string]any{"id": fmt.Sprintf("echo-%d", n), "agent": map[string]any{"id": "a", "name": line}, "channel": "phone", "status": "completed",
			"started_at": now, "ended_at": now, "customer": map[string]any{"name": line, "number": line}, "note": text, "summary": text, "queue": line,
			"metadata": map[string]any{"text": text, line: text}, "turns": []map[string]any{{"role": "customer", "text": text}}})
		if err != nil {
			t.Fatal(err)
		}
		id = h.postCall(body)
	}
	h.drained()
	key := people.NewKey()
	if err := h.app.db.AddKey(t.Context(), "acme", "reader", key.Prefix, key.Hash, store.Actor{Name: "test"}, store.ScopeRead); err != nil {
		t.Fatal(err)
	}
	tab := chromium.Start(t).Open(t, "light", 1280)
	tab.Run(chromium.Command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{
		"Authorization": "Bearer " + key.Text, "Last-Event-ID": uuid.Nil.String()}}))
	delivery := h.story(id).Deliveries[0].ID
	paths := []string{"/v1/conversations", "/v1/conversations/" + id, "/v1/deliveries/" + delivery, "/v1/tasks", "/v1/alerts", "/v1/alerts/stream",
		"/v1/tasks/" + url.PathEscape(texts[0]), "/v1/tasks?" + url.Values{texts[0]: {texts[1]}}.Encode(), "/" + url.PathEscape(texts[1])}
	for _, path := range paths {
		opened(t, tab, h.app.address("webhooks")+path)
	}
	queueKnowsNothing(t, h, tab)
}

// opened opens an address and fails the test if the browser has built anything of it but the frame in which it shows data.
func opened(t *testing.T, tab *chromium.Page, address string) {
	t.Helper()
	tab.Run(chromium.Command(cdppage.Navigate, cdppage.NavigateParams{URL: address})) // whose stream never ends to load
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var root *cdp.Node
		tab.Run(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			whole := int64(-1)
			got, err := cdp.Call(ctx, target, dom.GetDocument, dom.GetDocumentParams{Depth: &whole})
			root = got.Root
			return err
		}))
		names, text := built(root)
		if !strings.Contains(text, scriptWord) && !strings.Contains(text, `"status":4`) {
			select {
			case <-again.C:
				continue
			case <-ctx.Done():
				t.Fatalf("%s is not shown: %q", address, text)
			}
		}
		for _, name := range names {
			if !slices.Contains([]string{"HTML", "HEAD", "META", "BODY", "PRE", "DIV"}, name) {
				t.Errorf("%s became a page with a %s", address, name)
			}
		}
		return
	}
}

// built are the elements that a browser made of an answer, and its text.
func built(n *cdp.Node) (names []string, text string) {
	if n.NodeType == 1 { // an element
		names = append(names, n.NodeName)
	}
	text = n.NodeValue
	for _, child := range n.Children {
		below, said := built(child)
		names, text = append(names, below...), text+said
	}
	return names, text
}

// queueKnowsNothing looks at River's pages, and at what they are made of.
func queueKnowsNothing(t *testing.T, h *house, tab *chromium.Page) {
	t.Helper()
	home := h.app.address("pages") + "/admin/river"
	res, err := http.Get(home + "/api/jobs?limit=100&state=completed")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var jobs struct{ Data []struct{ ID json.Number } }
	if err := json.Unmarshal(raw, &jobs); err != nil || len(jobs.Data) < len(scriptTexts()) || !strings.Contains(string(raw), "conversation_id") {
		t.Fatalf("the queue has %d jobs of calls, %v: %s", len(jobs.Data), err, raw)
	}
	if strings.Contains(string(raw), scriptWord) {
		t.Errorf("the queue knows what was said: %s", raw)
	}
	for _, path := range []string{"/jobs?state=completed", "/jobs/" + jobs.Data[0].ID.String()} {
		tab.Go(home + path)
		tab.Until(`document.querySelector("#root main")`)
		if chromium.Evaluate[bool](tab, `document.title.includes("`+scriptWord+`") || document.documentElement.outerHTML.includes("`+scriptWord+`")`) {
			t.Errorf("%s shows what was said", path)
		}
	}
}
