package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"aftercall/conversation"
	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// naughtyStrings are strings that break programs.
func naughtyStrings() suite {
	return suite{
		name: "blns", try: tryNaughty,
		how: "Every string is posted to `POST /v1/conversations` as every text of a call at once: its id (after a prefix), agent's id and name, the contact's name, address, number and CRM id, both " +
			"numbers, queue, note, summary, a turn, a metadata key and value. What is stored must be the same, byte for byte, and so must the kept body of the " +
			"webhook and the turn on the call's page. Then, in the mails that the provider took: the text of the HTML part (that is: escaped), the text part, and " +
			"the subject; and in the team's alert. A field that a string is too long for must be refused by name, and is posted again without it.",
	}
}

// field is a text of a call: where a fault points to, its longest text in characters, and how it is put into a body.
type field struct {
	pointer string
	most    int
	put     func(body map[string]any, s string)
}

// keyPointer stands for the pointer to the value under a string that is a key.
const keyPointer = "/metadata/keys/"

func fields() []field {
	in := func(object, key string) func(map[string]any, string) {
		return func(body map[string]any, s string) { body[object].(map[string]any)[key] = s }
	}
	at := func(key string) func(map[string]any, string) {
		return func(body map[string]any, s string) { body[key] = s }
	}
	return []field{
		{"/agent/id", conversation.MaxName, in("agent", "id")}, {"/agent/name", conversation.MaxName, in("agent", "name")},
		{"/customer/name", conversation.MaxName, in("customer", "name")}, {"/customer/email", 320, in("customer", "email")},
		{"/customer/number", 64, in("customer", "number")}, {"/customer/crm_record_id", conversation.MaxName, in("customer", "crm_record_id")},
		{"/from_number", 64, at("from_number")}, {"/to_number", 64, at("to_number")}, {"/queue", conversation.MaxName, at("queue")},
		{"/note", conversation.MaxText, at("note")}, {"/summary", conversation.MaxText, at("summary")},
		{"/turns/0/text", conversation.MaxText, func(body map[string]any, s string) { body["turns"] = []bed.Turn{{Role: "customer", Text: s}} }},
		{"/metadata/text", 10 << 10, in("metadata", "text")},
		{keyPointer, conversation.MaxMetaKey, func(body map[string]any, s string) {
			body["metadata"].(map[string]any)["keys"] = map[string]any{s: "under the string"}
		}},
	}
}

// named is a call in which every field but those left out holds s.
func named(id, s string, without []string) bed.Call {
	body := map[string]any{"agent": map[string]any{"id": "reception", "name": ""}, "customer": map[string]any{}, "metadata": map[string]any{}}
	for _, f := range fields() {
		if !slices.Contains(without, f.pointer) {
			f.put(body, s)
		}
	}
	return bed.CallOf(id, []bed.Turn{}, body)
}

// naughty is a string on its way.
type naughty struct {
	ID     int
	String string

	call  bed.Call
	row   row
	kinds []string
}

func (n *naughty) deviates(kind string) {
	if !slices.Contains(n.kinds, kind) {
		n.kinds = append(n.kinds, kind)
	}
}

func (n *naughty) fails(format string, args ...any) {
	n.row.wrong, n.row.detail = true, n.row.detail+fmt.Sprintf(format, args...)+"; "
}

func tryNaughty(ctx context.Context, h *hall) (o outcome, err error) {
	rows, err := corpus.Read[*naughty](h.data.Data("blns", "strings.json"))
	if err != nil {
		return o, err
	}
	long := 0
	for _, n := range rows {
		n.row.id = strconv.Itoa(n.ID)
		long += h.postNaughty(ctx, n)
	}
	if err := h.settle(ctx, 2*time.Minute); err != nil {
		return o, err
	}
	if err := h.looks(ctx, rows); err != nil {
		return o, err
	}
	for _, n := range rows {
		n.row.kind = strings.Join(n.kinds, "; ")
		o.add(n.row)
	}
	o.note("%d fields in each call. %d times a field refused a string for its length, by its name and rightly (numbers take 64 characters, names and ids 200, addresses 320).",
		len(fields())+1, long)
	return o, h.balanced(ctx)
}

// postNaughty posts a string's call, and again without the fields that refuse it. It returns how many did for its length.
func (h *hall) postNaughty(ctx context.Context, n *naughty) (long int) {
	id := fmt.Sprintf("blns-%d %s", n.ID, n.String)
	n.call = named(id, n.String, nil)
	status, answer := h.post(ctx, "strings", n.call.Body)
	if status == http.StatusBadRequest {
		var without []string
		without, long = n.refused(id, answer)
		if slices.Contains(without, "/id") {
			id = fmt.Sprintf("blns-%d", n.ID)
		}
		n.call = named(id, n.String, without)
		status, _ = h.post(ctx, "strings", n.call.Body)
	}
	if status != http.StatusOK {
		n.fails("answered %d", status)
	}
	return long
}

// refused reads which fields refused the string, and how many of them did so for its length.
func (n *naughty) refused(id string, answer []byte) (without []string, long int) {
	var p problem
	if err := json.Unmarshal(answer, &p); err != nil || len(p.Errors) == 0 {
		n.fails("refused without a place")
	}
	all := append(fields(), field{pointer: "/id", most: conversation.MaxName})
	for _, e := range p.Errors {
		if strings.HasPrefix(e.Pointer, keyPointer) {
			e.Pointer = keyPointer
		}
		i := slices.IndexFunc(all, func(f field) bool { return f.pointer == e.Pointer })
		switch {
		case i < 0:
			n.fails("refused at %s", e.Pointer)
			continue
		case e.Pointer == "/id" && utf8.RuneCountInString(id) > all[i].most, e.Pointer != "/id" && n.tooLong(all[i]):
			long++
		default:
			n.deviates("refused in fields of one line")
		}
		without = append(without, e.Pointer)
	}
	return without, long
}

// tooLong reports whether a field need not take the string. Keys are counted in bytes.
func (n *naughty) tooLong(f field) bool {
	if f.pointer == keyPointer {
		return len(n.String) > f.most
	}
	return utf8.RuneCountInString(n.String) > f.most
}

// looks holds what is stored, shown and sent against what was posted.
func (h *hall) looks(ctx context.Context, rows []*naughty) error {
	stored, err := h.stored(ctx)
	if err != nil {
		return err
	}
	history, err := checker.ReadHistory(h.bed.History)
	if err != nil {
		return err
	}
	mails := map[string]checker.Entry{}
	for _, m := range history.Mails() {
		mails[m.About+" "+m.Automation] = m
	}
	for _, n := range rows {
		s, ok := stored[n.call.ID]
		if !ok {
			n.fails("not stored")
			continue
		}
		n.kept(s)
		page, err := h.page(ctx, "/conversations/"+s.UUID)
		if err != nil {
			return err
		}
		if turns, err := turnsOf(page); err != nil || !slices.Equal(turns, []string{n.String}) {
			n.fails("its turn on the page is another (%v)", err)
		}
		if s.Alert != "[["+n.String+"]]" {
			n.deviates("other in messages")
		}
		if err := n.mailed(mails[n.call.ID+" html"], mails[n.call.ID+" markdown"]); err != nil {
			n.fails("%v", err)
		}
	}
	return nil
}

// storedCall is a call as the database has it.
type storedCall struct {
	ID, UUID, Body, Alert string
	Content               json.RawMessage
}

func (h *hall) stored(ctx context.Context) (map[string]storedCall, error) {
	rows, err := h.checker.Rows(ctx, `
		SELECT json_build_object('ID', c.external_id, 'UUID', c.id, 'Content', c.content, 'Body', encode(e.body, 'base64'),
			'Alert', (SELECT a.text FROM alerts AS a WHERE a.conversation_id = c.id))::text
		FROM conversations AS c JOIN events AS e ON e.conversation_id = c.id WHERE c.account_id = 'strings'`)
	if err != nil {
		return nil, err
	}
	all := map[string]storedCall{}
	for _, raw := range rows {
		var s storedCall
		if err := json.Unmarshal([]byte(raw), &s); err != nil {
			return nil, fmt.Errorf("read what is stored: %w", err)
		}
		all[s.ID] = s
	}
	return all, nil
}

// kept compares the stored call with the posted one, text by text, and the kept body byte by byte.
func (n *naughty) kept(s storedCall) {
	body, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(s.Body, "\n", ""))
	if err != nil || string(body) != string(n.call.Body) {
		n.fails("the kept body is another (%v)", err)
	}
	var want, got map[string]any
	if json.Unmarshal(n.call.Body, &want) != nil || json.Unmarshal(s.Content, &got) != nil {
		n.fails("what is stored cannot be read")
		return
	}
	for name, w := range want {
		if g := got[name]; !covers(w, g) {
			n.fails("%s is stored as another", name)
		}
	}
}

// covers reports whether everything that was posted is in what is stored. Empty members may be left out.
func covers(want, got any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for key, value := range w {
			if !covers(value, g[key]) {
				return false
			}
		}
		return ok || len(w) == 0
	case []any:
		g, ok := got.([]any)
		for i := range w {
			if i >= len(g) || !covers(w[i], g[i]) {
				return false
			}
		}
		return ok && len(g) == len(w)
	case string:
		return w == got || w == "" && got == nil
	}
	return want == got || want == 0.0 && got == nil
}

// turnsOf are the texts of the turns on a call's page.
func turnsOf(page string) (texts []string, err error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil, fmt.Errorf("parse a page: %w", err)
	}
	for n := range root.Descendants() {
		if n.Data == "p" && classed(n, "said") && n.Parent.Data == "li" {
			texts = append(texts, textOf(n))
		}
	}
	return texts, nil
}

func classed(n *html.Node, class string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "class" && a.Val == class })
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		switch {
		case c.Type == html.TextNode:
			b.WriteString(c.Data)
		case c.Data == "br":
			b.WriteString("\n")
		}
	}
	return b.String()
}

// mailed compares what the mails say.
func (n *naughty) mailed(inHTML, inMarkdown checker.Entry) error {
	first, err := inHTML.Letter()
	if err != nil {
		return err
	}
	second, err := inMarkdown.Letter()
	if err != nil {
		return err
	}
	root, err := html.Parse(strings.NewReader(first.HTML))
	if err != nil {
		return fmt.Errorf("parse a mail: %w", err)
	}
	want, shown := "[["+n.String+"]]", ""
	for c := range root.Descendants() {
		if slices.Contains(c.Attr, html.Attribute{Key: "id", Val: "text"}) {
			shown = textOf(c)
		}
	}
	page, err := checker.ReadPage(second.HTML)
	if err != nil {
		return err
	}
	if shown != want || first.Subject != want || !strings.Contains(first.Text, want) || !strings.Contains(second.Text, want) || !strings.Contains(page.Words, want) {
		n.deviates("other in messages")
	}
	return nil
}
