package rehearsal

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"

	"aftercall/automation"
	"aftercall/internal/llm"
	"aftercall/interview"
)

// ByHand is the model's name on answers that a person wrote.
const ByHand = "written-by-hand"

// Written is what a careful reader answers about one call: a model that asks nobody. What is not under Yes or Unsure is no,
// and what is not under Variables was not stated.
type Written struct {
	Call      string // the call's file
	Yes       map[string][]interview.Evidence
	Unsure    []string
	Routes    map[string]string
	Variables map[string]WrittenValue
	Summary   string
}

// WrittenValue is a stated value with the words it rests on.
type WrittenValue struct {
	interview.Evidence
	Value   string
	Weekday string // for dates: mon…sun if one was spoken, else none
}

// asked is as much of a form's schema as it takes to know what is asked.
type asked struct {
	Properties struct {
		Automations struct{ Required []string }
		Routes      struct{ Required []string }
		Variables   struct {
			Items struct {
				Properties struct {
					Name    struct{ Enum []string }
					Weekday json.RawMessage `json:"weekday_said"`
				}
			}
		}
		Summary json.RawMessage
	}
}

// stated is one member of an answer's list of variables, in the order of the schema.
type stated struct {
	Name    string `json:"name"`
	Turn    int    `json:"turn"`
	Quote   string `json:"quote"`
	Weekday string `json:"weekday_said,omitempty"`
	Value   string `json:"value"`
}

// Complete fills in the form that a request's schema describes.
func (w Written) Complete(_ context.Context, q llm.Request) (llm.Reply, error) {
	var form asked
	if err := json.Unmarshal(q.Schema, &form); err != nil {
		return llm.Reply{}, &llm.Error{Kind: llm.BadRequest, Detail: "the form's schema cannot be read"}
	}
	answer := map[string]any{}
	if ids := form.Properties.Automations.Required; len(ids) > 0 {
		answer["automations"] = w.verdicts(ids)
	}
	if ids := form.Properties.Routes.Required; len(ids) > 0 {
		routes := map[string]string{}
		for _, id := range ids {
			routes[id] = interview.Otherwise
			if key, ok := w.Routes[id]; ok {
				routes[id] = key
			}
		}
		answer["routes"] = routes
	}
	if item := form.Properties.Variables.Items.Properties; len(item.Name.Enum) > 0 {
		answer["variables"] = w.stated(item.Name.Enum, item.Weekday != nil)
	}
	if form.Properties.Summary != nil {
		answer["summary"] = w.Summary
	}
	content, err := jsonOf(answer)
	if err != nil {
		return llm.Reply{}, &llm.Error{Kind: llm.BadReply, Detail: "the written answer cannot be put into JSON"}
	}
	return llm.Reply{Content: string(content), Model: ByHand, FinishReason: "stop"}, nil
}

// verdict is an answer to one question.
type verdict struct {
	Evidence []interview.Evidence `json:"evidence"`
	Verdict  interview.Verdict    `json:"verdict"`
}

func (w Written) verdicts(ids []string) map[string]verdict {
	all := map[string]verdict{}
	for _, id := range ids {
		all[id] = verdict{Evidence: []interview.Evidence{}, Verdict: interview.No}
	}
	for _, id := range w.Unsure {
		if _, ok := all[id]; ok {
			all[id] = verdict{Evidence: []interview.Evidence{}, Verdict: interview.NotSure}
		}
	}
	for id, quotes := range w.Yes {
		if _, ok := all[id]; ok {
			all[id] = verdict{Evidence: append([]interview.Evidence{}, quotes...), Verdict: interview.Yes}
		}
	}
	return all
}

func (w Written) stated(names []string, dated bool) []stated {
	list := []stated{}
	for _, name := range names {
		v, ok := w.Variables[name]
		if !ok {
			continue
		}
		s := stated{Name: name, Turn: v.Turn, Quote: v.Quote, Value: v.Value}
		if dated {
			s.Weekday = "none"
			if v.Weekday != "" {
				s.Weekday = v.Weekday
			}
		}
		list = append(list, s)
	}
	return list
}

// readWritten reads a file of answers about an account's calls: a list, one entry per call.
func readWritten(path string, account *automation.Revision) ([]Written, []automation.Problem, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	d, root := parse(path, src)
	var all []Written
	for _, v := range root.list() {
		w := written(v, account)
		switch {
		case w.Call == "" && len(d.problems) == 0:
			v.fail(codeMissing, "an answer needs the call that it is about", "write  call: one.json, relative to this file")
		case w.Call != "" && slices.ContainsFunc(all, func(other Written) bool { return other.Call == w.Call }):
			v.fail(codeTwice, "the call "+w.Call+" is answered above", "keep one of the answers")
		}
		all = append(all, w)
	}
	return all, d.problems, nil
}

// ReadAnswer reads a file that holds the answer about one call of an account.
func ReadAnswer(path string, account *automation.Revision) (Written, []automation.Problem, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return Written{}, nil, err
	}
	d, root := parse(path, src)
	return written(root, account), d.problems, nil
}

// written reads one answer. A name that the account does not have would be an answer to nothing, and so a no.
func written(v node, account *automation.Revision) Written {
	ids, names := idsOf(account), slices.Sorted(maps.Keys(account.Declarations))
	f := v.fields("an answer", "call", "yes", "unsure", "routes", "variables", "summary")
	w := Written{Yes: map[string][]interview.Evidence{}, Routes: map[string]string{}, Variables: map[string]WrittenValue{}}
	w.Call, _ = f["call"].text("call")
	for _, e := range f["yes"].entries("yes") {
		e.at.among(ids, "the account has no automation")
		quotes := []interview.Evidence{}
		for _, q := range e.what.list() {
			quotes = append(quotes, evidence(q.fields("a quote", "turn", "quote")))
		}
		w.Yes[e.key] = quotes
	}
	w.Unsure = f["unsure"].texts("an automation")
	for _, u := range f["unsure"].list() {
		u.among(ids, "the account has no automation")
	}
	for _, e := range f["routes"].entries("routes") {
		e.at.among(ids, "the account has no automation")
		w.Routes[e.key], _ = e.what.text("a route")
	}
	for _, e := range f["variables"].entries("variables") {
		e.at.among(names, "the account has no variable")
		g := e.what.fields("a stated value", "turn", "quote", "value", "weekday_said")
		s := WrittenValue{Evidence: evidence(g)}
		s.Value, _ = g["value"].text("value")
		s.Weekday, _ = g["weekday_said"].text("weekday_said")
		w.Variables[e.key] = s
	}
	w.Summary, _ = f["summary"].text("summary")
	return w
}

func evidence(f map[string]node) (e interview.Evidence) {
	e.Turn = f["turn"].whole("turn", 1, 1<<20)
	e.Quote, _ = f["quote"].text("quote")
	return e
}
