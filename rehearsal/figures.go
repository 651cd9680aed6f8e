package rehearsal

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// PrintReports writes what models made of one set, side by side: under each other, line by line. There is a price for each
// of them, one for all, or none.
func PrintReports(w io.Writer, reports []Report, prices []Price) error {
	for _, r := range reports {
		if r.Simulated {
			fmt.Fprintf(w, "%s is the SIMULATED model: plain lexical rules, no language model. Its figures say nothing about a real one.\n", r.Model)
		}
	}
	for _, r := range reports {
		fmt.Fprintf(w, "%s: %s, %s each; the first counts\n", r.Model, count(r.Conversations, "conversation"), tries(r.Tries))
		if r.Failures > 0 {
			fmt.Fprintf(w, "%s: about %d of them it could not be asked, and they are not counted; the first: %s\n", r.Model, r.Failures, plain(r.First.Error()))
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\ntrigger\tmodel\tfired right\twrong\tmissed\tsilent\tunsure\tprecision\trecall\n")
	for _, id := range ids(reports) {
		for _, r := range reports {
			g := r.trigger(id)
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n",
				id, r.Model, g.Right, g.Wrong, g.Missed, g.Silent, g.Unsure, g.Precision(), g.Recall())
		}
	}
	fmt.Fprint(t, "\nmodel\tvalues right\twrong\tmissed\tinvented\trightly absent\tquotes found\tflips\n")
	for _, r := range reports {
		v := r.Variables
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.Model, v.Right, v.Wrong, v.Missed, v.Invented, v.Absent, r.Quotes, r.flips())
	}
	fmt.Fprint(t, "\nmodel\tcalls\ttokens in\tout\tcost\tp50\tp95\n")
	for n, r := range reports {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", r.Model, r.Calls, r.TokensIn, r.TokensOut, priceOf(prices, n).of(r),
			r.P50.Round(time.Millisecond/10), r.P95.Round(time.Millisecond/10))
	}
	fmt.Fprint(t, "\nPrecision: of what fired, what should. Recall: of what should fire, what did. In brackets: where the true share lies in 95 of 100 sets like this.\n")
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

// ids are the triggers that any report speaks of.
func ids(reports []Report) []string {
	var all []string
	for _, r := range reports {
		for _, t := range r.Triggers {
			all = append(all, t.ID)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r Report) trigger(id string) Trigger {
	for _, t := range r.Triggers {
		if t.ID == id {
			return t
		}
	}
	return Trigger{ID: id}
}

// String gives a share as counts, per cent and interval: counts, because 19 of 20 is not 95 per cent.
func (s Share) String() string {
	if s.Of == 0 {
		return "none"
	}
	low, high := s.Wilson()
	return fmt.Sprintf("%d/%d %.0f%% [%.0f-%.0f]", s.Part, s.Of, 100*s.Value(), 100*low, 100*high)
}

func (r Report) flips() string {
	if r.Tries < 2 {
		return "one try only"
	}
	return r.Flips.String()
}

// Price is what a million tokens cost, in dollars. The zero Price is not known.
type Price struct{ In, Out float64 }

func priceOf(prices []Price, report int) Price {
	switch len(prices) {
	case 0:
		return Price{}
	case 1:
		return prices[0]
	}
	return prices[report]
}

func (p Price) of(r Report) string {
	if p == (Price{}) {
		return "no price given"
	}
	return fmt.Sprintf("$%.4f", (float64(r.TokensIn)*p.In+float64(r.TokensOut)*p.Out)/1e6)
}

// Below lists the triggers whose precision is under a bound. One that never fired has none.
func (r Report) Below(bound float64) (out []Trigger) {
	for _, t := range r.Triggers {
		if p := t.Precision(); p.Of > 0 && p.Value() < bound {
			out = append(out, t)
		}
	}
	return out
}
