package ingest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"aftercall/conversation"
)

func TestDialogue(t *testing.T) {
	t.Parallel()
	who := map[string]conversation.Role{"bot": conversation.RoleAgent, "human": conversation.RoleCustomer}
	for text, want := range map[string]string{
		"":                                      "",
		"\nbot: Hello: you\nhuman: Hi\n\nthere": "agent Hello: you|customer Hi\nthere",
		"lost\nBOT:  Hello  \nhuman:\nnote: x":  "agent Hello\nnote: x",
	} {
		var got []string
		for _, turn := range dialogue(text, who) {
			got = append(got, string(turn.Role)+" "+turn.Text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	long := dialogue("bot: x"+strings.Repeat("\n"+strings.Repeat("y", 1000), 250), who)
	c := conversation.Conversation{Turns: long}
	for _, f := range c.Check() {
		if strings.HasPrefix(f.Pointer, "/turns") {
			t.Errorf("a long one: %v", f)
		}
	}
	if len(long) != 3 || long[2].Role != conversation.RoleAgent {
		t.Errorf("a long one has %d turns, want 3 of the same speaker", len(long))
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(1_772_443_800+int64(s), 0).UTC() }
	for name, tt := range map[string]struct {
		start, end time.Time
		length     time.Duration
		want       [2]time.Time
	}{
		"both":            {at(0), at(60), time.Hour, [2]time.Time{at(0), at(60)}},
		"start, length":   {at(0), time.Time{}, time.Minute, [2]time.Time{at(0), at(60)}},
		"end, length":     {time.Time{}, at(60), time.Minute, [2]time.Time{at(0), at(60)}},
		"only a length":   {time.Time{}, time.Time{}, time.Minute, [2]time.Time{at(40), at(100)}},
		"nothing":         {time.Time{}, time.Time{}, 0, [2]time.Time{at(100), at(100)}},
		"the wrong way":   {at(60), at(0), 0, [2]time.Time{at(60), at(60)}},
		"less than no go": {at(60), time.Time{}, -time.Minute, [2]time.Time{at(60), at(60)}},
	} {
		if start, end := span(tt.start, tt.end, tt.length, at(100)); start != tt.want[0] || end != tt.want[1] {
			t.Errorf("%s: %s to %s, want %s", name, start, end, tt.want)
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"0.4": 24 * time.Second, "-1": 0, "1e300": 0, "NaN": 0, "x": 0} {
		if got := lasting(text, time.Minute); got != want {
			t.Errorf("%s minutes are %s, want %s", text, got, want)
		}
	}
	if got := millis(json.Number("1772443800250.25")); got != time.UnixMicro(1772443800250250).UTC() {
		t.Errorf("milliseconds: %s", got)
	}
	for _, none := range []any{nil, "", json.Number("-5"), json.Number("1e300")} {
		if got := millis(none); !got.IsZero() {
			t.Errorf("%v is %s, want no time", none, got)
		}
	}
	if offset(json.Number("8.03")) != 8030 || !gregorian("63724349409").Equal(time.Unix(1557130209, 0)) || !gregorian(json.Number("5")).IsZero() {
		t.Error("seconds of a call, or since the year 0, are wrong")
	}
	if zone("Europe/Berlin") != "Europe/Berlin" || zone("Local") != "" || zone("Mars") != "" || sipUser("sip:+15551234:5060@x") != "+15551234" {
		t.Error("a zone or an address is read wrongly")
	}
}
