package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// entry is one line of the history. Its JSON is the wire format that the checker reads; it has a type of its own there.
type entry struct {
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"` // model, mail; answered: the answer to the call Of went out whole; cut: its connection was cut
	Of    int64     `json:"of,omitempty"`
	Fault string    `json:"fault,omitempty"` // what was done to the call instead of serving it

	// What the call is about: the reference a model's transcript carries, or the conversation a mail belongs to.
	Subject string `json:"about,omitempty"`
	Wait    int    `json:"wait,omitempty"` // seconds of Retry-After that were given

	Prompt string `json:"prompt,omitempty"` // digest of a model call's body
	System string `json:"system,omitempty"` // the instructions in it, where it was asked to keep them
	Tokens int    `json:"tokens,omitempty"` // that a model call was charged

	Accepted   bool     `json:"accepted,omitempty"` // the provider took the mail, whether or not it said so
	Status     int      `json:"status,omitempty"`
	Delivery   string   `json:"delivery,omitempty"`
	Automation string   `json:"automation,omitempty"`
	Attempt    string   `json:"attempt,omitempty"`
	To         []string `json:"to,omitempty"`
	Digest     string   `json:"digest,omitempty"` // of subject, text and HTML
	Mail       string   `json:"mail,omitempty"`   // the whole request, where it was asked to keep it
}

// history appends entries to a file. Entries that come together share an fsync.
type history struct {
	file *os.File
	in   chan line
	mu   sync.Mutex
	seq  int64
	// tally, if set, stands in for the file: counts, and nothing on disk.
	tally *tally
}

type line struct {
	text []byte
	kept chan error
}

func openHistory(path string, tally bool) (*history, error) {
	if tally {
		return &history{tally: newTally()}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the history: %w", err)
	}
	h := &history{file: f, in: make(chan line, 1024)}
	go h.write()
	return h, nil
}

// keep writes e down and returns its number when it is on disk.
func (h *history) keep(e entry) (int64, error) {
	h.mu.Lock()
	h.seq++
	e.Seq = h.seq
	h.mu.Unlock()
	e.At = time.Now().UTC()
	if h.tally != nil {
		h.tally.note(e)
		return e.Seq, nil
	}
	text, err := json.Marshal(e)
	if err != nil {
		return 0, fmt.Errorf("write the history: %w", err)
	}
	l := line{append(text, '\n'), make(chan error, 1)}
	h.in <- l
	return e.Seq, <-l.kept
}

func (h *history) write() {
	for first := range h.in {
		batch, text := []line{first}, first.text
		for more := true; more; {
			select {
			case l, open := <-h.in:
				if more = open; open {
					batch, text = append(batch, l), append(text, l.text...)
				}
			default:
				more = false
			}
		}
		_, err := h.file.Write(text)
		if err == nil {
			err = h.file.Sync()
		}
		for _, l := range batch {
			l.kept <- err
		}
	}
}

// close is called when no handler runs any more.
func (h *history) close() error {
	if h.tally != nil {
		return nil
	}
	return h.file.Close()
}
