package openai

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	goopenai "github.com/sashabaranov/go-openai"

	"aftercall/internal/llm"
)

// quirk is something an endpoint may turn out not to support.
type quirk int

const (
	schemas quirk = iota
	objects
	maxCompletion
	temperature
	seed
	user
	quirks      // how many there are
	none   = -1 // the failure is no quirk
)

// failure is a failed call with what only this package needs to know of it.
type failure struct {
	llm.Error
	again   bool // the same call may succeed in a moment
	charged bool // no answer came, and the provider may have charged for the call all the same
	quirk   quirk
}

func (f *failure) public() *llm.Error { e := f.Error; return &e }

func (f *failure) with(r llm.Reply) *failure { f.Reply = r; return f }

func fail(k llm.Kind, status int, detail string) *failure {
	return &failure{Error: llm.Error{Kind: k, Status: status, Detail: detail}, quirk: none}
}

// said is what a failing server sent, in whatever envelope.
type said struct {
	status                     int
	code, kind, param, message string
}

// classify gives an error of go-openai its meaning. *RequestError comes first: for an envelope like {"error":"text"} the
// error matches *APIError too, which is then empty.
func classify(err error, h http.Header, timedOut bool) *failure {
	var re *goopenai.RequestError
	var ae *goopenai.APIError
	switch {
	case errors.As(err, &re):
		return foreign(re).failure(h)
	case errors.As(err, &ae):
		return native(ae).failure(h)
	case errors.Is(err, errRedirect):
		return fail(llm.Misconfigured, 0, "the server answered with a redirect; check the base URL")
	case timedOut:
		f := fail(llm.Unavailable, 0, "the server did not answer in time")
		f.charged = !dialling(err)
		return f
	case notJSON(err):
		return fail(llm.BadReply, http.StatusOK, "the answer is not a chat completion")
	case refusedHere(err):
		return fail(llm.Misconfigured, 0, "the client library does not accept this model's name or parameters")
	}
	f := fail(llm.Unavailable, 0, "the server could not be reached, or the connection broke")
	f.again, f.charged = true, !dialling(err)
	return f
}

// dialling reports that no connection was made, so that nothing was asked.
func dialling(err error) bool {
	var o *net.OpError
	return errors.As(err, &o) && o.Op == "dial"
}

// notJSON reports an answer that arrived whole and is something else. One that broke off is a broken connection.
func notJSON(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.EOF) && !isURLError(err)
}

// isURLError reports an error of the connection, which may wrap io.EOF as well.
func isURLError(err error) bool {
	var u *url.Error
	return errors.As(err, &u)
}

// refusedHere reports an error that go-openai gives before it calls anybody.
func refusedHere(err error) bool {
	for _, e := range []error{
		goopenai.ErrChatCompletionInvalidModel, goopenai.ErrReasoningModelMaxTokensDeprecated,
		goopenai.ErrReasoningModelLimitationsOther, goopenai.ErrReasoningSamplingUnsupported,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func native(e *goopenai.APIError) said {
	s := said{status: e.HTTPStatusCode, kind: e.Type, message: e.Message}
	s.code, _ = e.Code.(string) // null and numbers become an int, which says no more than the status
	if e.Param != nil {
		s.param = *e.Param
	}
	if e.InnerError != nil && s.code == "" {
		s.code = e.InnerError.Code
	}
	return s
}

// foreign reads the envelopes of gateways and other servers: {"object":"error","message":…}, {"error":"text"},
// {"detail":…}, HTML. Only their status is relied upon; the message helps to tell a long prompt from a bad one.
func foreign(e *goopenai.RequestError) said {
	s := said{status: e.HTTPStatusCode}
	var body struct {
		Message string          `json:"message"`
		Type    string          `json:"type"`
		Detail  json.RawMessage `json:"detail"`
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(e.Body, &body) == nil {
		s.kind, s.message = body.Type, body.Message+" "+string(body.Detail)+" "+string(body.Error)
	}
	return s
}

// failure classifies by code first, then by status.
func (s said) failure(h http.Header) *failure {
	low := strings.ToLower(s.message)
	switch {
	case s.has("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"), s.status == http.StatusPaymentRequired:
		return s.fail(llm.Quota, "no credit is left")
	case s.has("context_length_exceeded", "string_above_max_length"), s.status == http.StatusRequestEntityTooLarge,
		s.status == http.StatusBadRequest && tooLong(low):
		return s.fail(llm.TooLong, "the prompt does not fit the model")
	case s.has("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"):
		return s.fail(llm.Refused, "a content filter refused the prompt")
	}
	switch {
	case s.status == http.StatusTooManyRequests:
		f := s.fail(llm.RateLimited, "too many requests")
		f.After, f.again = wait(h, s, time.Now()), h.Get("X-Should-Retry") != "false"
		return f
	case s.status == http.StatusUnauthorized || s.status == http.StatusForbidden:
		return s.fail(llm.Misconfigured, "the key was not accepted")
	case s.status == http.StatusNotFound:
		return s.fail(llm.Misconfigured, "the model or the URL does not exist")
	case s.status == http.StatusRequestTimeout, s.status == http.StatusConflict, s.status >= 500:
		f := s.fail(llm.Unavailable, "the server is in trouble")
		f.After, f.again = wait(h, said{}, time.Now()), h.Get("X-Should-Retry") != "false"
		f.charged = lostUpstream(s.status)
		return f
	}
	f := s.fail(llm.BadRequest, "the server does not accept the request")
	f.quirk = s.unsupported(low)
	return f
}

// lostUpstream reports that a gateway passed a call on and lost the answer.
func lostUpstream(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusGatewayTimeout || status >= 520 && status <= 524
}

func (s said) has(codes ...string) bool {
	for _, c := range codes {
		if s.code == c || s.kind == c {
			return true
		}
	}
	return false
}

// fail adds the provider's code to the detail, if it is a plain word; never its message, which may repeat the key or
// the prompt.
func (s said) fail(k llm.Kind, detail string) *failure {
	if len(s.code) <= 40 && plainWord(s.code) {
		detail += " (" + s.code + ")"
	}
	return fail(k, s.status, detail)
}

func plainWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func tooLong(low string) bool {
	for _, p := range []string{"maximum context length", "context window", "context length", "prompt is too long", "too many tokens"} {
		if strings.Contains(low, p) {
			return true
		}
	}
	return false
}

// unsupported names the part of our request that the server rejected. An *invalid* schema is our bug: leaving schemas
// out for ever would hide it.
func (s said) unsupported(low string) quirk {
	if strings.Contains(low, "invalid schema") {
		return none
	}
	if s.param == "response_format" || strings.Contains(low, "response_format") || strings.Contains(low, "json_schema") {
		if strings.Contains(low, "json_object") && !strings.Contains(low, "json_schema") {
			return objects
		}
		return schemas
	}
	names := func(word string) bool { return s.param == word || strings.Contains(low, word) }
	switch {
	case names("max_completion_tokens"):
		return maxCompletion
	case names("temperature"):
		return temperature
	case s.param == "seed", names(`"seed"`), names("'seed'"):
		return seed
	case s.param == "user", names(`"user"`), names("'user'"):
		return user
	}
	return none
}

const longestWait = time.Hour

// wait is the time the server asks for: the longest of its headers, else what its message says, else the time until
// the exhausted limit is reset. 0 means it did not say.
func wait(h http.Header, s said, now time.Time) time.Duration {
	d := max(header(h, "Retry-After-Ms", time.Millisecond), header(h, "Retry-After", time.Second))
	if d == 0 {
		if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
			d = at.Sub(now)
		}
	}
	if d <= 0 {
		d = spoken(s.message)
	}
	if d <= 0 && s.status == http.StatusTooManyRequests {
		for _, of := range []string{"requests", "tokens"} {
			if h.Get("X-Ratelimit-Remaining-"+of) == "0" {
				reset, _ := time.ParseDuration(h.Get("X-Ratelimit-Reset-" + of)) // unreadable: unknown
				d = max(d, reset)
			}
		}
	}
	return min(max(d, 0), longestWait)
}

func header(h http.Header, name string, unit time.Duration) time.Duration {
	n, err := strconv.ParseFloat(h.Get(name), 64)
	if err != nil || !(n > 0) {
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(longestWait)))
}

// spoken reads "Please try again in 1.574s", "in 6m0s", "in 350ms".
func spoken(message string) time.Duration {
	_, after, ok := strings.Cut(strings.ToLower(message), "try again in ")
	if !ok {
		return 0
	}
	word := regexp.MustCompile(`^([0-9.]+(ms|h|m|s))+`).FindString(after)
	d, _ := time.ParseDuration(word) // no match: unknown
	return d
}
