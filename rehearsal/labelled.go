package rehearsal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"aftercall/automation"
	"aftercall/conversation"
)

// The files of a labelled set.
const (
	labelsFile     = "labels.jsonl"
	situationsFile = "triggers.json"
)

// Labelled reads a folder of conversations with labels: conversations in *.jsonl, one a line; labels.jsonl with what is
// certain about them; triggers.json with the question that each situation's labels answer. They are judged under an account
// made of exactly these questions, and of one that asks for every labelled variable, whether or not it was stated: the
// labels do not answer anybody else's questions.
func Labelled(dir string) ([]Sample, error) {
	raw, err := os.ReadFile(filepath.Join(dir, situationsFile))
	if err != nil {
		return nil, fmt.Errorf("read the labelled set: %w", err)
	}
	var situations map[string]string
	if err := json.Unmarshal(raw, &situations); err != nil {
		return nil, fmt.Errorf("read %s: %w", situationsFile, err)
	}
	labels, err := lines[label](filepath.Join(dir, labelsFile))
	if err != nil {
		return nil, err
	}
	account, err := asking(situations, labels)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("read the labelled set: %w", err)
	}
	var set []Sample
	at := map[string]int{} // position in set, by conversation
	for _, file := range files {
		if filepath.Base(file) == labelsFile {
			continue
		}
		talks, err := lines[talk](file)
		if err != nil {
			return nil, err
		}
		for _, t := range talks {
			if _, twice := at[t.ID]; twice {
				return nil, fmt.Errorf("%s holds a conversation %q that was there before", filepath.Base(file), t.ID)
			}
			c := t.call()
			at[t.ID] = len(set)
			set = append(set, Sample{ID: t.ID, Call: c, Account: account, Now: c.EndedAt, Fires: map[string]bool{}, Values: map[string]Known{}})
		}
	}
	for _, l := range labels {
		n, ok := at[l.ID]
		if !ok {
			return nil, fmt.Errorf("%s speaks of a conversation %q that is not there", labelsFile, l.ID)
		}
		if err := set[n].know(l); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// label is one thing that is certain: whether a situation is there, or what a variable's value is.
type label struct {
	ID        string
	Situation string
	Variable  string
	Expected  any
	Accept    []string
}

// know takes a label over. One that no question is put for would be judged as if the model had said no.
func (s *Sample) know(l label) error {
	id := automationOf(l.Situation)
	switch expected := l.Expected.(type) {
	case bool:
		if s.Account.Automation(id) == nil {
			return fmt.Errorf("a label of %s is about a situation %q that %s has no question for", l.ID, l.Situation, situationsFile)
		}
		s.Fires[id] = expected
		return nil
	case string:
		if s.asks(l.Variable) {
			s.Values[l.Variable] = Known{is: match{any: append([]string{expected}, l.Accept...)}, loose: true}
			return nil
		}
	case nil:
		if s.asks(l.Variable) {
			s.Values[l.Variable] = Known{is: match{absent: true}}
			return nil
		}
	}
	return fmt.Errorf("a label of %s expects neither true or false of a situation, nor a text or null of a dyn_ variable", l.ID)
}

// asks reports whether a variable is asked for.
func (s *Sample) asks(name string) bool {
	_, ok := s.Account.Declarations[name]
	return ok
}

func automationOf(situation string) string { return strings.ReplaceAll(situation, "_", "-") }

// talk is a conversation of a labelled set.
type talk struct {
	ID, Channel, Direction string
	StartedAt              time.Time `json:"started_at"`
	Seconds                float64   `json:"duration_seconds"`
	Turns                  []struct {
		Role, Text string
		StartMS    int64 `json:"start_ms"`
	}
}

// call is the talk as a platform would post it. When it took place, and how long it took, is made up where nobody knows.
// Who took part is left out: it stands in a prompt, and the labels ask for it.
func (t talk) call() *conversation.Conversation {
	c := &conversation.Conversation{
		ID: t.ID, ExternalID: t.ID, Agent: conversation.Agent{ID: "agent"}, Status: conversation.Completed,
		Channel: conversation.Channel(t.Channel), Direction: conversation.Direction(t.Direction), StartedAt: t.StartedAt,
	}
	if t.Channel == "voice" {
		c.Channel = conversation.ChannelPhone
	}
	if c.StartedAt.IsZero() {
		c.StartedAt = time.Date(2026, 11, 20, 9, 12, 0, 0, time.UTC)
	}
	lasted := max(time.Duration(t.Seconds*float64(time.Second)), time.Minute)
	for _, one := range t.Turns {
		c.Turns = append(c.Turns, conversation.Turn{Role: conversation.Role(one.Role), Text: one.Text, AtMS: one.StartMS})
		lasted = max(lasted, time.Duration(one.StartMS)*time.Millisecond)
	}
	c.EndedAt = c.StartedAt.Add(lasted)
	return c
}

// mostNames is how many variables one automation may ask for.
const mostNames = 40

// asking is the account that puts the labels' own questions.
func asking(situations map[string]string, labels []label) (*automation.Revision, error) {
	var b strings.Builder
	b.WriteString("account: labelled\nname: Labelled calls\ntimezone: UTC\nautomations:\n")
	for _, s := range slices.Sorted(maps.Keys(situations)) {
		fmt.Fprintf(&b, "  - { id: %s, when: { ask: %s }, actions: [ { task: { title: Found } } ] }\n", automationOf(s), yamlText(situations[s]))
	}
	names := map[string]bool{}
	for _, l := range labels {
		if l.Variable != "" {
			names[l.Variable] = true
		}
	}
	n := 0
	for some := range slices.Chunk(slices.Sorted(maps.Keys(names)), mostNames) {
		n++
		text := "{{" + strings.Join(some, "}} {{") + "}}"
		fmt.Fprintf(&b, "  - { id: values-%d, when: always, actions: [ { task: { title: Values, description: %s } } ] }\n", n, yamlText(text))
	}
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(b.String())})
	if rev == nil {
		return nil, fmt.Errorf("the labels' questions make no account: %s", problems[0].String())
	}
	return rev, nil
}

// yamlText quotes a text: JSON is YAML.
func yamlText(s string) string {
	b, err := jsonOf(s)
	if err != nil {
		return `""` // a text always encodes
	}
	return string(b)
}

// longestLine is of one conversation: an hour of talk is a tenth of it.
const longestLine = 16 << 20

// lines reads a file of JSON, one value a line.
func lines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the labelled set: %w", err)
	}
	defer f.Close()
	var all []T
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, longestLine)
	for n := 1; scan.Scan(); n++ {
		if len(scan.Bytes()) == 0 {
			continue
		}
		var one T
		if err := json.Unmarshal(scan.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("read %s, line %d: %w", filepath.Base(path), n, err)
		}
		all = append(all, one)
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return all, nil
}

// IsLabelled reports whether a folder holds a labelled set.
func IsLabelled(dir string) bool { return isFile(filepath.Join(dir, situationsFile)) }

// letters folds a text to its letters and digits.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
