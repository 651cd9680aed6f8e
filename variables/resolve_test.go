package variables_test

import (
	"strings"
	"testing"
	"time"

	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/variables"
)

// call is a conversation of Saturday 21 November 2026 in London in which the customer said one thing.
func call(text string) *conversation.Conversation {
	return &conversation.Conversation{
		Channel:   conversation.ChannelPhone,
		StartedAt: time.Date(2026, 11, 21, 15, 4, 0, 0, time.UTC),
		Turns:     []conversation.Turn{{Role: conversation.RoleAgent, Text: "How can I help?"}, {Role: conversation.RoleCustomer, Text: text}},
	}
}

func resolveOne(t *testing.T, d variables.Declaration, text string, s interview.Stated) variables.Value {
	t.Helper()
	d.Name = "dyn_x"
	s.Name = d.Name
	if s.Evidence.Turn == 0 {
		s.Evidence = interview.Evidence{Turn: 2, Quote: text}
	}
	said := interview.Said{Variables: map[string]interview.Stated{d.Name: s}}
	got := variables.Resolve([]variables.Declaration{d}, said, call(text), variables.Limits{Location: time.UTC, Region: "GB", Hosts: []string{"meet.example.com", "*.zoom.us"}})
	if len(got) != 1 {
		t.Fatalf("got %d values, want 1", len(got))
	}
	if got[0].Status == variables.Rejected && (got[0].Problem == "" || got[0].Value != "" || got[0].Present()) {
		t.Errorf("a rejected value must have a problem and no value, got %+v", got[0])
	}
	return got[0]
}

func TestResolveTypes(t *testing.T) {
	t.Parallel()
	type row struct {
		name    string
		typ     variables.Type
		said    string
		value   string
		weekday string
		want    string // "" means rejected
	}
	for _, c := range []row{
		{"date with weekday and day", variables.Date, "Yes, Tuesday the 24th works.", "2026-11-24", "tue", "2026-11-24"},
		{"next Friday", variables.Date, "next Friday please", "2026-11-27", "fri", "2026-11-27"},
		{"next Friday taken for a Thursday", variables.Date, "next Friday please", "2026-11-26", "fri", ""},
		{"next Friday taken for a Thursday, weekday hidden", variables.Date, "next Friday please", "2026-11-26", "none", ""},
		{"two weekdays offered", variables.Date, "not Monday, Friday is better", "2026-11-27", "fri", "2026-11-27"},
		{"day differs", variables.Date, "Tuesday the 24th", "2026-12-01", "tue", ""},
		{"ordinal in words", variables.Date, "the twenty-fourth of November", "2026-11-24", "none", "2026-11-24"},
		{"ordinal in words differs", variables.Date, "the twenty-fourth of November", "2026-11-04", "none", ""},
		{"month differs", variables.Date, "on the 1st of December", "2026-11-01", "none", ""},
		{"month end", variables.Date, "the thirty-first of December", "2026-12-31", "thu", "2026-12-31"},
		{"day that does not exist", variables.Date, "the 31st of November", "2026-11-31", "none", ""},
		{"leap day", variables.Date, "the 29th of February 2028", "2028-02-29", "none", "2028-02-29"},
		{"no leap year", variables.Date, "the 29th of February", "2027-02-29", "none", ""},
		{"day the clocks go forward", variables.Date, "Sunday the 28th of March", "2027-03-28", "sun", "2027-03-28"},
		{"count is not a day", variables.Date, "in 2 weeks, the first thing on Friday", "2026-12-04", "fri", "2026-12-04"},
		{"time is not a day", variables.Date, "tomorrow at 3 pm", "2026-11-22", "none", "2026-11-22"},
		{"may as a verb", variables.Date, "you may come on Friday", "2026-11-27", "fri", "2026-11-27"},
		{"written date", variables.Date, "24/11 is fine", "2026-11-24", "none", "2026-11-24"},
		{"written date differs", variables.Date, "24/11 is fine", "2026-11-25", "none", ""},
		{"number beside month", variables.Date, "24 November", "2026-11-24", "none", "2026-11-24"},
		{"too far ahead", variables.Date, "in three years", "2029-11-24", "none", ""},
		{"too far back", variables.Date, "two years ago", "2024-11-20", "none", ""},
		{"two years ahead to the day", variables.Date, "in two years", "2028-11-21", "none", "2028-11-21"},
		{"no date", variables.Date, "Tuesday", "Tuesday", "tue", ""},
		{"weekday made up", variables.Date, "on the 24th", "2026-11-24", "funday", ""},

		{"time", variables.Time, "half two", "14:30", "", "14:30"},
		{"time with pm", variables.Time, "half two", "2:30 pm", "", "14:30"},
		{"short pm", variables.Time, "at three", "3pm", "", "15:00"},
		{"figures without half of day", variables.Time, "2:30 is good", "14:30", "", "14:30"},
		{"figures differ", variables.Time, "2:30 is good", "15:30", "", ""},
		{"half of day differs", variables.Time, "at 2:30 p.m.", "02:30", "", ""},
		{"midnight", variables.Time, "12 am", "00:00", "", "00:00"},
		{"no time", variables.Time, "later", "25:00", "", ""},

		{"number", variables.Number, "I have 12 boxes", "12", "", "12"},
		{"number in words", variables.Number, "about two hundred and five of them", "205", "", "205"},
		{"number in thousands", variables.Number, "twelve thousand five hundred", "12500", "", "12500"},
		{"number with a point", variables.Number, "three point five", "3.5", "", "3.5"},
		{"grouped", variables.Number, "1,250 units", "1250", "", "1250"},
		{"German grouping", variables.Number, "1.250 Stück", "1250", "", "1250"},
		{"not said", variables.Number, "I have 12 boxes", "13", "", ""},
		{"part of a number", variables.Number, "I have 1200 boxes", "12", "", ""},
		{"negative not said", variables.Number, "it is 5 degrees", "-5", "", ""},
		{"negative", variables.Number, "minus 5 degrees", "-5", "", "-5"},
		{"not a number", variables.Number, "12", "12; drop", "", ""},

		{"a word said three times", variables.Text, "it goes click click click, no?", "click click click", "", "click click click"},
		{"money in figures", variables.Money, "that was €129.50", "129.50 EUR", "", "129.50 EUR"},
		{"money in words", variables.Money, "a hundred and twenty nine euros fifty", "129.5 EUR", "", "129.50 EUR"},
		{"twelve fifty", variables.Money, "twelve fifty, in pounds", "£12.50", "", "12.50 GBP"},
		{"as it is said", variables.Money, "I was charged 129 pounds 50", "129 pounds 50", "", "129.50 GBP"},
		{"as it is said, with a part too many", variables.Money, "I was charged 129 pounds 50", "129.40 pounds 50", "", ""},
		{"as it is said, with half a part", variables.Money, "I was charged 129 pounds 5", "129 pounds 5", "", ""},
		{"cents", variables.Money, "eighty cents", "0.80 EUR", "", "0.80 EUR"},
		{"dollars may be Canadian", variables.Money, "forty dollars", "40 CAD", "", "40.00 CAD"},
		{"currency not said", variables.Money, "it is 40", "40 EUR", "", ""},
		{"amount not said", variables.Money, "40 euros", "400 EUR", "", ""},
		{"no currency", variables.Money, "40 euros", "40", "", ""},
		{"yen have no cents", variables.Money, "5000 yen", "5000 JPY", "", "5000 JPY"},

		{"phone in figures", variables.Phone, "it's 07400 123456", "07400123456", "", "+447400123456"},
		{"phone with country", variables.Phone, "+44 7400 123456", "+447400123456", "", "+447400123456"},
		{"phone in words", variables.Phone, "oh seven four double oh one two three four five six", "07400123456", "", "+447400123456"},
		{"phone not said", variables.Phone, "it's 07400 123456", "+447400123457", "", ""},
		{"phone made of two", variables.Phone, "room 07400 and 123456", "+447400123456", "", ""},
		{"no phone", variables.Phone, "call 12", "12", "", ""},

		{"email", variables.Email, "write to Dana@Example.com.", "Dana@Example.com", "", "Dana@example.com"},
		{"email spoken", variables.Email, "it is dana dot k at example dot com", "dana.k@example.com", "", "dana.k@example.com"},
		{"email spelled", variables.Email, "d a n a at example dot com", "dana@example.com", "", "dana@example.com"},
		{"email grown by a word", variables.Email, "mine is dana at example dot com", "isdana@example.com", "", ""},
		{"email not said", variables.Email, "write to me", "evil@example.com", "", ""},
		{"email with a name", variables.Email, "dana@example.com", "Dana <dana@example.com>", "", ""},
		{"email with a line break", variables.Email, "dana@example.com", "dana@example.com\nBcc: x@example.com", "", ""},

		{"url", variables.URL, "join at https://meet.example.com/abc", "https://meet.example.com/abc", "", "https://meet.example.com/abc"},
		{"url spoken", variables.URL, "meet dot example dot com slash abc", "https://meet.example.com/abc", "", "https://meet.example.com/abc"},
		{"url below an allowed host", variables.URL, "us02.zoom.us/j/1", "us02.zoom.us/j/1", "", "https://us02.zoom.us/j/1"},
		{"url elsewhere", variables.URL, "https://evil.example/abc", "https://evil.example/abc", "", ""},
		{"url with a user", variables.URL, "https://meet.example.com@evil.example/", "https://meet.example.com@evil.example/", "", ""},
		{"url not said", variables.URL, "join", "https://meet.example.com/abc", "", ""},
		{"url script", variables.URL, "javascript:alert(1)", "javascript:alert(1)", "", ""},
		{"url lookalike", variables.URL, "https://evilzoom.us/j", "https://evilzoom.us/j", "", ""},

		{"boolean", variables.Boolean, "yes please", "Yes", "", "true"},
		{"boolean false", variables.Boolean, "no", "false", "", "false"},
		{"no boolean", variables.Boolean, "maybe", "maybe", "", ""},

		{"text", variables.Text, "x", "  the heating\r\nis  off\t", "", "the heating is off"},
		{"text with direction characters", variables.Text, "x", "abc\u202Edef\u0000", "", "abc def"},
		{"text with a link", variables.Text, "x", "see https://evil.example/x now", "", "see [link removed] now"},
		{"text with a bare host", variables.Text, "x", "go to evil.com, please", "", "go to [link removed] please"},
		{"text with a Markdown link", variables.Text, "x", "[click](http://evil.example)", "", ""},
		{"text with an abbreviation", variables.Text, "x", "St.Mary e.g. at 5 p.m.", "", "St.Mary e.g. at 5 p.m."},
		{"text of nothing", variables.Text, "x", " ... ", "", ""},
		{"undeclared type is text", "", "x", "hello", "", "hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := resolveOne(t, variables.Declaration{Type: c.typ}, c.said, interview.Stated{Value: c.value, Weekday: c.weekday})
			if got.Value != c.want || (got.Status == variables.Stated) != (c.want != "") {
				t.Errorf("got %q (%s: %s), want %q", got.Value, got.Status, got.Problem, c.want)
			}
		})
	}
}

func TestResolveStatuses(t *testing.T) {
	t.Parallel()
	severity := variables.Declaration{Type: variables.Enum, Values: []interview.Option{{Key: "critical"}, {Key: "low"}}}
	withDefault := severity
	withDefault.Default = "low"
	for _, c := range []struct {
		name   string
		d      variables.Declaration
		s      interview.Stated
		status variables.Status
		value  string
	}{
		{"member", severity, interview.Stated{Value: "Critical"}, variables.Stated, "critical"},
		{"no member", severity, interview.Stated{Value: "critical|low"}, variables.Rejected, ""},
		{"rejected has no default", withDefault, interview.Stated{Value: "huge"}, variables.Rejected, ""},
		{"empty is absent", severity, interview.Stated{Value: " "}, variables.NotStated, ""},
		{"empty takes the default", withDefault, interview.Stated{Value: ""}, variables.Defaulted, "low"},
		{"evidence not found", severity, interview.Stated{Value: "low", Problem: reason.EvidenceNotFound}, variables.Rejected, ""},
		{"wrong speaker", severity, interview.Stated{Value: "low", Problem: reason.WrongSpeaker}, variables.Rejected, ""},
		{"conflict", severity, interview.Stated{Value: "low", Conflict: true}, variables.Conflict, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := resolveOne(t, c.d, "it is critical", c.s)
			if got.Status != c.status || got.Value != c.value {
				t.Errorf("got %s %q, want %s %q", got.Status, got.Value, c.status, c.value)
			}
		})
	}
}

func TestResolveKeepsOrderAndAbsence(t *testing.T) {
	t.Parallel()
	decls := []variables.Declaration{{Name: "dyn_b", Default: "later"}, {Name: "dyn_a"}}
	got := variables.Resolve(decls, interview.Said{}, call("hello"), variables.Limits{})
	if len(got) != 2 || got[0].Name != "dyn_b" || got[0].Status != variables.Defaulted || got[0].Value != "later" ||
		got[1].Status != variables.NotStated || got[1].Type != variables.Text || got[1].Present() {
		t.Errorf("got %+v, want dyn_b by default and dyn_a not stated", got)
	}
}

func TestResolveUsesTheCallsOwnDay(t *testing.T) {
	t.Parallel()
	// In Auckland it is already the 22nd, so that two years ahead is the 22nd as well.
	c := call("in two years")
	c.Timezone = "Pacific/Auckland"
	said := interview.Said{Variables: map[string]interview.Stated{"dyn_x": {Value: "2028-11-22", Weekday: "none", Evidence: interview.Evidence{Turn: 2, Quote: "in two years"}}}}
	d := []variables.Declaration{{Name: "dyn_x", Type: variables.Date}}
	if got := variables.Resolve(d, said, c, variables.Limits{Location: time.UTC})[0]; got.Value != "2028-11-22" {
		t.Errorf("got %q (%s), want the day to count from the call's own zone", got.Value, got.Problem)
	}
}

func TestTextIsCutAtAWord(t *testing.T) {
	t.Parallel()
	got := resolveOne(t, variables.Declaration{Max: 20}, "x", interview.Stated{Value: "the boiler in the cellar has stopped"})
	if got.Value != "the boiler in the…" {
		t.Errorf("got %q, want the text cut at a word", got.Value)
	}
	long := resolveOne(t, variables.Declaration{}, "x", interview.Stated{Value: strings.Repeat("ä", 60_000)})
	if n := len([]rune(long.Value)); n != variables.DefaultMax {
		t.Errorf("got %d characters, want %d", n, variables.DefaultMax)
	}
}

func TestProblemsHoldNoTranscript(t *testing.T) {
	t.Parallel()
	for _, typ := range []variables.Type{variables.Date, variables.Number, variables.Money, variables.Phone, variables.Email, variables.URL} {
		got := resolveOne(t, variables.Declaration{Type: typ}, "my secret is canary7", interview.Stated{Value: "canary7"})
		if got.Status != variables.Rejected || strings.Contains(got.Problem, "canary7") {
			t.Errorf("%s: got %s with problem %q, want a rejection that quotes nothing", typ, got.Status, got.Problem)
		}
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("date", "Tuesday the 24th", "2026-11-24", "tue")
	f.Add("money", "a hundred and five euros fifty", "105.50 EUR", "")
	f.Add("phone", "oh seven double four", "07400123456", "")
	f.Add("url", "meet dot example dot com", "https://meet.example.com", "")
	f.Add("text", "", "[x](http://evil.example) \u202e", "")
	f.Fuzz(func(t *testing.T, typ, said, value, day string) {
		got := resolveOne(t, variables.Declaration{Type: variables.Type(typ)}, said, interview.Stated{Value: value, Weekday: day})
		if strings.ContainsAny(got.Value, "\n\r\x00\u202e") || len([]rune(got.Value)) > 10_000 {
			t.Errorf("got %q: a value is one clean line", got.Value)
		}
		if variables.Type(typ) == variables.Text && strings.Contains(got.Value, "://") {
			t.Errorf("got %q: a text holds no link", got.Value)
		}
	})
}

// TestGive: what a person types passes the checks of what is stated, with the person's own words to stand in.
func TestGive(t *testing.T) {
	t.Parallel()
	enum := []interview.Option{{Key: "high"}, {Key: "low"}}
	for _, c := range []struct {
		typ         variables.Type
		typed, want string // "" means refused
	}{
		{variables.Text, " the heating is off ", "the heating is off"}, {variables.Text, "see https://evil.example now", "see [link removed] now"},
		{variables.Text, "[click](http://evil.example)", ""},
		{variables.Enum, "High", "high"}, {variables.Enum, "huge", ""},
		{variables.Date, "2026-11-24", "2026-11-24"}, {variables.Date, "24/11/2026", ""}, {variables.Date, "2036-11-24", ""},
		{variables.Time, "14:30", "14:30"}, {variables.Time, "2:30 pm", "14:30"}, {variables.Time, "25:00", ""},
		{variables.Number, "12", "12"}, {variables.Number, "1,250.5", "1250.5"}, {variables.Number, "-5", "-5"}, {variables.Number, "a dozen", ""},
		{variables.Money, "129.50 EUR", "129.50 EUR"}, {variables.Money, "£40", "40.00 GBP"}, {variables.Money, "40", ""},
		{variables.Phone, "07400 123456", "+447400123456"}, {variables.Phone, "+44 7400 123456", "+447400123456"}, {variables.Phone, "12", ""},
		{variables.Email, "Dana@Example.com", "Dana@example.com"}, {variables.Email, "dana", ""},
		{variables.URL, "https://meet.example.com/abc", "https://meet.example.com/abc"}, {variables.URL, "https://evil.example/abc", ""},
		{variables.Boolean, "yes", "true"}, {variables.Boolean, "perhaps", ""},
	} {
		t.Run(string(c.typ)+" "+c.typed, func(t *testing.T) {
			t.Parallel()
			d := variables.Declaration{Name: "dyn_x", Type: c.typ, Values: enum}
			l := variables.Limits{Location: time.UTC, Region: "GB", Hosts: []string{"meet.example.com"}}
			got := variables.Give(d, c.typed, call("Nobody said that."), l)
			if given := got.Status == variables.Given; given != (c.want != "") || given != got.Present() || given == (got.Problem != "") || got.Value != c.want {
				t.Errorf("got %q, %s, %q", got.Value, got.Status, got.Problem)
			}
			if got.Evidence != (interview.Evidence{}) {
				t.Errorf("it rests on %+v, which nobody said", got.Evidence)
			}
		})
	}
}
