package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// scripts are texts that run in a browser if a page lets them.
func scripts() suite {
	return suite{
		name: "xss-payloads", try: tryScripts,
		how: "Every payload is a turn of a call, a hundred to each, and one of each call stands in its names, queue, note, summary and metadata, too. The call's page must " +
			"show each payload as the text it is and have, but for their words, the same elements and the same links as a page of as many harmless turns, and no attribute " +
			"that runs anything; so must the list of calls and the mails of the call that the provider took. Then every payload is every text of a call of its own, beside an " +
			"account in which as many calls say something harmless: the call's page, and page by page the lists of calls, deliveries, tasks, alerts, reviews and captured " +
			"messages must be built the same for both. The API must give each payload back as the text it is, in JSON without a character that begins markup, typed so that no " +
			"browser guesses, under a policy that lets nothing run: of calls, messages, tasks, alerts, reviews, the stream of alerts, and of requests that are refused.",
	}
}

// payloadsInOne is how many payloads are in one call.
const payloadsInOne = 100

func tryScripts(ctx context.Context, h *hall) (o outcome, err error) {
	var payloads, ids []string
	for _, file := range []string{"payloadbox", "dompurify"} {
		texts, err := corpus.Texts(h.data.Data("xss-payloads", file+".jsonl"), "payload")
		if err != nil {
			return o, err
		}
		for i, s := range texts {
			payloads, ids = append(payloads, s), append(ids, fmt.Sprintf("%s %d", file, i+1))
		}
	}
	var calls []bed.Call
	for lot := range slices.Chunk(payloads, payloadsInOne) {
		id := fmt.Sprintf("xss-%d", len(calls)/2)
		calls = append(calls, hostile(id, lot), hostile(id+"-harmless", slices.Repeat([]string{"A plain text"}, len(lot))))
	}
	posted, err := h.bed.Post(ctx, calls, bed.Posting{Account: "strings"})
	if err != nil {
		return o, err
	}
	if len(posted.Acked) != len(calls) {
		return o, fmt.Errorf("%d of %d calls were taken", len(posted.Acked), len(calls))
	}
	if err := h.settle(ctx, 2*time.Minute); err != nil {
		return o, err
	}
	if err := h.watch(ctx, &o, payloads, ids); err != nil {
		return o, err
	}
	if err := h.desks(ctx, &o, payloads, ids); err != nil {
		return o, err
	}
	return o, h.answers(ctx, &o, payloads, ids)
}

// hostile is a call of which everything that a caller controls is a payload.
func hostile(id string, payloads []string) bed.Call {
	turns := make([]bed.Turn, len(payloads))
	for i, p := range payloads {
		turns[i] = bed.Turn{Role: "customer", Text: p, AtMS: i}
	}
	line := payloads[max(0, slices.IndexFunc(payloads, func(s string) bool {
		return utf8.RuneCountInString(s) <= 60 && !strings.ContainsFunc(s, unicode.IsControl)
	}))]
	if runes := []rune(line); len(runes) > 60 {
		line = string(runes[:60])
	}
	return bed.CallOf(id, turns, map[string]any{
		"agent": map[string]any{"id": "reception", "name": line}, "customer": map[string]any{"name": line, "email": line, "number": line, "crm_record_id": line},
		"queue": line, "note": line, "summary": line, "metadata": map[string]any{"text": line, line: line},
	})
}

// watch looks at the pages and mails of all calls.
func (h *hall) watch(ctx context.Context, o *outcome, payloads, ids []string) error {
	history, err := checker.ReadHistory(h.bed.History)
	if err != nil {
		return err
	}
	mails := map[string]checker.Entry{}
	for _, m := range history.Mails() {
		mails[m.About+" "+m.Automation] = m
	}
	for n := 0; n*payloadsInOne < len(payloads); n++ {
		id := fmt.Sprintf("xss-%d", n)
		from, to := n*payloadsInOne, min(len(payloads), (n+1)*payloadsInOne)
		if err := h.watchOne(ctx, o, id, payloads[from:to], ids[from:to]); err != nil {
			return err
		}
		for _, automation := range []string{"html", "markdown"} {
			if err := o.alike(id+" mail "+automation, mailed(mails, id, automation), mailed(mails, id+"-harmless", automation)); err != nil {
				return err
			}
		}
	}
	list, err := h.page(ctx, "/conversations?account=strings")
	if err != nil {
		return err
	}
	page, err := checker.ReadPage(list)
	if err != nil {
		return err
	}
	if page.Handlers > 0 || slices.ContainsFunc(slices.Concat(page.Links, page.Loads), func(l string) bool { return checker.Host(l) != "" }) {
		o.add(row{id: "the list of calls", wrong: true, detail: "it has handlers, or links elsewhere"})
	}
	return nil
}

// watchOne looks at the page of one call: each payload is there as text, and nothing came of any.
func (h *hall) watchOne(ctx context.Context, o *outcome, id string, payloads, ids []string) error {
	page, err := h.untimed(ctx, "/conversations/"+id)
	if err != nil {
		return err
	}
	turns, err := turnsOf(page)
	if err != nil {
		return err
	}
	for i, p := range payloads {
		r := row{id: ids[i]}
		if i >= len(turns) || turns[i] != strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(p) {
			r.wrong, r.detail = true, "is not on the page as the text it is"
		}
		o.add(r)
	}
	harmless, err := h.untimed(ctx, "/conversations/"+id+"-harmless")
	if err != nil {
		return err
	}
	return o.alike(id+" page", page, harmless)
}

// alike notes a failure if a page or mail with payloads has other elements or links than one without.
func (o *outcome) alike(id, with, without string) error {
	got, err := checker.ReadPage(with)
	if err != nil {
		return err
	}
	want, err := checker.ReadPage(without)
	if err != nil {
		return err
	}
	// A payload of several lines makes line breaks, and nothing else.
	delete(got.Elements, "br")
	delete(want.Elements, "br")
	switch {
	case len(want.Elements) == 0 || !maps.Equal(got.Elements, want.Elements):
		o.add(row{id: id, wrong: true, detail: fmt.Sprintf("elements %v, and without payloads %v", got.Elements, want.Elements)})
	case got.Handlers != want.Handlers || len(got.Links) != len(want.Links) || !slices.Equal(nameless(got.Loads), nameless(want.Loads)):
		o.add(row{id: id, wrong: true, detail: fmt.Sprintf("%d handlers, %d links, loads %q", got.Handlers, len(got.Links), got.Loads)})
	case slices.ContainsFunc(got.Links, func(l string) bool { return checker.Host(l) != "" }):
		o.add(row{id: id, wrong: true, detail: "a link leads elsewhere"})
	}
	return nil
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// nameless are addresses without the ids in them, which differ from call to call.
func nameless(addresses []string) (all []string) {
	for _, a := range addresses {
		all = append(all, uuid.ReplaceAllString(a, "UUID"))
	}
	return all
}

// mailed is the HTML of a call's mail.
func mailed(mails map[string]checker.Entry, id, automation string) string {
	l, err := mails[id+" "+automation].Letter()
	if err != nil {
		return "" // alike takes a mail without elements for none
	}
	return l.HTML
}
