package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/rehearsal"
	"aftercall/triggers"
	"aftercall/variables"
)

// why prints what happened to one conversation, automation by automation, and why.
func why(flags *flag.FlagSet) action {
	account := flags.String("account", "", "the `account`, where an id exists in several")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) < 1 || len(args) > 2 {
			return wrong("name a conversation, and an automation if you want only that one; flags come first")
		}
		only := ""
		if len(args) == 2 {
			only = args[1]
		}
		db, err := openStore(ctx, c)
		if err != nil {
			return err
		}
		defer db.Close()
		story, err := find(ctx, db, *account, args[0])
		if err != nil {
			return err
		}
		return tell(c.out, story, only)
	}
}

// find loads the story of a conversation, in one account or in any if account is "".
func find(ctx context.Context, db *store.Store, account, id string) (store.Story, error) {
	in, ours, err := db.FindConversation(ctx, account, id)
	if errors.Is(err, store.ErrNotFound) && uuid.Validate(id) == nil {
		if gone, lost := db.Erased(ctx, account, id); lost == nil {
			return store.Story{}, fmt.Errorf("conversation %s was erased on %s (%s); only that is known of it", id, stamp(gone.At), gone.Cause)
		}
	}
	switch {
	case errors.Is(err, store.ErrNotFound) && account != "":
		return store.Story{}, fmt.Errorf("there is no conversation %q in account %s; the pages list every call with its id", id, account)
	case errors.Is(err, store.ErrNotFound):
		return store.Story{}, fmt.Errorf("there is no conversation %q; the pages list every call with its id", id)
	case errors.Is(err, store.ErrAmbiguous):
		return store.Story{}, fmt.Errorf("several accounts have a conversation %q: name one with --account, before the id", id)
	case err != nil:
		return store.Story{}, err
	}
	return db.Story(ctx, in, ours)
}

// tell writes a story as text; only one automation of it if only is set.
func tell(w io.Writer, s store.Story, only string) error {
	t := teller{w: w, s: s}
	t.head()
	t.runs()
	found := false
	for _, d := range s.Decisions {
		if only == "" || d.Automation == only {
			found = true
			t.decision(d)
		}
	}
	if only != "" && !found {
		return fmt.Errorf("conversation %s has no decision about %q; it has: %s", plain(s.Conversation.ExternalID), only, t.names())
	}
	if only == "" {
		t.values()
	}
	return nil
}

// teller writes one story.
type teller struct {
	w io.Writer
	s store.Story
}

func (t teller) head() {
	c := t.s.Conversation
	fmt.Fprintf(t.w, "conversation %s  (%s)\n", plain(c.ExternalID), c.ID)
	fmt.Fprintf(t.w, "  %s · agent %s · %s\n", t.s.AccountID, plain(c.Agent.Name), facts(c))
	fmt.Fprintf(t.w, "  %s", t.s.State)
	if n := len(t.s.Calls); n > 0 {
		fmt.Fprintf(t.w, " · %d model %s", n, plural(n, "call"))
	}
	if t.s.Simulated {
		fmt.Fprint(t.w, " · answered by the SIMULATED model")
	}
	fmt.Fprintf(t.w, " · revision %.12s\n", t.s.Digest)
	for _, b := range t.s.Beside {
		alone := ""
		if b.Alone {
			alone = ", which nobody waits for"
		}
		fmt.Fprintf(t.w, "  same call: %s, %s%s  (%s)\n", plain(b.What), b.At.Format("2006-01-02 15:04:05 MST"), alone, b.ID)
	}
}

// runs prints the runs that people asked for, the newest first.
func (t teller) runs() {
	for _, r := range t.s.Runs {
		fmt.Fprintf(t.w, "  run %d: %s of run %d", r.Run, r.Cause, r.OfRun)
		if r.Automation != "" {
			fmt.Fprintf(t.w, ", %s", r.Automation)
		}
		if r.Sandbox {
			fmt.Fprint(t.w, ", in a sandbox")
		}
		fmt.Fprintf(t.w, ", by %s: %s", plain(r.By), r.State)
		if r.Problem != "" {
			fmt.Fprintf(t.w, ". %s", plain(r.Problem))
		}
		fmt.Fprintln(t.w)
	}
}

// plain keeps what a caller or a provider wrote on its line of the terminal and in its direction: control characters, the
// escape of terminals among them, and line breaks of any kind become spaces; what turns the direction of text goes.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		}
		return r
	}, s)
}

func facts(c *conversation.Conversation) string {
	parts := []string{string(c.Channel)}
	if c.Direction != "" {
		parts = append(parts, string(c.Direction))
	}
	d := c.Duration()
	if c.Event != nil {
		parts = append(parts, "event "+plain(c.Event.Type), c.StartedAt.UTC().Format("2006-01-02 15:04:05 MST"))
		return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
	}
	parts = append(parts, string(c.Status), c.StartedAt.UTC().Format("2006-01-02 15:04 MST"),
		fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60), fmt.Sprintf("%d turns", len(c.Turns)))
	return strings.Join(parts, " · ")
}

func (t teller) decision(d store.StoryDecision) {
	fmt.Fprintf(t.w, "\n%s: %s", d.Automation, d.Verdict)
	switch {
	case d.Settled != nil:
		fmt.Fprintf(t.w, ", %s by %s", d.Settled.As, plain(d.Settled.By))
	case d.Review:
		fmt.Fprint(t.w, ", needs review")
	}
	if d.Run > 1 {
		fmt.Fprintf(t.w, " (run %d)", d.Run)
	}
	fmt.Fprintf(t.w, "\n  %s: %s\n", d.Reason, d.Reason.Sentence())
	if d.Detail != "" {
		fmt.Fprintf(t.w, "  %s\n", plain(d.Detail))
	}
	for _, e := range d.Evidence {
		fmt.Fprintf(t.w, "  turn %d, %s: “%s”\n", e.Turn, speaker(t.s.Conversation, e), plain(e.Quote))
	}
	if d.Verdict != triggers.Fires {
		fmt.Fprintf(t.w, "  remedy: %s\n", d.Reason.Remedy())
		return
	}
	for _, x := range t.s.Deliveries {
		if x.Automation == d.Automation && x.Run == d.Run {
			t.delivery(x)
		}
	}
}

// values prints what is known of the dyn_ variables: what was stated and where, what was not, and what did not pass.
func (t teller) values() {
	if len(t.s.Values) == 0 {
		return
	}
	fmt.Fprint(t.w, "\nvariables\n")
	known := map[string]bool{}
	for _, told := range t.s.Values { // the latest run's first
		v := told.Is
		if known[v.Name] {
			continue
		}
		known[v.Name] = true
		fmt.Fprintf(t.w, "  %s", v.Name)
		switch {
		case v.Status == variables.Stated:
			fmt.Fprintf(t.w, " = %s (turn %d: “%s”)", plain(v.Value), v.Evidence.Turn, plain(v.Evidence.Quote))
		case v.Present():
			fmt.Fprintf(t.w, " = %s (%s)", plain(v.Value), v.Status)
		default:
			fmt.Fprintf(t.w, ": %s", v.Status)
		}
		if v.Problem != "" {
			fmt.Fprintf(t.w, ": %s", plain(v.Problem))
		}
		fmt.Fprintln(t.w)
	}
}

func (t teller) delivery(x store.StoryDelivery) {
	became := outcome(x)
	fmt.Fprintf(t.w, "  %s → %s: %s", x.Channel, whom(x), became)
	if x.Provider != "" && became == string(x.State) { // the other words say where it went
		fmt.Fprintf(t.w, " (%s)", x.Provider)
	}
	if x.Content.Subject != "" {
		fmt.Fprintf(t.w, " “%s”", plain(x.Content.Subject))
	}
	if x.State == store.Planned || x.State == store.Retrying {
		fmt.Fprintf(t.w, ", due %s", x.DueAt.UTC().Format(time.RFC3339))
	}
	fmt.Fprintln(t.w)
	if x.Reason != "" {
		fmt.Fprintf(t.w, "    %s: %s\n", x.Reason, x.Reason.Sentence())
		if x.State != store.Sent {
			fmt.Fprintf(t.w, "    remedy: %s\n", x.Reason.Remedy())
		}
	}
	if x.Detail != "" {
		fmt.Fprintf(t.w, "    %s\n", plain(x.Detail))
	}
	for _, a := range x.Attempts {
		if a.State != store.Sent {
			fmt.Fprintf(t.w, "    attempt %d: %s %s %s\n", a.Attempt, a.State, a.Class, plain(a.Detail))
		}
	}
}

func (t teller) names() string {
	var names []string
	for _, d := range t.s.Decisions {
		names = append(names, d.Automation)
	}
	if len(names) == 0 {
		return "none yet; it is " + string(t.s.State)
	}
	return strings.Join(names, ", ")
}

func speaker(c *conversation.Conversation, e interview.Evidence) conversation.Role {
	if e.Turn < 1 || e.Turn > len(c.Turns) {
		return "nobody"
	}
	return c.Turns[e.Turn-1].Role
}

// explain says what a reason code or a delivery's state means, and what to do.
func explain(_ context.Context, c *console, args []string) error {
	if len(args) != 1 {
		return wrong("name one code of check or test, one reason code, or one state of a delivery")
	}
	if r, ok := automation.RuleOf(args[0]); ok {
		fmt.Fprint(c.out, r.Page)
		return nil
	}
	if page, ok := rehearsal.PageOf(args[0]); ok {
		fmt.Fprint(c.out, page)
		return nil
	}
	if r, ok := reason.Of(reason.Code(args[0])); ok {
		fmt.Fprintf(c.out, "%s (%s)\n%s\n%s\n", r.Code, r.Stage, r.Sentence, r.Remedy)
		return nil
	}
	if s, ok := reason.OfState(args[0]); ok {
		fmt.Fprintln(c.out, strings.TrimSpace(s.Word+" (state of a delivery)\n"+s.Sentence+"\n"+s.Remedy))
		return nil
	}
	var codes, states, rules []string
	for _, r := range slices.Concat(automation.Rules(), rehearsal.Rules()) {
		rules = append(rules, r.Code)
	}
	for _, r := range reason.All() {
		codes = append(codes, string(r.Code))
	}
	for _, s := range reason.States() {
		states = append(states, s.Word)
	}
	return fmt.Errorf("%q is neither a reason code nor a state nor a code of check or test; there are the codes: %s; the states: %s; and of check and test: %s",
		args[0], strings.Join(codes, ", "), strings.Join(states, ", "), strings.Join(rules, ", "))
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
