package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"aftercall/internal/chaos/bed"
)

// deskYAML is the account of payloads, and of as many harmless texts: what a caller says stands in a message that goes out, in one
// that is captured since no channel has credentials for it, in a task, in an alert, and in a message that is held for a person.
func deskYAML(account string) string {
	return strings.ReplaceAll(`account: ACCOUNT
name: Desk Ltd
timezone: Europe/London
language: en
from: { email: "Desk Ltd <calls@desk.example>", sms: "+442071838750" }
allow: { domains: [desk.example], contacts: true }
people:
  ruth: { name: Ruth Ash, email: ruth@desk.example, phone: "+447700900123", role: operator }
variables:
  dyn_when: { type: time, ask: "When the visit takes place", said_by: agent } # who says nothing here, so it is never stated
automations:
  - id: desk
    name: Desk
    when: always
    actions:
      - email: { to: [team@desk.example], subject: "{{customer_name}}", body: "{{customer_name}} {{metadata.text}}" }
      - task: { title: "{{customer_name}}", description: "{{metadata.text}}", due: { after: 4h } }
      - team_alert: { to: all, text: "{{customer_name}} {{metadata.text}}" }
      - sms: { to: [ruth], body: "{{truncate customer_name 100}} {{truncate metadata.text 300}}" }
  - id: visit
    name: Visit
    when: always
    actions:
      - email: { to: ["{{customer_email}}"], subject: "{{customer_name}}", body: "{{customer_name}}, at {{time dyn_when}}" }
`, "ACCOUNT", account)
}

// The two accounts differ in nothing but what their callers say.
const deskHostile, deskHarmless = "desk-hostile", "desk-harmless"

// desks posts every payload as every text of a call of its own, and a harmless text for each to the other account. Then every list is
// read page by page, and what it holds about the one must be built as what it holds about the other.
func (h *hall) desks(ctx context.Context, o *outcome, payloads, ids []string) error {
	for account, text := range map[string]func(int) string{
		deskHostile: func(i int) string { return payloads[i] }, deskHarmless: func(i int) string { return plainAs(payloads[i]) },
	} {
		calls := make([]bed.Call, len(payloads))
		for i := range payloads {
			calls[i] = everywhere(fmt.Sprintf("field-%d", i), text(i))
		}
		posted, err := h.bed.Post(ctx, calls, bed.Posting{Account: account})
		if err != nil {
			return err
		}
		if len(posted.Acked) != len(calls) {
			return fmt.Errorf("%d of %d calls were taken", len(posted.Acked), len(calls))
		}
	}
	if err := h.settle(ctx, 5*time.Minute); err != nil {
		return err
	}
	if err := h.eachAlike(ctx, o, ids); err != nil {
		return err
	}
	for _, list := range []string{"/conversations?q=after:any&", "/deliveries?", "/deliveries?state=held&", "/tasks?", "/tasks?view=board&", "/alerts?", "/review?", "/captured?"} {
		if err := h.listsAlike(ctx, o, list, len(payloads)); err != nil {
			return err
		}
	}
	return nil
}

// plainAs is a harmless text with the words and lines of another, each as long: what is long is shown in another way than what is short.
func plainAs(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return r
		}
		return 'a'
	}, text)
}

// everywhere is a call of which every text is one. Names take one line of 200 characters.
func everywhere(id, text string) bed.Call {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if runes := []rune(line); len(runes) > 60 {
		line = string(runes[:60])
	}
	return bed.CallOf(id, []bed.Turn{{Role: "customer", Text: text}}, map[string]any{
		"agent":    map[string]any{"id": "reception", "name": line},
		"customer": map[string]any{"name": line, "email": "caller@customer.example", "number": line, "crm_record_id": line},
		"queue":    line, "note": text, "summary": text, "metadata": map[string]any{"text": text, "x" + line: text},
	})
}

// eachAlike looks at the page of every call, beside that of the harmless one that is as long.
func (h *hall) eachAlike(ctx context.Context, o *outcome, ids []string) error {
	for i, id := range ids {
		harmless, err := h.untimed(ctx, fmt.Sprintf("/conversations/field-%d?account=%s", i, deskHarmless))
		if err != nil {
			return err
		}
		page, err := h.untimed(ctx, fmt.Sprintf("/conversations/field-%d?account=%s", i, deskHostile))
		if err != nil {
			return err
		}
		if err := o.alike(id+" in every field", page, harmless); err != nil {
			return err
		}
	}
	return nil
}

// untimed is a call's page without what depends on how busy the machine was (how long each step took, and in how many jobs) or on
// how long a text is once it is escaped: the note that it is shown in part. Nothing that a caller says stands there.
func (h *hall) untimed(ctx context.Context, path string) (string, error) {
	page, err := h.page(ctx, path)
	if err != nil {
		return "", err
	}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", fmt.Errorf("parse a call's page: %w", err)
	}
	leaveOut(root)
	var b strings.Builder
	if err := html.Render(&b, root); err != nil {
		return "", fmt.Errorf("write a call's page: %w", err)
	}
	return b.String(), nil
}

func leaveOut(n *html.Node) {
	for _, child := range slices.Collect(n.ChildNodes()) { // of which some go
		if slices.ContainsFunc(child.Attr, func(a html.Attribute) bool {
			return a.Key == "id" && (a.Val == "timeline" || a.Val == "jobs") || a.Key == "class" && a.Val == "quiet cut"
		}) {
			n.RemoveChild(child)
			continue
		}
		leaveOut(child)
	}
}

// listsAlike reads a list of both accounts to its end, page by page.
func (h *hall) listsAlike(ctx context.Context, o *outcome, list string, most int) error {
	with, without := list+"account="+deskHostile, list+"account="+deskHarmless
	for n := 1; with != "" && without != ""; n++ {
		if n > most+1 {
			return fmt.Errorf("the list %s has no end", list)
		}
		hostile, err := h.page(ctx, with)
		if err != nil {
			return err
		}
		harmless, err := h.page(ctx, without)
		if err != nil {
			return err
		}
		if n == 1 && !strings.Contains(harmless, " data-row") {
			return fmt.Errorf("the list %s holds nothing of what was posted", list)
		}
		if err := o.alike(fmt.Sprintf("%s page %d", list, n), hostile, harmless); err != nil {
			return err
		}
		if with, err = older(hostile); err == nil {
			without, err = older(harmless)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// older is where a list goes on; "" at its end.
func older(page string) (string, error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", fmt.Errorf("parse a list: %w", err)
	}
	for n := range root.Descendants() {
		i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "href" })
		if n.Data != "a" || i < 0 || !strings.HasPrefix(strings.TrimSpace(textOf(n)), "Older") {
			continue
		}
		to, err := url.Parse(n.Attr[i].Val)
		if err != nil {
			return "", fmt.Errorf("read where a list goes on: %w", err)
		}
		return to.String(), nil
	}
	return "", nil
}
