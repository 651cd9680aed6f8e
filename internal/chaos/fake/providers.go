package main

import (
	"encoding/json"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// faults are the shares, 0 to 1, of calls to which something is done instead of serving them.
type faults map[string]float64

// conduct is how a provider behaves; POST /control sets it.
type conduct struct {
	LatencyMS  int    `json:"latency_ms"`
	JitterMS   int    `json:"jitter_ms"`
	Faults     faults `json:"faults"`
	RetryAfter int    `json:"retry_after"` // seconds, given with a 429
	Down       bool   `json:"down"`        // every connection is refused or cut
	Keep       bool   `json:"keep"`        // the history keeps mails whole, and of a prompt the instructions
	Close      bool   `json:"close"`       // mails: every answer ends its connection
	Mode       string `json:"mode"`        // model: quotes (default), simulated, obedient, hostile, or a reply of its own (see model.go)
	Echo       bool   `json:"echo"`        // refusals repeat the request and its credentials, as careless providers do
	Reply      string `json:"reply"`       // model, mode "reply": the content of every answer
	// Replies are the answers to calls about single references, whatever the mode; see spelled in model.go.
	Replies map[string]string `json:"replies"`
}

// settings are what /control takes: what is left out stays.
type settings struct {
	Model *conduct `json:"model,omitempty"`
	Mail  *conduct `json:"mail,omitempty"`
	// Refuse cuts every new connection before a byte of it is read.
	Refuse *bool `json:"refuse,omitempty"`
}

type providers struct {
	history *history
	seed    uint64

	mu      sync.Mutex
	model   conduct
	mail    conduct
	refuse  bool
	calls   map[string]int // calls so far, by provider and subject: the draw of a fault depends on it
	counts  map[string]int // what /stats prints
	flying  map[string]int
	most    map[string]int
	answers *standIns
}

func newProviders(h *history, seed uint64) *providers {
	return &providers{
		history: h, seed: seed, calls: map[string]int{}, counts: map[string]int{}, flying: map[string]int{},
		most: map[string]int{}, answers: newStandIns(),
	}
}

func (p *providers) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", p.complete)
	mux.HandleFunc("POST /v3/mail/send", p.send)
	mux.HandleFunc("POST /control", p.control)
	mux.HandleFunc("GET /stats", p.stats)
	if p.history.tally != nil {
		mux.HandleFunc("GET /tally", p.history.tally.serve)
	}
	return mux
}

func (p *providers) control(w http.ResponseWriter, r *http.Request) {
	var s settings
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Model != nil {
		p.model = *s.Model
	}
	if s.Mail != nil {
		p.mail = *s.Mail
	}
	if s.Refuse != nil {
		p.refuse = *s.Refuse
	}
}

// stats prints counts: calls, faults by kind, and how many calls were in work at once, now and at most.
func (p *providers) stats(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{"counts": p.counts, "in_flight": p.flying, "most_in_flight": p.most})
}

// begin notes a call and says how the provider behaves to it. The fault is drawn from the seed, what the call is about
// and how often that was called, so the order in which calls arrive does not matter.
func (p *providers) begin(provider, subject string) (c conduct, fault string, end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c = p.model
	if provider == "mail" {
		c = p.mail
	}
	key := provider + " " + subject
	p.calls[key]++
	fault = draw(c.Faults, p.seed, key, p.calls[key])
	if c.Down {
		fault = "down"
	}
	p.counts[provider]++
	if fault != "" {
		p.counts[provider+" "+fault]++
	}
	p.flying[provider]++
	p.most[provider] = max(p.most[provider], p.flying[provider])
	return c, fault, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.flying[provider]--
	}
}

// count adds to what /stats prints.
func (p *providers) count(what string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[what] += n
}

func draw(f faults, seed uint64, key string, n int) string {
	if len(f) == 0 {
		return ""
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, key+" "+strconv.Itoa(n))
	at := rand.New(rand.NewPCG(seed, h.Sum64())).Float64()
	for _, kind := range kinds {
		if at < f[kind] {
			return kind
		}
		at -= f[kind]
	}
	return ""
}

// kinds are the faults there are, in the order in which they are drawn.
var kinds = [...]string{"429", "500", "400", "401", "403", "413", "cut", "malformed", "wrong_ids", "hang", "hang_after_accept", "slow"}

// wait takes the provider's latency; false if the client went away meanwhile.
func (c conduct) wait(r *http.Request) bool {
	d := time.Duration(c.LatencyMS) * time.Millisecond
	if c.JitterMS > 0 {
		d += time.Duration(rand.N(c.JitterMS)) * time.Millisecond
	}
	if d == 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// refuseWith answers a fault that has a status.
func refuseWith(w http.ResponseWriter, fault string, retryAfter int, body string) {
	status, _ := strconv.Atoi(fault)
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// explains is what a refusal says: the kind of the fault or, in echo, all that came.
func (c conduct) explains(r *http.Request, raw []byte, fault string) string {
	text := "a fault of the chaos run: " + fault
	if c.Echo {
		text = "cannot serve " + r.Header.Get("Authorization") + " for " + string(raw)
	}
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// hangUp cuts the connection so that the client sees a reset.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// gate cuts new connections while the providers refuse: not a byte is read from them.
type gate struct {
	net.Listener
	p *providers
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.p.mu.Lock()
		refuse := g.p.refuse
		if refuse {
			g.p.counts["refused"]++
		}
		g.p.mu.Unlock()
		if !refuse {
			return conn, nil
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}
