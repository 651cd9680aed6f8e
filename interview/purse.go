package interview

import (
	"context"
	"fmt"

	"aftercall/internal/llm"
	"aftercall/reason"
)

// purse is tokens set aside for all windows of a transcript at once. If each window had to find its own, many long calls
// would each begin, use up the account's day between them, and none would be read to its end.
type purse struct {
	outer      llm.Reserve
	left, used int
}

// window is the i-th part of a sheet that is read in windows.
func window(s Sheet, i int, turns []piece) ask {
	return ask{part: fmt.Sprintf("%s/w%d", s.Key, i+1), purpose: purposeInterview, sheet: s, turns: turns}
}

// setAside reserves what reading the windows may cost that were not read yet, for the calls from now on until settle.
func (x *exchange) setAside(ctx context.Context, s Sheet, all [][]piece) (settle func(), err error) {
	if x.reserve == nil {
		return func() {}, nil
	}
	p, l := &purse{outer: x.reserve}, x.laid(s)
	for i, turns := range all {
		if _, read := x.recalled[x.kept(window(s, i, turns))]; !read {
			p.left += x.form.request(l, turns, "", x.limits.AnswerTokens).Tokens()
		}
	}
	if p.left == 0 {
		return func() {}, nil
	}
	back, err := p.outer(ctx, p.left)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, unasked(llm.AsError(err))
	}
	x.reserve = p.reserve
	return func() {
		x.reserve = p.outer
		back(p.used)
	}, nil
}

// reserve pays from what was set aside; what that does not do for, a repair say, has to be found beside it.
func (p *purse) reserve(ctx context.Context, tokens int) (func(int), error) {
	if tokens > p.left {
		return p.outer(ctx, tokens)
	}
	p.left -= tokens
	return func(used int) {
		p.used += used
		p.left += tokens - used
	}, nil
}

// unasked is what follows from a budget that has no room: a decision if it is spent, and patience otherwise.
func unasked(e *llm.Error) error {
	if e.Waits() {
		return e
	}
	return &failure{reason.BudgetExceeded, e.Detail}
}
