package main

import "testing"

func TestWhereAFileGoes(t *testing.T) {
	t.Parallel()
	const call, event = `{"id": "c", "turns": []}`, `{"type": "call.reached", "conversation": "c"}`
	for name, tt := range map[string]struct {
		letter     letter
		body, want string
	}{
		"a call, with a key":              {letter{scheme: "native"}, call, "/v1/conversations"},
		"a call, signed":                  {letter{scheme: "native", source: "us"}, call, "/hooks/us"},
		"an event, with a key":            {letter{scheme: "native"}, event, "/v1/events"},
		"an event, signed":                {letter{scheme: "native", source: "a&b"}, event, "/v1/events?source=a%26b"},
		"a platform's webhook has a type": {letter{scheme: "vapi", source: "vapi"}, event, "/hooks/vapi"},
		"what is no JSON":                 {letter{scheme: "native"}, "type=x", "/v1/conversations"},
	} {
		if got := tt.letter.address("", []byte(tt.body)); got != tt.want {
			t.Errorf("%s goes to %s, want %s", name, got, tt.want)
		}
	}
}
