package openai_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
)

// purse notes what is reserved and what each reservation was settled to; it refuses when it has handed out most.
type purse struct {
	reserved, settled []int
	most              int
}

func (p *purse) reserve(_ context.Context, tokens int) (func(int), error) {
	if p.most > 0 && len(p.reserved) == p.most {
		return nil, &llm.Error{Kind: llm.Spent, Detail: "used up"}
	}
	p.reserved = append(p.reserved, tokens)
	return func(used int) { p.settled = append(p.settled, used) }, nil
}

// TestEveryRequestIsPaidFor: each single request reserves, retries included, and is settled to what the provider may have
// charged for it.
func TestEveryRequestIsPaidFor(t *testing.T) {
	t.Parallel()
	q := question()
	whole := q.Tokens()
	fine := step{200, nil, answer("{}", "", "stop"), false, false}
	const used = 2079 + 14
	silent := fine
	silent.body = strings.Replace(strings.Replace(fine.body, `"prompt_tokens": 2079`, `"prompt_tokens": 0`, 1), `"completion_tokens": 14`, `"completion_tokens": 0`, 1)
	for _, c := range []struct {
		name  string
		steps []step
		want  []int
	}{
		{"an answer costs what it says", []step{fine}, []int{used}},
		{"an answer that says nothing costs what was reserved", []step{silent}, []int{whole}},
		{"a truncated answer is charged", []step{{200, nil, answer(`{"`, "", "length"), false, false}}, []int{used}},
		{"a refusal is charged", []step{{200, nil, answer("", "no", "stop"), false, false}}, []int{used}},
		{"busy, in trouble, answered", []step{{429, nil, "{}", false, false}, {503, nil, "", false, false}, fine}, []int{0, 0, used}},
		{"a gateway that lost the answer, a broken connection, answered",
			[]step{{502, nil, "", false, false}, {200, nil, `{"id":"x","choi`, false, true}, fine}, []int{whole, whole, used}},
		{"not accepted", []step{{400, nil, `{"error":"boom"}`, false, false}}, []int{0}},
		{"no key", []step{{401, nil, "{}", false, false}}, []int{0}},
		{"no completion", []step{{200, nil, "<html>", false, false}}, []int{whole}},
		{"a redirect", []step{{302, map[string]string{"Location": "https://elsewhere.example/"}, "", false, false}}, []int{0}},
		{"what it does not know is left out, and asked again", []step{{400, nil, apiError("no", "", "seed", "unsupported_parameter"), false, false}, fine}, []int{0, used}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, q := &purse{}, q
			q.Reserve = p.reserve
			s := serve(t, c.steps...)
			m, _ := s.model(t)
			_, _ = m.Complete(t.Context(), q) // how it ends is tested elsewhere
			if !slices.Equal(p.settled, c.want) || len(p.reserved) != len(s.requests()) {
				t.Errorf("%d requests reserved %v and settled %v, want %v", len(s.requests()), p.reserved, p.settled, c.want)
			}
			for _, n := range p.reserved {
				if n != whole {
					t.Errorf("reserved %d, want %d", n, whole)
				}
			}
		})
	}
}

func TestNobodyKnowsWhatATimeoutCost(t *testing.T) {
	t.Parallel()
	p, q := &purse{}, question()
	q.Reserve = p.reserve
	s := serve(t, step{hang: true})
	m, _ := s.model(t, func(c *openai.Config) { c.Timeout = 20 * time.Millisecond })
	_, _ = m.Complete(t.Context(), q)
	if !slices.Equal(p.settled, []int{q.Tokens()}) {
		t.Errorf("a timeout was settled to %v, want everything reserved: %d", p.settled, q.Tokens())
	}
}

func TestNobodyReachedCostsNothing(t *testing.T) {
	t.Parallel()
	p, q := &purse{}, question()
	q.Reserve = p.reserve
	s := serve(t, step{status: 200})
	m, _ := s.model(t)
	s.Close()
	_, _ = m.Complete(t.Context(), q)
	if len(p.settled) == 0 || slices.Max(p.settled) != 0 {
		t.Errorf("a server nobody could connect to was settled to %v, want nothing", p.settled)
	}
}

func TestARefusedReservationAsksNobody(t *testing.T) {
	t.Parallel()
	p, q := &purse{most: 1}, question()
	q.Reserve = p.reserve
	s := serve(t, step{503, nil, "", false, false})
	m, _ := s.model(t)
	_, err := m.Complete(t.Context(), q)
	if e := llm.AsError(err); e.Kind != llm.Spent || e.Waits() || len(s.requests()) != 1 {
		t.Errorf("%v after %d requests; want the retry to be refused", err, len(s.requests()))
	}
}
