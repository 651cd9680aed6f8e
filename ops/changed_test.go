package ops_test

import (
	"strings"
	"testing"
	"time"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/reason"
)

// TestAReplayByAChangedConfigSendsNothingAgain: whatever the author has done to the actions, what went out to somebody goes
// out once more only if a person says so.
func TestAReplayByAChangedConfigSendsNothingAgain(t *testing.T) {
	t.Parallel()
	const log = `      - email: { to: [log@acme.example], subject: "Call", body: "A call." }` + "\n"
	const late = `      - email: { to: [late@acme.example], subject: "Later", body: "A call, an hour ago.", send: { after: 1h } }` + "\n"
	swapped := strings.Replace(config, log+late, late+log, 1)
	for name, c := range map[string]struct {
		config     string
		automation string
		action     int
		want       reason.Code
	}{
		"in another order":                {swapped, "every-call", 1, reason.SentBefore},
		"in another order, reworded":      {strings.Replace(swapped, "A call.", "There was a call.", 1), "every-call", 1, reason.PerhapsSentBefore},
		"behind a new one":                {strings.Replace(config, log, strings.Replace(log, "A call.", "Look at this.", 1)+log, 1), "every-call", 0, reason.PerhapsSentBefore},
		"by another name, reordered":      {strings.Replace(swapped, "id: every-call", "id: each-call", 1), "each-call", 1, reason.PerhapsSentBefore},
		"to a person of the same address": {strings.NewReplacer("people: {", "people: { log: { name: Log, email: log@acme.example },", "to: [log@acme.example]", "to: [log]", log+late, late+strings.Replace(log, "log@acme.example", "log", 1)).Replace(config), "every-call", 1, reason.SentBefore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			id := d.call("Hello.").Conversation.ID
			d.activate("acme", c.config)
			p, err := d.Rehearse(t.Context(), "acme", id, ops.Active, false)
			d.must(err)
			if p.Goes() != 0 {
				t.Errorf("%d would go: %+v", p.Goes(), p.Deliveries)
			}
			run, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Active, false)
			d.must(err)
			x := d.of(d.settled(id), run, c.automation, c.action)
			d.is(x, store.Skipped)
			if x.Reason != c.want || d.mail.to("log@acme.example") != 1 {
				t.Errorf("%s (%s), %d mails", x.Reason, x.Detail, d.mail.to("log@acme.example"))
			}
			_, err = d.Resend(t.Context(), d.by(), "acme", x.ID)
			if c.want == reason.SentBefore {
				d.refused(err, "nothing to send again")
				return
			}
			d.must(err)
			d.settled(id)
			d.ahead.Store(int64(time.Hour))
			_, err = d.Resend(t.Context(), d.by(), "acme", x.ID)
			d.refused(err, "sent again already")
			_, err = d.Replay(t.Context(), d.by(), "acme", id, ops.Same, false)
			d.must(err)
			d.settled(id)
			if n := d.mail.to("log@acme.example"); n != 2 {
				t.Errorf("%d mails, want the first and the one that a person wanted", n)
			}
			d.balanced()
		})
	}
}
