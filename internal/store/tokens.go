package store

import (
	"context"
	"fmt"
	"slices"

	"aftercall/internal/store/db"
	"aftercall/interview"
)

// share is what an automation pays of a model's calls.
type share struct{ account, automation, model string }

// tokens are what calls took.
type tokens struct{ in, cached, out int64 }

// shares splits what each call took among the automations that its sheet was for, in equal parts; what does not divide
// goes to the first of them, so that the parts add up.
func shares(calls []interview.Call) map[share]tokens {
	all := map[share]tokens{}
	for _, c := range calls {
		whole := tokens{int64(c.Reply.TokensIn), int64(c.Reply.TokensCached), int64(c.Reply.TokensOut)}
		if whole == (tokens{}) {
			continue
		}
		of := c.For
		if len(of) == 0 {
			of = []string{""}
		}
		n := int64(len(of))
		for i, automation := range of {
			part := tokens{whole.in / n, whole.cached / n, whole.out / n}
			if i == 0 {
				part = tokens{part.in + whole.in%n, part.cached + whole.cached%n, part.out + whole.out%n}
			}
			key := share{c.AccountID, automation, clean(c.Reply.Model)}
			sum := all[key]
			all[key] = tokens{sum.in + part.in, sum.cached + part.cached, sum.out + part.out}
		}
	}
	return all
}

// addTokens counts what calls took, in the transaction that records them.
func addTokens(ctx context.Context, q *db.Queries, lane int16, calls []interview.Call) error {
	all := shares(calls)
	keys := make([]share, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b share) int {
		return slices.Compare([]string{a.account, a.automation, a.model}, []string{b.account, b.automation, b.model})
	})
	p := db.AddTokensParams{Lane: lane}
	for _, key := range keys {
		sum := all[key]
		p.AccountIds, p.Automations, p.Models = append(p.AccountIds, key.account), append(p.Automations, key.automation), append(p.Models, key.model)
		p.TokensIn, p.TokensCached = append(p.TokensIn, sum.in), append(p.TokensCached, sum.cached)
		p.TokensOut = append(p.TokensOut, sum.out)
	}
	if len(keys) == 0 {
		return nil
	}
	if err := q.AddTokens(ctx, p); err != nil {
		return fmt.Errorf("count tokens: %w", err)
	}
	return nil
}
