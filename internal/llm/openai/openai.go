// Package openai asks any server that speaks OpenAI's chat completions, through go-openai, which is used nowhere else.
//
// It owns the request as such servers want it, the order in which an answer is checked, the meaning of every way a call
// can fail (llm.Kind), short retries inside a call, and what an endpoint turned out not to support: strict schemas,
// max_completion_tokens, temperature, seed, user. What is learnt is remembered for as long as the Model lives.
//
// It promises that no error holds the key, the prompt, the answer or the provider's own words, that a wait the server
// asked for is never undercut, and that a redirect is never followed. It never looks into the JSON of an answer.
package openai

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	goopenai "github.com/sashabaranov/go-openai"

	"aftercall/internal/llm"
	"aftercall/internal/webaddress"
)

// DefaultBaseURL is OpenAI's own.
const DefaultBaseURL = "https://api.openai.com/v1"

// Config is what it takes to reach a model.
type Config struct {
	BaseURL    string        // with /v1; DefaultBaseURL if empty
	Key        string        // may be empty for local servers
	Model      string        // name as the server knows it
	HTTPClient *http.Client  // its transport is used; a pooled one if nil
	Timeout    time.Duration // of one HTTP call (default 60 s)

	// Sleep waits between retries (default: a timer that ends with the context). Tests replace it.
	Sleep func(ctx context.Context, d time.Duration) error
}

// A call is retried here at most twice, and only after waits so short that a job would not be worth rescheduling.
const (
	mostRetries  = 2
	longestPause = 2 * time.Second
	firstPause   = 250 * time.Millisecond
)

// Model is a model on one endpoint.
type Model struct {
	client   *goopenai.Client
	model    string
	endpoint string
	timeout  time.Duration
	sleep    func(context.Context, time.Duration) error
	budget   *llm.RetryBudget
	lacks    [quirks]atomic.Bool
}

var _ llm.Model = (*Model)(nil)

// New returns a model. It does not call the server.
func New(c Config) (*Model, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	u, ok := webaddress.Parse(c.BaseURL)
	if !ok {
		return nil, errors.New("the model's base URL is not an http or https URL") // it may hold a key: not repeated
	}
	if c.Model == "" {
		return nil, errors.New("no model is named")
	}
	if c.Timeout <= 0 {
		c.Timeout = time.Minute
	}
	if c.Sleep == nil {
		c.Sleep = pause
	}
	cfg := goopenai.DefaultConfig(c.Key)
	cfg.BaseURL = c.BaseURL
	cfg.HTTPClient = poster{client(c.HTTPClient)}
	return &Model{
		client: goopenai.NewClientWithConfig(cfg), model: c.Model, endpoint: u.Host,
		timeout: c.Timeout, sleep: c.Sleep, budget: llm.NewRetryBudget(),
	}, nil
}

// Complete asks once; connections, 5xx and short rate limits are tried again at most twice, as the budget allows.
func (m *Model) Complete(ctx context.Context, r llm.Request) (llm.Reply, error) {
	for try := 0; ; try++ {
		reply, err := m.adapt(ctx, r)
		if err == nil {
			m.budget.Earn()
			return reply, nil
		}
		if ctx.Err() != nil {
			return reply, ctx.Err()
		}
		wait, again := retry(err, try)
		if !again || !r.MayRetry() || !m.budget.Spend() {
			return reply, err.public()
		}
		if err := m.sleep(ctx, wait); err != nil {
			return reply, err
		}
		if !r.MayRetry() { // others have found out meanwhile that the server is down
			return reply, err.public()
		}
	}
}

// adapt asks, and asks again at once without what the server says it does not know. Each quirk is learnt once, so
// there are at most as many extra calls as quirks in the life of an endpoint.
func (m *Model) adapt(ctx context.Context, r llm.Request) (llm.Reply, *failure) {
	for {
		without := m.learnt()
		reply, err := m.once(ctx, r, without)
		if err == nil || err.quirk == none || without[err.quirk] {
			return reply, err
		}
		m.lacks[err.quirk].Store(true)
	}
}

// learnt is what to leave out now; other calls may learn more meanwhile.
func (m *Model) learnt() (without [quirks]bool) {
	for q := range without {
		without[q] = m.lacks[q].Load()
	}
	return without
}

// once makes one HTTP call if the budget has room for it, and says what it did cost. This is the one place where money is
// spent: retries, adaptations and fallbacks all come through here.
func (m *Model) once(ctx context.Context, r llm.Request, without [quirks]bool) (llm.Reply, *failure) {
	if r.Reserve == nil {
		return m.call(ctx, r, without)
	}
	tokens := r.Tokens()
	settle, err := r.Reserve(ctx, tokens)
	if err != nil {
		return llm.Reply{}, &failure{Error: *llm.AsError(err), quirk: none}
	}
	used := tokens // also if call panics
	defer func() { settle(used) }()
	reply, failed := m.call(ctx, r, without)
	used = cost(reply, failed, tokens)
	return reply, failed
}

// cost is what a call is counted as: the usage reported; nothing if it was certainly not charged; and everything that was
// reserved where it may have been: no answer came in time, the connection broke, a gateway lost it, or an answer came
// without its usage.
func cost(reply llm.Reply, failed *failure, reserved int) int {
	switch {
	case reply.TokensIn+reply.TokensOut > 0:
		return reply.TokensIn + reply.TokensOut
	case failed == nil || failed.Status == http.StatusOK || failed.charged:
		return reserved
	}
	return 0
}

// call makes one HTTP call. The order of checks: status, choices, finish reason, refusal, content.
func (m *Model) call(ctx context.Context, r llm.Request, without [quirks]bool) (llm.Reply, *failure) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	begun := time.Now()
	q := m.request(r, without)
	res, err := m.client.CreateChatCompletion(written(ctx, &q), q)
	reply := llm.Reply{
		Model: res.Model, Endpoint: m.endpoint, Fingerprint: res.SystemFingerprint,
		TokensIn: res.Usage.PromptTokens, TokensOut: res.Usage.CompletionTokens,
		RequestID: res.Header().Get("X-Request-Id"), Latency: time.Since(begun),
		Simulated: res.Header().Get("X-Aftercall-Simulated") == "true" || strings.HasPrefix(res.Model, "simulated"),
	}
	if d := res.Usage.PromptTokensDetails; d != nil {
		reply.TokensCached = d.CachedTokens
	}
	if err != nil {
		return reply, classify(err, res.Header(), ctx.Err() != nil).with(reply)
	}
	if len(res.Choices) == 0 {
		return reply, fail(llm.BadReply, http.StatusOK, "the answer has no choices").with(reply)
	}
	choice := res.Choices[0]
	reply.FinishReason = string(choice.FinishReason)
	switch {
	case choice.FinishReason == goopenai.FinishReasonLength:
		return reply, fail(llm.Truncated, http.StatusOK, "the answer was cut off at its token limit").with(reply)
	case choice.FinishReason == goopenai.FinishReasonContentFilter:
		return reply, fail(llm.Refused, http.StatusOK, "a content filter held the answer back").with(reply)
	case choice.Message.Refusal != "":
		return reply, fail(llm.Refused, http.StatusOK, "the model refused").with(reply)
	}
	reply.Content = choice.Message.Content // an empty one is an answer, too: waiting would not fill it
	return reply, nil
}

// request puts a question into the words this endpoint understands.
func (m *Model) request(r llm.Request, without [quirks]bool) goopenai.ChatCompletionRequest {
	q := goopenai.ChatCompletionRequest{Model: m.model, Messages: make([]goopenai.ChatCompletionMessage, 0, len(r.Messages)+1)}
	for _, msg := range r.Messages {
		q.Messages = append(q.Messages, goopenai.ChatCompletionMessage{Role: msg.Role, Content: msg.Content})
	}
	shape(&q, r, without)
	if without[maxCompletion] {
		//lint:ignore SA1019 servers that do not know max_completion_tokens know only this one
		q.MaxTokens = r.MaxTokens
	} else {
		q.MaxCompletionTokens = r.MaxTokens
	}
	if !without[temperature] && !reasons(m.model) {
		q.Temperature = math.SmallestNonzeroFloat32 // 0 would be left out of the request
	}
	if !without[seed] {
		one := 1
		q.Seed = &one
	}
	if !without[user] {
		// go-openai cannot send prompt_cache_key; user routes equal beginnings to the same cache as well.
		q.User = digest(r.CacheKey)
	}
	return q
}

// shape asks for the schema: strictly, or, where the server knows no schemas, as a JSON object described in the prompt.
// The description goes behind the last system message, so that what stays the same still comes first.
func shape(q *goopenai.ChatCompletionRequest, r llm.Request, without [quirks]bool) {
	if len(r.Schema) == 0 {
		return
	}
	if !without[schemas] {
		q.ResponseFormat = &goopenai.ChatCompletionResponseFormat{
			Type:       goopenai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &goopenai.ChatCompletionResponseFormatJSONSchema{Name: r.SchemaName, Schema: r.Schema, Strict: true},
		}
		return
	}
	if !without[objects] {
		q.ResponseFormat = &goopenai.ChatCompletionResponseFormat{Type: goopenai.ChatCompletionResponseFormatTypeJSONObject}
	}
	text := "Answer with one JSON object and nothing else. It must have exactly this shape, as a JSON schema:\n" + string(r.Schema)
	for i := len(q.Messages) - 1; i >= 0; i-- {
		if q.Messages[i].Role == goopenai.ChatMessageRoleSystem {
			q.Messages[i].Content += "\n\n" + text
			return
		}
	}
	q.Messages = append([]goopenai.ChatCompletionMessage{{Role: goopenai.ChatMessageRoleSystem, Content: text}}, q.Messages...)
}

// reasons reports whether the model is one of those that refuse a temperature; go-openai checks some of them itself.
func reasons(model string) bool {
	for _, p := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(model, p) {
			return true
		}
	}
	return false
}

// retry says whether a failed call is worth another try here, and after what wait: never less than the server asked
// for, and with jitter, so that callers who failed together do not return together.
func retry(f *failure, try int) (time.Duration, bool) {
	if try >= mostRetries || !f.again || f.After > longestPause {
		return 0, false
	}
	wait := f.After
	if wait == 0 {
		wait = firstPause << try
	}
	return wait + rand.N(wait/4+50*time.Millisecond), true
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
