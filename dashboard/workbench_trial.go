package dashboard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/interview"
	"aftercall/worker"
)

// tryTime bounds one try, the model's answer included. It is shorter than the server's deadline for writing.
const tryTime = 50 * time.Second

// triesUnderWay is how many tries of one process may ask the model at once.
const triesUnderWay = 4

// trial rehearses calls on the process's own model, as often as an author types and as seldom as the prompt changes. Its
// answers are kept in the process: what is asked again in the same words is not paid again.
type trial struct {
	model   llm.Model // nil: nobody is asked here
	purses  *worker.Purses
	answers *answers
	turns   *turns
	places  chan struct{}
}

func newTrial(m llm.Model, p *worker.Purses) *trial {
	return &trial{model: m, purses: p, answers: newAnswers(), turns: newTurns(), places: make(chan struct{}, triesUnderWay)}
}

// spent is what a try did cost.
type spent struct {
	Model             string // who answered last
	Asked, Remembered int    // calls made now, and answers given before
	In, Out           int    // tokens of the calls made now
}

// run rehearses one call under a draft's revision. Tries of one session wait for each other, so that typing never has two
// questions under way.
func (t *trial) run(ctx context.Context, session string, c *conversation.Conversation, rev *automation.Revision) (worker.Rehearsal, spent, error) {
	leave, err := t.turns.take(ctx, session)
	if err != nil {
		return worker.Rehearsal{}, spent{}, err
	}
	defer leave()
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return worker.Rehearsal{}, spent{}, ctx.Err()
	}
	reserve, err := t.reserve(rev)
	if err != nil {
		return worker.Rehearsal{}, spent{}, err
	}
	a := &asker{model: t.model, answers: t.answers, reserve: reserve}
	r, err := worker.Rehearse(ctx, interview.NewInterviewer(a, forgetful{}, interview.Limits{}), c, rev, c.EndedAt)
	return r, a.spent, err
}

// reserve gives what the try is paid from: the budget of the account that the draft names. Under a limit for every account
// there is none for an account that is not installed, or a made-up name would be a way around it.
func (t *trial) reserve(rev *automation.Revision) (llm.Reserve, error) {
	if _, installed := t.purses.Revisions.Active(rev.AccountID); installed {
		return t.purses.Of(rev), nil
	}
	if t.purses.TokensPerDay > 0 {
		return nil, &postedError{http.StatusForbidden, "The account this draft names has no config here, so there is no budget to pay the model from.",
			"Name an account of this installation, or activate the new one first."}
	}
	return nil, nil
}

// asker is the model of one try: it looks among the answers before it asks, and pays when it does.
type asker struct {
	model   llm.Model
	answers *answers
	reserve llm.Reserve
	spent   spent
}

// Complete gives the answer there is, or asks for one.
func (a *asker) Complete(ctx context.Context, q llm.Request) (llm.Reply, error) {
	at := interview.PromptHash(q)
	if known, ok := a.answers.find(at); ok {
		a.spent.Remembered++
		a.spent.Model = known.reply.Model
		return known.reply, known.err
	}
	q.Reserve = a.reserve
	reply, err := a.model.Complete(ctx, q)
	if err != nil {
		e := llm.AsError(err)
		if ctx.Err() == nil && !e.Waits() && !e.Unasked() { // it says something of the prompt, and would again
			a.answers.keep(at, ending{reply, err})
		}
		return reply, err
	}
	a.spent.Asked++
	a.spent.Model, a.spent.In, a.spent.Out = reply.Model, a.spent.In+reply.TokensIn, a.spent.Out+reply.TokensOut
	a.answers.keep(at, ending{reply, nil})
	return reply, nil
}

// forgetful is the memory of an interview that is never continued: the answers are kept by their prompts instead, because
// with every letter typed the revision is another.
type forgetful struct{}

// Recall knows nothing.
func (forgetful) Recall(context.Context, string, string) (map[string][]byte, error) {
	return map[string][]byte{}, nil
}

// Record keeps nothing.
func (forgetful) Record(_ context.Context, c interview.Call) ([]byte, error) {
	if !c.Valid {
		return nil, nil
	}
	return c.Answer, nil
}

// ending is how a question ended.
type ending struct {
	reply llm.Reply
	err   error
}

// mostAnswers bounds what is remembered, in bytes of answers and a little for each.
const mostAnswers = 16 << 20

// answers remembers how questions ended, the oldest forgotten first. It is safe for concurrent use.
type answers struct {
	mu sync.Mutex
	by *shelf[ending]
}

func newAnswers() *answers { return &answers{by: newShelf[ending](mostAnswers)} }

func (a *answers) find(prompt string) (ending, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by.find(prompt)
}

func (a *answers) keep(prompt string, how ending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by.keep(prompt, how, len(how.reply.Content)+512)
}

// mostLetters bounds the rendered messages that are kept to be shown in their frames, in bytes.
const mostLetters = 16 << 20

// letters keeps rendered HTML for the frames that show it: a frame needs an address of its own to have a policy of its own.
// It is named by its content and by whoever it was rendered for, so an unchanged message keeps its frame and nobody else
// finds it.
type letters struct {
	mu sync.Mutex
	by *shelf[letter]
}

type letter struct{ owner, html string }

func newLetters() *letters { return &letters{by: newShelf[letter](mostLetters)} }

// keep gives the address of a message's HTML; "" for none.
func (l *letters) keep(owner, html string) string {
	if html == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(owner + "\x00" + html))
	id := hex.EncodeToString(sum[:])
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by.keep(id, letter{owner, html}, len(html))
	return "/workbench/messages/" + id
}

func (l *letters) find(owner, id string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept, ok := l.by.find(id)
	return kept.html, ok && kept.owner == owner
}
