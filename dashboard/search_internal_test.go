package dashboard

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

// summer is a Saturday noon in London.
var summer = time.Date(2026, time.August, 1, 11, 0, 0, 0, time.UTC)

func TestASearchIsTakenApart(t *testing.T) {
	t.Parallel()
	london := fixtureNames().zone()
	day := summer.Add(-24 * time.Hour)
	for typed, want := range map[string]store.ConversationQuery{
		"":                            {Since: day},
		"+44 7700 900123":             {Search: "+44 7700 900123"},
		"tel:+447700900123":           {Search: "tel:+447700900123"},
		"conv:2024:7":                 {Search: "conv:2024:7"},
		"outcome:failed":              {Outcome: store.OutcomeFailed, Since: day},
		"OUTCOME:Failed":              {Outcome: store.OutcomeFailed, Since: day},
		"automation:a outcome:none":   {Automation: "a", Outcome: store.OutcomeNone, Since: day},
		`agent:"Front desk" x y`:      {Agent: "Front desk", Search: "x y"},
		"state:waiting channel:chat":  {State: store.StateWaiting, Channel: "chat", Since: day},
		"after:any outcome:held":      {Outcome: store.OutcomeHeld},
		"after:today":                 {Since: time.Date(2026, 8, 1, 0, 0, 0, 0, london)},
		"after:yesterday":             {Since: time.Date(2026, 7, 31, 0, 0, 0, 0, london)},
		"after:90m":                   {Since: summer.Add(-90 * time.Minute)},
		"after:2w":                    {Since: summer.AddDate(0, 0, -14)},
		"before:2026-07-20":           {Since: time.Date(2026, 7, 19, 0, 0, 0, 0, london), Until: time.Date(2026, 7, 20, 0, 0, 0, 0, london)},
		"x before:2026-07-20T09:30":   {Search: "x", Until: time.Date(2026, 7, 20, 9, 30, 0, 0, london)},
		"x after:1d before:yesterday": {Search: "x", Since: summer.AddDate(0, 0, -1), Until: time.Date(2026, 7, 31, 0, 0, 0, 0, london)},
	} {
		s := readSearch(typed, summer, london)
		if typed == "x after:1d before:yesterday" { // it ends before it begins, and says so
			if len(s.problems) != 1 || !strings.Contains(s.problems[0], "earlier than before:") {
				t.Errorf("%q: %v", typed, s.problems)
			}
			continue
		}
		if diff := cmp.Diff(want, s.query); diff != "" || len(s.problems)+len(s.hints) > 0 {
			t.Errorf("%q: %s %v %v", typed, diff, s.problems, s.hints)
		}
	}
}

func TestABadSearchSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"outcome:faild":                  `outcome: is one of fired, none, held, failed, unsure, unknown, not "faild". Did you mean outcome:failed?`,
		"outcome:":                       "outcome: needs a word after the colon, such as outcome:failed.",
		"state:done":                     `state: is one of accepted, waiting, decided, not "done".`,
		"after:tomorow":                  `after: takes a day (2026-11-20)`,
		"after:0d":                       `not "0d"`,
		"after:99999999999d":             `not "99999999999d"`,
		"before:2026-13-40":              `before: takes a day`,
		"outcome:held outcome:fired":     "outcome: stands here twice; leave one.",
		"after:today before:yesterday":   "after: must be earlier than before:.",
		strings.Repeat("x", mostTyped+1): "at most 600 characters",
	} {
		s := readSearch(typed, summer, time.UTC)
		if got := strings.Join(s.problems, "\n"); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if s := readSearch("outcom:failed", summer, time.UTC); len(s.problems) != 0 || len(s.hints) != 1 || !strings.Contains(s.hints[0], "Did you mean outcome:?") {
		t.Errorf("a qualifier with a slip: %v %v", s.problems, s.hints)
	}
}

// TestASearchIsWrittenAgain: what a link puts into the box is read as the same search.
func TestASearchIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"", "+44 7700 900123", `agent:"Front desk" outcome:failed after:7d`, "x automation:a before:2026-07-20"} {
		s := readSearch(typed, summer, time.UTC)
		again := readSearch(s.with("", ""), summer, time.UTC)
		if diff := cmp.Diff(s.query, again.query); diff != "" {
			t.Errorf("%q: %s", typed, diff)
		}
	}
	s := readSearch("x outcome:failed after:7d", summer, time.UTC)
	if got, want := s.with("after", "any"), "x outcome:failed after:any"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := s.with("after", ""), "x outcome:failed"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheWindowIsSaidInWords(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"": "in the last 24 hours", "x": "at any time", "after:any": "at any time", "after:7d": "since 7 days ago", "after:1h": "since 1 hour ago",
		"after:today": "since today", "before:yesterday": "in the 24 hours before yesterday", "x before:yesterday": "before yesterday",
		"after:any before:yesterday": "before yesterday", "after:2w before:2026-07-30": "since 2 weeks ago and before 2026-07-30",
	} {
		if got := readSearch(typed, summer, time.UTC).windowWords(); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func FuzzReadSearch(f *testing.F) {
	for _, typed := range []string{"", `a:"b c`, "after:", "after:d", "outcome:failed after:7d x", "\"\"", "before:2026-07-20 : ::"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		s := readSearch(typed, summer, time.UTC)
		if s.windowWords() == "" {
			t.Error("no window")
		}
		if q := s.query; q.Search == "" && q.Since.IsZero() && s.given["after"] != "any" && len(s.problems) == 0 {
			t.Errorf("%q looks at all there is", typed)
		}
	})
}
