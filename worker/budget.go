package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"aftercall/automation"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// Budget is what an account may spend on the model in a day of its own time zone.
type Budget struct {
	Tokens int    // 0: no limit
	SetBy  string // where the limit stands, for whoever wants to raise it
	zone   *time.Location
}

// BudgetOf is the lower of the account's own limit and the operator's for every account, of which 0 is none.
func BudgetOf(rev *automation.Revision, tokensPerDay int) Budget {
	b := Budget{Tokens: tokensPerDay, SetBy: "AFTERCALL_TOKENS_PER_DAY", zone: rev.Location}
	if own := rev.TokensPerDay; own > 0 && (b.Tokens <= 0 || own <= b.Tokens) {
		b.Tokens, b.SetBy = own, "budget in account.yaml"
	}
	return b
}

// Day is the account's day at a time: 2026-11-21.
func (b Budget) Day(now time.Time) string { return now.In(b.zone).Format(time.DateOnly) }

// Amount writes a number of tokens so that it can be read: 2,000,000.
func Amount(tokens int) string {
	s := strconv.Itoa(tokens)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// whenOthersSettle is how soon a call is tried again that waits for tokens other calls have reserved.
const whenOthersSettle = 5 * time.Second

// settleTimeout bounds the settlement of a call. It is made even if the job is being stopped.
const settleTimeout = 10 * time.Second

// Purses hands out what calls to the model are paid from, whether a worker makes them or an author who tries a config.
type Purses struct {
	Store        *store.Store
	Revisions    *Revisions
	Logger       *slog.Logger
	TokensPerDay int // the operator's limit for every account; 0: none
	Now          func() time.Time
	Signals      *signals.Signals
}

// Of gives what the interview pays from, or nil for an account without a limit, which then costs nothing. The limit is
// that of the config which is active now, not of the one the conversation is pinned to: raising it must help at once.
func (p *Purses) Of(rev *automation.Revision) llm.Reserve {
	if now, ok := p.Revisions.Active(rev.AccountID); ok {
		rev = now
	}
	budget := BudgetOf(rev, p.TokensPerDay)
	if budget.Tokens <= 0 {
		return nil
	}
	return func(ctx context.Context, tokens int) (func(int), error) {
		r := store.Reservation{AccountID: rev.AccountID, Day: budget.Day(p.Now()), Tokens: tokens, Limit: budget.Tokens}
		at, err := p.Store.Reserve(ctx, r)
		switch {
		case err != nil: // without its budget nobody is asked; the database is away, so the job would not get far either
			return nil, &llm.Error{Kind: llm.Busy, After: whenOthersSettle, Detail: "the account's budget could not be read"}
		case at.Granted:
			p.Signals.Reservation(signals.Granted)
			p.tell(ctx, r, budget, at)
			return func(used int) { p.settle(ctx, r, budget, used) }, nil
		case at.Wait:
			p.Signals.Reservation(signals.Busy)
			return nil, &llm.Error{Kind: llm.Busy, After: whenOthersSettle,
				Detail: "other calls of the account have reserved the rest of its budget for today"}
		}
		p.Signals.Reservation(signals.Spent)
		p.tell(ctx, r, budget, at)
		return nil, &llm.Error{Kind: llm.Spent, Detail: fmt.Sprintf("The account's %s model tokens for %s are used up (set by %s).",
			Amount(r.Limit), r.Day, budget.SetBy)}
	}
}

// settle says what a call did cost. If that cannot be written, its reservation stands, which errs on the safe side.
func (p *Purses) settle(ctx context.Context, r store.Reservation, b Budget, used int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	at, err := p.Store.Settle(ctx, r, used)
	if err != nil {
		p.Logger.WarnContext(ctx, "a model call's tokens stay reserved for the day", "account_id", r.AccountID, "tokens", r.Tokens, "error", err)
		return
	}
	p.tell(ctx, r, b, at)
}

// tell writes the alert of a mark, which the ledger of the day gives to one caller only.
func (p *Purses) tell(ctx context.Context, r store.Reservation, b Budget, at store.Standing) {
	attrs := []slog.Attr{
		slog.String("account_id", r.AccountID), slog.String("day", r.Day), slog.Int("tokens_per_day", r.Limit),
		slog.Int("tokens_spent", at.Spent), slog.String("set_by", b.SetBy),
	}
	if at.Passed != "" {
		p.Signals.BudgetMark(string(at.Passed))
	}
	switch at.Passed {
	case store.Warned:
		p.Logger.LogAttrs(ctx, slog.LevelWarn, "an account has used 80 % of its model budget for today", append(attrs,
			slog.String("what_to_do", "raise the limit if today is an ordinary day; otherwise look where the calls come from"))...)
	case store.Stopped:
		p.Logger.LogAttrs(ctx, slog.LevelError, "an account has used up its model budget for today", append(attrs,
			slog.String("meanwhile", "calls are still accepted; automations that need no model go on; the others are decided as budget_exceeded, for a person to review"),
			slog.String("what_to_do", "raise the limit and activate the config (a setting: restart) to go on today, or leave it: tomorrow goes on by itself. "+
				"What was decided meanwhile is not read again"))...)
	}
}
