package simulated

import (
	"encoding/json"
	"strings"
	"time"
)

// chatRequest is what is read of a request.
type chatRequest struct {
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Format struct {
		Schema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// form is an interview as read from its prompt: the sheet from the system message, the call from the user's.
type form struct {
	Questions []question
	Choices   []choice
	Blanks    []blank
	Summary   bool
	Dated     bool // the schema wants weekday_said
	Day       time.Time
	Turns     []turn
	Repaired  bool // an earlier answer was sent back
}

type question struct {
	ID      string `json:"id"`
	Ask     string `json:"question"`
	From    string `json:"evidence_from"`
	Absence string `json:"evidence"`
}

type option struct {
	Key  string `json:"key"`
	When string `json:"when"`
}

type choice struct {
	ID      string   `json:"id"`
	Options []option `json:"options"`
}

type blank struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Wanted string   `json:"wanted"`
	By     string   `json:"said_by"`
	Values []option `json:"values"`
	Max    int      `json:"max"`
}

type turn struct {
	T    int    `json:"t"`
	Who  string `json:"who"`
	Text string `json:"text"`
}

// form reads the prompt. Only the system message can add questions, whatever a speaker may have said.
func (q chatRequest) form() form {
	var f form
	for _, m := range q.Messages {
		switch m.Role {
		case "system":
			f.readSheet(m.Content)
		case "assistant":
			f.Repaired = true
		case "user":
			if !f.Repaired {
				f.readCall(m.Content)
			}
		}
	}
	var shape struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	_ = json.Unmarshal(q.Format.Schema.Schema, &shape) // without a schema the prompt alone says what is asked
	if _, ok := shape.Properties["summary"]; ok {
		f.Summary = true
	}
	return f
}

func (f *form) readSheet(text string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "summary:") {
			f.Summary = true
		}
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var l struct {
			question
			blank
			Options []option `json:"options"`
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			continue
		}
		switch {
		case l.Ask != "":
			f.Questions = append(f.Questions, l.question)
		case l.Options != nil:
			f.Choices = append(f.Choices, choice{l.ID, l.Options})
		case l.Name != "":
			f.Blanks = append(f.Blanks, l.blank)
			f.Dated = f.Dated || l.Type == "date"
		}
	}
}

func (f *form) readCall(text string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var l struct {
			turn
			Date string `json:"date"`
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			continue
		}
		if l.T > 0 {
			f.Turns = append(f.Turns, l.turn)
		} else if day, err := time.Parse(time.DateOnly, l.Date); err == nil {
			f.Day = day
		}
	}
}

// reply is an answer to a form.
type reply struct {
	form      form
	Verdicts  map[string]verdict
	Routes    map[string]string
	Variables []stated
	Text      string // the summary
}

type evidence struct {
	Turn  int    `json:"turn"`
	Quote string `json:"quote"`
	open  bool   // the words leave the question open
}

type verdict struct {
	Evidence []evidence `json:"evidence"`
	Verdict  string     `json:"verdict"`
}

type stated struct {
	Name    string `json:"name"`
	Turn    int    `json:"turn"`
	Quote   string `json:"quote"`
	Weekday string `json:"weekday_said,omitempty"`
	Value   string `json:"value"`
}

// json writes the answer with the parts that the form has.
func (a reply) json() []byte {
	all := map[string]any{}
	if len(a.form.Questions) > 0 {
		all["automations"] = a.Verdicts
	}
	if len(a.form.Choices) > 0 {
		all["routes"] = a.Routes
	}
	if len(a.form.Blanks) > 0 {
		list := make([]stated, 0, len(a.Variables))
		for _, v := range a.Variables {
			if a.form.Dated && v.Weekday == "" {
				v.Weekday = "none"
			}
			list = append(list, v)
		}
		all["variables"] = list
	}
	if a.form.Summary {
		all["summary"] = a.Text
	}
	b, _ := json.Marshal(all) // maps, strings and numbers only
	return b
}

// misquote gives every yes words that nobody said.
func (a reply) misquote() {
	for id, v := range a.Verdicts {
		if v.Verdict == "yes" {
			v.Evidence = []evidence{{Turn: 1, Quote: "the simulated model made these words up"}}
			a.Verdicts[id] = v
		}
	}
}

// misname answers for things that nobody asked about.
func (a *reply) misname() {
	if a.Verdicts == nil {
		a.Verdicts = map[string]verdict{}
	}
	a.Verdicts["nobody-asked-for-this"] = verdict{Evidence: []evidence{}, Verdict: "yes"}
	for id := range a.Routes {
		a.Routes[id] = "nobody@nowhere.example"
	}
	a.Variables = append(a.Variables, stated{Name: "dyn_nobody_asked", Value: "x"})
}
