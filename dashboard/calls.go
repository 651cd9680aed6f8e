package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/people"
)

// callView is one model call.
type callView struct {
	Path                           string // of its own page
	Part, Purpose, Model, Endpoint string
	Simulated                      bool
	Outcome                        badge
	In, Cached, Out                int
	Took                           string
	At                             moment
	Prompt                         string // the beginning of the prompt's hash
}

// modelCalls lists the calls and sums their tokens up.
func (l ledger) modelCalls() (views []callView, sum string) {
	in, cached, out := 0, 0, 0
	for _, c := range l.story.Calls {
		in, cached, out = in+c.Reply.TokensIn, cached+c.Reply.TokensCached, out+c.Reply.TokensOut
		views = append(views, modelCall(c, l.zone))
	}
	if len(views) == 0 {
		return nil, ""
	}
	return views, fmt.Sprintf("%s, %d tokens in (%d of them cached), %d out", count(len(views), "call", "calls"), in, cached, out)
}

func modelCall(c interview.Call, zone *time.Location) callView {
	return callView{
		Path: conversationPath(c.ConversationID) + "/calls/" + url.PathEscape(c.ID),
		Part: c.Part, Purpose: c.Purpose, Model: c.Reply.Model, Endpoint: c.Reply.Endpoint, Simulated: c.Reply.Simulated,
		Outcome: callBadge(c), In: c.Reply.TokensIn, Cached: c.Reply.TokensCached, Out: c.Reply.TokensOut,
		Took: c.Reply.Latency.Round(time.Millisecond).String(), At: at(c.At, zone), Prompt: shortDigest(c.PromptHash),
	}
}

func callBadge(c interview.Call) badge {
	switch {
	case c.Valid:
		return badge{"valid", "check", "good"}
	case c.Status != 0:
		return badge{fmt.Sprintf("%s %d", words(or(c.ErrorKind, "failed")), c.Status), "cross", "bad"}
	}
	return badge{words(or(c.ErrorKind, "not valid")), "cross", "bad"}
}

// callPage is the view of model_call.html.
type callPage struct {
	callView
	Conversation string // where its page is
	Heading      string
	Facts        []factView
	Masked       bool
	Agrees       badge
	Told         string // what is to be known of the prompt
	Prompt       []promptView
	Answer       string
	Unanswered   string // why there is none
}

// promptView is a part of a prompt.
type promptView struct {
	Anchor, Title, Text string
	Open                bool // what differs from call to call
}

// modelCall is GET /conversations/{id}/calls/{call}: what a model was asked and what it answered.
func (d *Dashboard) modelCall(r *http.Request) (answer, error) {
	account, id, err := d.find(r)
	if err != nil {
		return answer{}, err
	}
	story, err := d.story(r, account, id)
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(story.Calls, func(c interview.Call) bool { return c.ID == r.PathValue("call") })
	if i < 0 {
		return answer{}, fmt.Errorf("show a model call: %w", store.ErrNotFound)
	}
	c := story.Calls[i]
	raw, used, err := d.reader(r, people.Look).Answers(r.Context(), account, c)
	if err != nil {
		return answer{}, fmt.Errorf("show a model call: %w", err)
	}
	n := d.names(r.Context(), c.RevisionID)
	p, known := rebuilt(story.Conversation, n.rev, c, used)
	view := modelCallView(c, p, known, raw, heading(story.Conversation), story.Conversation.Location(n.zone()))
	if view.Masked = !people.Of(r.Context()).May(people.Addresses, account); view.Masked {
		maskCallPage(&view)
	}
	return answer{Template: "model_call", Title: "Model call: " + view.Heading, Section: "conversations", View: view}, nil
}

// rebuilt puts together what a call asked.
func rebuilt(c *conversation.Conversation, rev *automation.Revision, call interview.Call, used map[string][]byte) (interview.Prompt, bool) {
	if rev == nil {
		return interview.Prompt{}, false
	}
	form := interview.New(c, rev.ID, c.Location(rev.Location), rev.EverySheet(c.Agent.ID))
	return interview.Rebuild(form, call.Part, used)
}

func modelCallView(c interview.Call, p interview.Prompt, known bool, raw []byte, whose string, zone *time.Location) callPage {
	v := callPage{callView: modelCall(c, zone), Conversation: conversationPath(c.ConversationID) + "#model", Heading: whose}
	add := func(label, value string) {
		if value != "" {
			v.Facts = append(v.Facts, factView{Label: label, Value: value})
		}
	}
	add("Prompt's hash", c.PromptHash)
	add("Schema's hash", c.SchemaHash)
	add("Ended with", words(c.Reply.FinishReason))
	add("Provider's id", c.Reply.RequestID)
	add("Fingerprint", c.Reply.Fingerprint)
	v.Agrees, v.Told = agreement(c, p, known)
	for i, part := range []fact{{"Rules", p.Rules}, {"Questions, routes and variables", p.Sheet}, {"Facts of the call", p.Facts},
		{"Transcript", p.Transcript}, {"Reminder", p.Reminder}} {
		if text := strings.TrimSpace(part.Value); text != "" {
			v.Prompt = append(v.Prompt, promptView{fmt.Sprintf("prompt-%d", i+1), part.Label, text, part.Label != "Rules" && part.Label != "Reminder"})
		}
	}
	if v.Answer = pretty(raw); v.Answer == "" {
		v.Unanswered = "Nothing was kept: only a valid answer is."
	}
	return v
}

// agreement says how far a prompt that was put together again can be believed.
func agreement(c interview.Call, p interview.Prompt, known bool) (badge, string) {
	switch {
	case !known:
		return badge{"not known any more", "question", "quiet"}, "The prompt is not kept, and cannot be put together again: the transcript has changed since, or the config's form is not what it was."
	case p.Hash == c.PromptHash:
		return badge{"the hash agrees", "check", "good"}, "The prompt is not kept. This one was put together again from the config and the transcript, and has the hash that was stored: it is what was asked, word for word."
	case c.Purpose == "repair" && !strings.Contains(c.Part, "/repair"):
		return badge{"without its second half", "question", "warn"}, "The prompt is not kept. This is its first half, put together again; the call then gave the faulty answer back, which is not kept."
	}
	return badge{"the hash differs", "question", "warn"}, "The prompt is not kept. This one was put together again from the config and the transcript, and its hash is not the one that was stored: " +
		"another version of Aftercall asked, or what is known of the call has changed since."
}

// pretty indents what is JSON, and leaves the rest as it is.
func pretty(raw []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return b.String()
}

func maskCallPage(v *callPage) {
	maskTexts(&v.Heading, &v.Answer)
	for i := range v.Prompt {
		maskTexts(&v.Prompt[i].Text)
	}
}
