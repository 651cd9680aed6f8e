// Package llm says what we ask of a language model and how it may fail, whoever provides it.
//
// It owns Request, Reply, Error and the Model interface, and the two wrappers every model runs behind: a circuit
// breaker (Guard) and a fallback (WithFallback). llm/openai speaks to any OpenAI-compatible server; llm/simulated is
// such a server, answering by plain lexical rules.
//
// It promises that an error says whether waiting helps. It never validates what the model says; interview does.
package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Message is one message of a prompt.
type Message struct {
	Role    string // "system", "user" or "assistant"
	Content string
}

// Request is one structured question: a prompt and the JSON schema its answer must have.
type Request struct {
	Messages   []Message
	SchemaName string          // [A-Za-z0-9_-]{1,64}
	Schema     json.RawMessage // strict: every property required, no additional ones
	MaxTokens  int             // limit of the answer
	CacheKey   string          // the same for prompts with the same beginning
	Reserve    Reserve         // asked before every single request a provider may charge for; nil: nothing is counted
	Retry      func() bool     // asked whether a retry inside the call is wanted now; nil: it always is
}

// MayRetry reports whether a retry inside the call is wanted now.
func (r Request) MayRetry() bool { return r.Retry == nil || r.Retry() }

// Tokens is what a request may cost at most: the prompt at three bytes a token, which few languages need more than, and
// the longest answer.
func (r Request) Tokens() int {
	n := len(r.Schema)
	for _, m := range r.Messages {
		n += len(m.Content)
	}
	return n/3 + r.MaxTokens
}

// Reserve sets tokens aside for one request, or says that it must not be made: an *Error of kind Busy or Spent. What it
// returns is called once, with the tokens the request did cost.
type Reserve func(ctx context.Context, tokens int) (settle func(used int), err error)

// Reply is the model's answer with what it cost. Content is not validated.
type Reply struct {
	Content      string
	Model        string // the model that says it answered
	Endpoint     string // host of the server that answered, without path or key
	Simulated    bool   // the simulated model answered
	TokensIn     int
	TokensCached int // part of TokensIn
	TokensOut    int
	FinishReason string
	RequestID    string
	Fingerprint  string
	Latency      time.Duration
}

// Model answers structured questions. It is safe for concurrent use.
type Model interface {
	// Complete asks once, with at most two short retries of its own. A non-nil error is an *Error or ctx's.
	Complete(ctx context.Context, r Request) (Reply, error)
}

// Kind says what a failed call means for the one who asked.
type Kind string

// The kinds of failure.
const (
	Unavailable   Kind = "unavailable"   // no answer: connection, timeout, 5xx, open circuit. Waiting helps
	RateLimited   Kind = "rate_limited"  // 429 with a wait. Waiting helps
	Quota         Kind = "quota"         // no money or no permission left: an operator must act; waiting alone does not help
	Misconfigured Kind = "misconfigured" // key, model name or URL is wrong: an operator must act
	Refused       Kind = "refused"       // the model or a content filter refuses this content
	TooLong       Kind = "too_long"      // the prompt does not fit the model
	Truncated     Kind = "truncated"     // the answer hit MaxTokens
	BadRequest    Kind = "bad_request"   // the server does not accept the request; a bug or an old server
	BadReply      Kind = "bad_reply"     // an answer that is no chat completion

	Busy  Kind = "budget_busy"  // not asked: calls under way hold the rest of the budget. Waiting helps
	Spent Kind = "budget_spent" // not asked: the budget is used up
)

// Kinds lists the kinds of failure of a call that was made.
func Kinds() []Kind {
	return []Kind{Unavailable, RateLimited, Quota, Misconfigured, Refused, TooLong, Truncated, BadRequest, BadReply}
}

// Error is a failed call. Its text holds no prompt, answer or key.
type Error struct {
	Kind   Kind
	Status int           // HTTP status, 0 if there was none
	After  time.Duration // wait at least this long; 0 if the server did not say
	Detail string        // one scrubbed sentence
	Shut   bool          // nobody was asked, because the circuit is open; Kind is that of the failure that opened it
	Reply  Reply         // what is known of the call: model, tokens, latency
}

// Error gives kind, status and the scrubbed detail.
func (e *Error) Error() string {
	s := "model " + string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (%d)", e.Status)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Waits reports whether the same request may succeed later without anybody changing it. Quota and Misconfigured wait
// too: the conversation is kept until an operator has acted.
func (e *Error) Waits() bool {
	switch e.Kind {
	case Unavailable, RateLimited, Quota, Misconfigured, BadReply, Busy:
		return true
	}
	return false
}

// Unasked reports whether nobody was asked, because of the budget or an open circuit: no call was made.
func (e *Error) Unasked() bool { return e.Kind == Busy || e.Kind == Spent || e.Shut }

// AsError finds the *Error in err, or makes an Unavailable one of it.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Unavailable, Detail: "the call was cut short"}
}
