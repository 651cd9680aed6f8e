package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"time"

	"aftercall/internal/llm/simulated"
)

// modelName is what every answer calls itself, so that nobody takes one for a real model's.
const modelName = "chaos-fake-1"

// chat is as much of a chat completion request as the fake reads.
type chat struct {
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	MaxTokens      int `json:"max_tokens"`
	ResponseFormat struct {
		Schema struct {
			Schema schema `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// spoken finds the turns in a prompt: one JSON object a line.
type spoken struct {
	T    int    `json:"t"`
	Who  string `json:"who"`
	Text string `json:"text"`
}

// reference is how a chaos run marks its transcripts, so that a model call can be told apart in the history.
var reference = regexp.MustCompile(`\bref-[0-9a-z-]+`)

// complete plays POST /v1/chat/completions. It is one request from its bytes to its line in the history, which is why it is
// left whole.
func (p *providers) complete(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var q chat
	if err := json.Unmarshal(raw, &q); err != nil {
		http.Error(w, `{"error":{"message":"not JSON"}}`, http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(raw)
	e := entry{Kind: "model", Prompt: hex.EncodeToString(sum[:8])}
	if p.history.tally == nil { // to look for the reference costs more than all the rest
		e.Subject = about(q)
	}
	if e.Subject == "" {
		e.Subject = e.Prompt
	}
	c, fault, end := p.begin("model", e.Subject)
	defer end()
	e.Fault = fault
	p.count("model bytes", len(raw))
	switch fault {
	case "429", "500", "400", "401", "413":
		if fault == "429" {
			e.Wait = c.RetryAfter
		}
		if _, err := p.history.keep(e); err == nil {
			refuseWith(w, fault, c.RetryAfter, `{"error":{"message":`+c.explains(r, raw, fault)+`,"type":"server_error","code":"fault"}}`)
		}
		return
	case "down":
		seq, _ := p.history.keep(e)
		hangUp(w)
		_, _ = p.history.keep(entry{Kind: "cut", Of: seq})
		return
	case "hang":
		_, _ = p.history.keep(e)
		<-r.Context().Done()
		return
	}
	if c.Keep {
		e.System = system(q)
	}
	content, err := p.content(c, e.Subject, raw, q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	e.Tokens = len(raw)/4 + len(content)/4
	if _, err := p.history.keep(e); err != nil || !c.wait(r) {
		return
	}
	finish := "stop"
	switch fault {
	case "cut":
		content, finish = content[:len(content)/2], "length"
	case "malformed":
		content = content[:len(content)/2]
	case "wrong_ids":
		content = strings.NewReplacer(`"automations":{"`, `"automations":{"other-`, `"name":"dyn_`, `"name":"dyn_other_`).Replace(content)
	}
	respond(w, content, finish, len(raw)/4)
}

// content is the answer as the model's conduct has it.
func (p *providers) content(c conduct, subject string, raw []byte, q chat) (string, error) {
	if reply, ok := c.Replies[subject]; ok {
		return spelled(reply, q), nil
	}
	switch c.Mode {
	case "simulated":
		return p.answers.ask(p.answers.plain, raw)
	case "obedient":
		return p.answers.ask(p.answers.obedient, raw)
	case "hostile":
		if lot(q)%10 == 0 {
			return p.answers.ask(p.answers.obedient, raw)
		}
		return betrays(q), nil
	case "reply":
		return c.Reply, nil
	}
	return quotes(q), nil
}

// spelled puts the right answer in place of <answer> in a reply, and its members, without the braces, in place of <members>.
func spelled(reply string, q chat) string {
	right := quotes(q)
	return strings.NewReplacer("<answer>", right, "<members>", right[1:len(right)-1]).Replace(reply)
}

// standIns answer as the simulated model of the demo does.
type standIns struct{ plain, obedient *simulated.Server }

func newStandIns() *standIns {
	return &standIns{simulated.New(simulated.Options{}), simulated.New(simulated.Options{Obedient: true})}
}

func (s *standIns) ask(by http.Handler, raw []byte) (string, error) {
	w := httptest.NewRecorder()
	by.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", bytes.NewReader(raw)))
	var a struct {
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || len(a.Choices) == 0 {
		return "", fmt.Errorf("the simulated model answered %d", w.Code)
	}
	return a.Choices[0].Message.Content, nil
}

func respond(w http.ResponseWriter, content, finish string, tokens int) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-chaos", "object": "chat.completion", "created": time.Now().Unix(), "model": modelName,
		"choices": []any{map[string]any{"index": 0, "finish_reason": finish,
			"message": map[string]any{"role": "assistant", "content": content}}},
		"usage": map[string]any{"prompt_tokens": tokens, "completion_tokens": len(content) / 4, "total_tokens": tokens + len(content)/4},
	})
}

func about(q chat) string {
	for _, m := range q.Messages {
		if m.Role == "user" {
			if ref := reference.FindString(m.Content); ref != "" {
				return ref
			}
		}
	}
	return ""
}

// system is the instructions of a prompt.
func system(q chat) string {
	for _, m := range q.Messages {
		if m.Role == "system" {
			return m.Content
		}
	}
	return ""
}

// turns are the lines of the prompt's transcript.
func turns(q chat) (all []spoken) {
	for _, m := range q.Messages {
		if m.Role != "user" {
			continue
		}
		for l := range strings.Lines(m.Content) {
			var t spoken
			if strings.HasPrefix(l, `{"t":`) && json.Unmarshal([]byte(l), &t) == nil {
				all = append(all, t)
			}
		}
	}
	return all
}

// schema is as much of JSON schema as interviews use.
type schema struct {
	Type       string             `json:"type"`
	Enum       []string           `json:"enum"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
}

// quotes fills in the form with yes wherever that can be said, except for questions whose id begins with "never-" or,
// for half of all transcripts, with "sometimes-", and cites the first customer line of at least four words.
func quotes(q chat) string {
	f := filler{quote: spoken{T: 1}, about: q}
	for _, t := range turns(q) {
		if t.Who == "customer" && len(strings.Fields(t.Text)) >= 4 {
			f.quote = t
			break
		}
	}
	var b strings.Builder
	f.fill(&b, "", &q.ResponseFormat.Schema.Schema)
	return b.String()
}

type filler struct {
	quote spoken
	about chat // what "sometimes-" depends on, beside the question, is the reference of its transcript
}

// fill writes a value for s. name is the property it stands under, and for a question the question's id.
func (f filler) fill(b *strings.Builder, name string, s *schema) {
	switch {
	case len(s.Enum) > 0:
		text(b, f.choice(name, s.Enum))
	case s.Type == "object":
		f.object(b, name, s)
	case s.Type == "array":
		f.list(b, name, s.Items)
	case s.Type == "integer":
		fmt.Fprint(b, f.quote.T)
	case s.Type == "boolean":
		b.WriteString("true")
	default:
		text(b, f.quote.Text)
	}
}

func (f filler) object(b *strings.Builder, name string, s *schema) {
	b.WriteByte('{')
	for i, key := range s.Required {
		if i > 0 {
			b.WriteByte(',')
		}
		text(b, key)
		b.WriteByte(':')
		under := key
		if key == "verdict" {
			under = name
		}
		f.fill(b, under, s.Properties[key])
	}
	b.WriteByte('}')
}

// list writes one item, or for the list of variables one for each name.
func (f filler) list(b *strings.Builder, name string, item *schema) {
	b.WriteByte('[')
	defer b.WriteByte(']')
	if names := item.Properties["name"]; names != nil && len(names.Enum) > 0 {
		for i, n := range names.Enum {
			if i > 0 {
				b.WriteByte(',')
			}
			one := *item
			one.Properties = map[string]*schema{}
			for k, v := range item.Properties {
				one.Properties[k] = v
			}
			one.Properties["name"] = &schema{Enum: []string{n}}
			f.object(b, n, &one)
		}
		return
	}
	f.fill(b, name, item)
}

func (f filler) choice(name string, of []string) string {
	want := "yes"
	if strings.HasPrefix(name, "never-") || strings.HasPrefix(name, "sometimes-") && sha256.Sum256([]byte(name + about(f.about)))[0]&1 == 0 {
		want = "no"
	}
	for _, v := range of {
		if v == want {
			return v
		}
	}
	return of[0]
}

func text(b *strings.Builder, s string) {
	raw, _ := json.Marshal(s)
	b.Write(raw)
}
