// Package simulated is an OpenAI-compatible server that fills in our interviews by plain lexical rules, so that the
// demo and the tests need no key and no network.
//
// It owns the reading of a prompt back into a form and a transcript, the rules that answer it (topics with their usual
// phrases, negations, offers that are declined, accepted or left open, word overlap for everything else), the switches for faults, and an
// obedient mode in which it does whatever the transcript tells it.
//
// It promises that the same request with the same options gets the same answer, apart from faults, which follow a seed,
// and that it always names itself: model "simulated-lexical-1" and the header X-Aftercall-Simulated. It understands no
// language but plain English, and must not be used outside demo, dev and tests; cmd refuses that.
package simulated

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// ModelName is the model that answers, whatever model was asked for.
const ModelName = "simulated-lexical-1"

// Header marks every response.
const Header = "X-Aftercall-Simulated"

// Options are the server's switches. Rates are between 0 and 1 and drawn per request from Seed; at most one fault is
// given to a request.
type Options struct {
	Seed       uint64
	Latency    time.Duration // of every answer
	Down       bool          // every connection is broken off
	RateLimit  float64       // 429 with Retry-After
	RetryAfter time.Duration // of a 429 (default 1 s)
	Error      float64       // 500
	Slow       float64       // answers after SlowFor
	SlowFor    time.Duration // default 30 s
	Cut        float64       // half the JSON, finish_reason length
	Malformed  float64       // half the JSON, finish_reason stop
	Refusal    float64
	WrongQuote float64 // evidence that nobody said
	WrongIDs   float64 // automations, routes and variables that nobody asked for
	Obedient   bool    // does what the transcript says
}

// Server answers POST /v1/chat/completions and GET /v1/models. It is safe for concurrent use.
type Server struct {
	mux     *http.ServeMux
	rules   *rules
	options atomic.Pointer[Options]
	count   atomic.Uint64
	mu      sync.Mutex
	given   map[string]int
}

// New returns a server with the given switches.
func New(o Options) *Server {
	s := &Server{mux: http.NewServeMux(), rules: newRules(), given: map[string]int{}}
	s.Set(o)
	s.mux.HandleFunc("POST /v1/chat/completions", s.chat)
	s.mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, map[string]any{"object": "list", "data": []any{
			map[string]any{"id": ModelName, "object": "model", "created": 1, "owned_by": "aftercall"}}})
	})
	return s
}

// Set changes the switches for the requests to come.
func (s *Server) Set(o Options) {
	if o.RetryAfter <= 0 {
		o.RetryAfter = time.Second
	}
	if o.SlowFor <= 0 {
		o.SlowFor = 30 * time.Second
	}
	s.options.Store(&o)
}

// Given counts the requests by what they were given: "answer", or the name of a fault.
func (s *Server) Given() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]int, len(s.given))
	for k, v := range s.given {
		all[k] = v
	}
	return all
}

func (s *Server) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given[what]++
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(Header, "true")
	if s.options.Load().Down {
		s.note("down")
		panic(http.ErrAbortHandler) // the connection is broken off, as by a server that is not there
	}
	s.mux.ServeHTTP(w, r)
}

// The faults, as Given names them.
const (
	faultRateLimit  = "rate_limit"
	faultError      = "error"
	faultSlow       = "slow"
	faultCut        = "cut"
	faultMalformed  = "malformed"
	faultRefusal    = "refusal"
	faultWrongQuote = "wrong_quote"
	faultWrongIDs   = "wrong_ids"
)

// fault draws what goes wrong with the nth request, if anything.
func (o *Options) fault(n uint64) string {
	draw := rand.New(rand.NewPCG(o.Seed, n)).Float64()
	for _, f := range []struct {
		name string
		rate float64
	}{
		{faultRateLimit, o.RateLimit}, {faultError, o.Error}, {faultSlow, o.Slow}, {faultCut, o.Cut}, {faultMalformed, o.Malformed},
		{faultRefusal, o.Refusal}, {faultWrongQuote, o.WrongQuote}, {faultWrongIDs, o.WrongIDs},
	} {
		if draw < f.rate {
			return f.name
		}
		draw -= f.rate
	}
	return ""
}

// chat answers one request for a completion.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	o := s.options.Load()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
	if err != nil {
		apiError(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "The request is too large.")
		return
	}
	var q chatRequest
	if err := json.Unmarshal(body, &q); err != nil || len(q.Messages) == 0 {
		apiError(w, http.StatusBadRequest, "invalid_request_error", "The request is not a chat completion.")
		return
	}
	fault := o.fault(s.count.Add(1))
	switch fault {
	case "":
		s.note("answer")
	default:
		s.note(fault)
	}
	switch fault {
	case faultRateLimit:
		w.Header().Set("Retry-After", strconv.Itoa(int((o.RetryAfter+time.Second-1)/time.Second)))
		apiError(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached.")
		return
	case faultError:
		apiError(w, http.StatusInternalServerError, "server_error", "The server had an error.")
		return
	}
	delay := o.Latency
	if fault == faultSlow {
		delay += o.SlowFor
	}
	if !wait(r, delay) {
		return
	}
	write(w, http.StatusOK, completion(body, s.answer(o, q, fault), fault))
}

// wait lets time pass; it reports false if the client went away.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
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

// answer fills in the form of a request.
func (s *Server) answer(o *Options, q chatRequest, fault string) string {
	f := q.form()
	var a reply
	if order := s.rules.order(f); o.Obedient && order != nil {
		a = obey(f, *order)
	} else {
		a = s.rules.fill(f)
	}
	switch fault {
	case faultWrongQuote:
		a.misquote()
	case faultWrongIDs:
		a.misname()
	}
	return string(a.json())
}

// completion wraps content as a chat completion. Tokens are estimated at four bytes each.
func completion(request []byte, content, fault string) map[string]any {
	h := fnv.New64a()
	h.Write(request)
	message := map[string]any{"role": "assistant", "content": content, "refusal": nil}
	finish := "stop"
	switch fault {
	case faultRefusal:
		message["content"], message["refusal"] = nil, "I'm sorry, I can't assist with that."
	case faultCut:
		message["content"], finish = content[:len(content)/2], "length"
	case faultMalformed:
		message["content"] = content[:len(content)/2]
	}
	in, out := len(request)/4, len(content)/4+1
	return map[string]any{
		"id": fmt.Sprintf("chatcmpl-simulated-%016x", h.Sum64()), "object": "chat.completion", "created": 1,
		"model": ModelName, "system_fingerprint": "simulated",
		"choices": []any{map[string]any{"index": 0, "message": message, "logprobs": nil, "finish_reason": finish}},
		"usage":   map[string]any{"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out},
	}
}

func apiError(w http.ResponseWriter, status int, kind, message string) {
	write(w, status, map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": kind}})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone; there is nobody to tell
}
