package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tally stands in for the history where speed is measured: nothing is written down, mails are counted by call. Calls
// belong to runs: the id of a call is its run's name, a hyphen and a number.
type tally struct {
	mu   sync.Mutex
	runs map[string]*run
}

// run counts the mails of one run.
type run struct {
	Mails    int              `json:"mails"`
	Distinct int              `json:"distinct"` // of different automations or calls
	Calls    map[string]*call `json:"calls"`
	more     chan struct{}    // closed, and made anew, when what somebody awaits has come
	awaited  int              // the least number of different mails that somebody awaits; 0 for none
}

// call counts the mails of one call.
type call struct {
	Mails     int            `json:"mails"`
	By        map[string]int `json:"by"` // automation
	FirstNano int64          `json:"first_nano"`
	LastNano  int64          `json:"last_nano"` // when the last mail that was new came, in nanoseconds since 1970
}

func newTally() *tally { return &tally{runs: map[string]*run{}} }

func (t *tally) of(name string) *run {
	r := t.runs[name]
	if r == nil {
		r = &run{Calls: map[string]*call{}, more: make(chan struct{})}
		t.runs[name] = r
	}
	return r
}

// note counts a mail.
func (t *tally) note(e entry) {
	at := strings.LastIndexByte(e.Subject, '-')
	if e.Kind != "mail" || !e.Accepted || at < 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.of(e.Subject[:at])
	c := r.Calls[e.Subject]
	if c == nil {
		c = &call{By: map[string]int{}, FirstNano: e.At.UnixNano()}
		r.Calls[e.Subject] = c
	}
	r.Mails++
	c.Mails++
	c.By[e.Automation]++
	if c.By[e.Automation] == 1 {
		c.LastNano = e.At.UnixNano()
		r.Distinct++
		if r.awaited > 0 && r.Distinct >= r.awaited {
			close(r.more)
			r.more, r.awaited = make(chan struct{}), 0
		}
	}
}

// serve answers GET /tally: the counts of ?run=, with ?whole=1 call by call; with ?await= it answers when so many
// different mails have come, or a second has passed.
func (t *tally) serve(w http.ResponseWriter, r *http.Request) {
	name := r.FormValue("run")
	want, _ := strconv.Atoi(r.FormValue("await"))
	for over := time.After(time.Second); ; {
		t.mu.Lock()
		of := t.of(name)
		have, more := of.Distinct, of.more
		if have < want && (of.awaited == 0 || want < of.awaited) {
			of.awaited = want
		}
		t.mu.Unlock()
		if have >= want {
			break
		}
		select {
		case <-more:
			continue
		case <-over:
		case <-r.Context().Done():
		}
		break
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.of(name)
	says := run{Mails: of.Mails, Distinct: of.Distinct}
	if r.FormValue("whole") != "" {
		says.Calls = of.Calls
	}
	_ = json.NewEncoder(w).Encode(says)
}
