package checker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Entry is one line of the providers' history: a call of the model or the mail provider, or the note that the answer to
// call Of went out whole.
type Entry struct {
	Seq        int64
	At         time.Time
	Kind       string // model, mail, answered
	Of         int64
	Fault      string
	About      string // reference of a model call's transcript; the platform's id of a mail's conversation
	Wait       int    // seconds of Retry-After given
	Prompt     string
	System     string // the instructions of a prompt, where they were kept
	Tokens     int
	Accepted   bool
	Status     int
	Delivery   string
	Automation string
	Attempt    string
	To         []string
	Digest     string
	Mail       string // the whole request, where it was kept
}

// History is what reached the providers, in order.
type History struct {
	Entries  []Entry
	Answered map[int64]bool      // calls whose answer went out whole
	Ended    map[int64]time.Time // when it did
	Cut      []time.Time         // when connections of calls were cut, in order
}

// ReadHistory reads a history. A last line that was cut short is an error: the providers are never killed.
func ReadHistory(path string) (h History, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return h, fmt.Errorf("read the history: %w", err)
	}
	h.Answered, h.Ended = map[int64]bool{}, map[int64]time.Time{}
	s := bufio.NewScanner(bytes.NewReader(raw))
	s.Buffer(nil, 64<<20)
	for n := 1; s.Scan(); n++ {
		var e Entry
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			return h, fmt.Errorf("read the history: line %d: %w", n, err)
		}
		if e.Kind == "answered" {
			h.Answered[e.Of], h.Ended[e.Of] = true, e.At
			continue
		}
		if e.Kind == "cut" {
			h.Cut = append(h.Cut, e.At)
			continue
		}
		h.Entries = append(h.Entries, e)
	}
	return h, s.Err()
}

// Mails are the mail calls, those that were refused among them.
func (h History) Mails() (all []Entry) { return h.kind("mail") }

// Models are the model calls.
func (h History) Models() (all []Entry) { return h.kind("model") }

func (h History) kind(kind string) (all []Entry) {
	for _, e := range h.Entries {
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all
}
