package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"aftercall/internal/store/db"
)

// Topic is a kind of thing that open pages show.
type Topic string

// The topics.
const (
	TopicConversations Topic = "conversations" // one was decided
	TopicDeliveries    Topic = "deliveries"    // something was sent, refused, held
	TopicReview        Topic = "review"        // something waits for a person, or no longer does
	TopicTasks         Topic = "tasks"
	TopicAlerts        Topic = "alerts"
	TopicConfig        Topic = "config" // another revision was made active
	TopicPopUps        Topic = "popups" // one waits for an agent's softphone
)

// Topics lists them.
func Topics() []Topic {
	return []Topic{TopicConversations, TopicDeliveries, TopicReview, TopicTasks, TopicAlerts, TopicConfig, TopicPopUps}
}

// Change says that something changed in an account, and nothing about what: whoever is interested reads it, with the rights
// they have. Of several changes close together only the last is told.
type Change struct {
	Topic     Topic
	AccountID string
	Audience  string // of an alert or a pop-up: only they hear of it; "" for everybody
	ID        string // of what changed last; "" after something may have been missed
}

// liveChannel is where processes tell each other.
const liveChannel = "aftercall_live"

const (
	tellEvery = 200 * time.Millisecond // how often a process tells what changed, however much did
	tellAgain = time.Second            // when what could not be told is told again
)

// teller tells every process what this one changed. It does so after the commit and by itself: commits that notify wait
// for each other in Postgres, so the line's never do. What is lost with a process or a listener's connection is found by the next look
// of a page, which comes by itself.
type teller struct {
	pool    db.DBTX
	mu      sync.Mutex
	waiting map[Change]string // ids by changes without
	wake    chan struct{}
	closing chan struct{}
	stopped chan struct{}
}

func newTeller(pool db.DBTX) *teller {
	t := &teller{pool: pool, waiting: map[Change]string{}, wake: make(chan struct{}, 1), closing: make(chan struct{}), stopped: make(chan struct{})}
	go t.run()
	return t
}

// tell notes a change, to be told soon.
func (t *teller) tell(topic Topic, accountID, id string) {
	t.note(Change{Topic: topic, AccountID: accountID, ID: id})
}

func (t *teller) note(c Change) {
	id := c.ID
	c.ID = ""
	t.mu.Lock()
	t.waiting[c] = id
	t.mu.Unlock()
	t.rouse()
}

func (t *teller) run() {
	defer close(t.stopped)
	for {
		select {
		case <-t.wake:
			t.say()
		case <-t.closing:
			t.say()
			return
		}
		pause(context.Background(), t.closing, tellEvery)
	}
}

// say tells what has gathered.
func (t *teller) say() {
	t.mu.Lock()
	waiting := t.waiting
	t.waiting = map[Change]string{}
	t.mu.Unlock()
	var payloads []string
	for of, id := range waiting {
		payload, err := json.Marshal([]string{string(of.Topic), of.AccountID, id, of.Audience})
		if err == nil && len(payload) < 8000 { // the most that Postgres takes
			payloads = append(payloads, string(payload))
		}
	}
	if len(payloads) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if db.New(t.pool).Tell(ctx, payloads) == nil {
		return
	}
	// A database that is slow just now hears it later, unless something newer of its kind is told then.
	t.mu.Lock()
	defer t.mu.Unlock()
	for of, id := range waiting {
		if _, newer := t.waiting[of]; !newer {
			t.waiting[of] = id
		}
	}
	time.AfterFunc(tellAgain, t.rouse)
}

// rouse has what gathered told.
func (t *teller) rouse() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *teller) stop() {
	close(t.closing)
	<-t.stopped
}

// How many lines there may be: a browser has a few to a server, and a person a few browsers.
const (
	mostLines      = 2000
	mostLinesOfOne = 12
)

// ErrTooManyLines is returned to somebody who listens too often at once.
var ErrTooManyLines = errors.New("too many pages listen at once")

// Line hears of what changes in some accounts, and of alerts those that are for its listener. What has not been taken yet is kept once per topic, so that nobody who is slow
// costs more than that.
type Line struct {
	hub    *hub
	who    Teammate
	within Accounts
	topics []Topic

	waiting map[Topic]Change // guarded by the hub
	wake    chan struct{}
}

// Changed has something when there is something to take.
func (l *Line) Changed() <-chan struct{} { return l.wake }

// Take gives what has changed since the last time, by topic.
func (l *Line) Take() (changes []Change) {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	for _, topic := range l.topics {
		if c, ok := l.waiting[topic]; ok {
			changes = append(changes, c)
		}
	}
	clear(l.waiting)
	return changes
}

// Close gives the line up.
func (l *Line) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if !l.hub.lines[l] {
		return
	}
	delete(l.hub.lines, l)
	if l.hub.of[l.who.ID]--; l.hub.of[l.who.ID] == 0 {
		delete(l.hub.of, l.who.ID)
	}
}

// hub hands on what any process tells, over one connection to the database, which is opened for the first line.
type hub struct {
	mu      sync.Mutex
	lines   map[*Line]bool
	of      map[string]int // lines, by who listens
	hearing bool
	stopped chan struct{}
}

func newHub() *hub {
	return &hub{lines: map[*Line]bool{}, of: map[string]int{}, stopped: make(chan struct{})}
}

// stop waits until nothing is heard any more. The store is closing already.
func (h *hub) stop() {
	h.mu.Lock()
	hearing := h.hearing
	h.mu.Unlock()
	if hearing {
		<-h.stopped
	}
}

// Listen opens a line for somebody who may see these accounts. ErrTooManyLines if they have enough of them.
func (s *Store) Listen(who Teammate, within Accounts, topics ...Topic) (*Line, error) {
	l := &Line{hub: s.hub, who: who, within: within, topics: topics, waiting: map[Topic]Change{}, wake: make(chan struct{}, 1)}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	select {
	case <-s.closing:
		return nil, errClosed
	default:
	}
	if len(s.hub.lines) >= mostLines || s.hub.of[who.ID] >= mostLinesOfOne {
		return nil, ErrTooManyLines
	}
	s.hub.lines[l] = true
	s.hub.of[who.ID]++
	if !s.hub.hearing {
		s.hub.hearing = true
		go s.hear()
	}
	return l, nil
}

// hear listens until the store closes.
func (s *Store) hear() {
	defer close(s.hub.stopped)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-s.closing
		cancel()
	}()
	s.follow(ctx, liveChannel, s.hub.missed, s.hub.heard)
}

// heard takes what a process told. What a newer one tells of and this one does not know is for nobody here.
func (h *hub) heard(payload string) {
	var c [4]string // three of one that knows of no audience yet
	if json.Unmarshal([]byte(payload), &c) == nil {
		h.spread(Change{Topic: Topic(c[0]), AccountID: c[1], ID: c[2], Audience: c[3]})
	}
}

// spread hands a change to those who may know of it and want to.
func (h *hub) spread(c Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.lines {
		if l.within.Has(c.AccountID) && l.who.Hears(c.AccountID, c.Audience) {
			l.note(c)
		}
	}
}

// missed tells everybody that anything may have changed.
func (h *hub) missed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.lines {
		for _, topic := range l.topics {
			l.note(Change{Topic: topic})
		}
	}
}

// note keeps a change until it is taken. The hub is locked.
func (l *Line) note(c Change) {
	if !slices.Contains(l.topics, c.Topic) {
		return
	}
	l.waiting[c.Topic] = c
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
