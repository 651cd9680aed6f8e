package dashboard

import (
	"fmt"
	"time"

	"aftercall/interview"
)

// callView is one model call.
type callView struct {
	Part, Purpose, Model, Endpoint string
	Simulated                      bool
	Outcome                        badge
	In, Cached, Out                int
	Took                           string
	At                             moment
	Prompt                         string // the beginning of the prompt's hash
}

// modelCalls lists the calls and sums their tokens up.
func modelCalls(cs []interview.Call, zone *time.Location) (views []callView, sum string) {
	in, cached, out := 0, 0, 0
	for _, c := range cs {
		in, cached, out = in+c.Reply.TokensIn, cached+c.Reply.TokensCached, out+c.Reply.TokensOut
		views = append(views, callView{
			Part: c.Part, Purpose: c.Purpose, Model: c.Reply.Model, Endpoint: c.Reply.Endpoint, Simulated: c.Reply.Simulated,
			Outcome: callBadge(c), In: c.Reply.TokensIn, Cached: c.Reply.TokensCached, Out: c.Reply.TokensOut,
			Took: c.Reply.Latency.Round(time.Millisecond).String(), At: at(c.At, zone), Prompt: shortDigest(c.PromptHash),
		})
	}
	if len(cs) == 0 {
		return nil, ""
	}
	return views, fmt.Sprintf("%s, %d tokens in (%d of them cached), %d out", count(len(cs), "call", "calls"), in, cached, out)
}

func callBadge(c interview.Call) badge {
	switch {
	case c.Valid:
		return badge{"valid", "check", "good"}
	case c.Status != 0:
		return badge{fmt.Sprintf("%s %d", words(or(c.ErrorKind, "failed")), c.Status), "cross", "bad"}
	}
	return badge{words(or(c.ErrorKind, "not valid")), "cross", "bad"}
}
