package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
)

// spoken are the turns of an ordinary call of four minutes, in a platform's words for roles and texts.
func spoken(turn string) string {
	lines := []string{
		"Good morning, Acme Clinic, you are speaking with Ava, how can I help you today?",
		"Hello, this is Dana, I would like to book an appointment for next Tuesday, please, if there is one.",
		"Of course, I have half past two or a quarter past four in the afternoon. Which one suits you better?",
		"Half past two is fine. And what would that cost? Last time I wasn't told, and I was not happy about it.",
	}
	all := make([]string, 40)
	for i := range all {
		all[i] = fmt.Sprintf(turn, []string{"agent", "user"}[i%2], fmt.Sprintf("%s (%d)", lines[i%len(lines)], i), i*6)
	}
	return strings.Join(all, ",")
}

// BenchmarkHook is what one post costs before it is stored: signature, JSON, decoding and the check of the conversation.
func BenchmarkHook(b *testing.B) {
	native := `{"id":"call-1","agent":{"id":"reception","name":"Ava"},"channel":"phone","direction":"inbound","status":"completed",
		"started_at":"2026-11-20T15:04:00Z","ended_at":"2026-11-20T15:08:00Z","timezone":"Europe/London","from_number":"+447700900456",
		"to_number":"+442071838750","customer":{"name":"Dana Example","email":"dana@example.com"},"metadata":{"visit":{"kind":"first","fee":12.5}},
		"turns":[` + strings.ReplaceAll(spoken(`{"role":"%s","text":"%s","at_ms":%d}`), `"user"`, `"customer"`) + `]}`
	eleven := `{"type":"post_call_transcription","event_timestamp":1763650000,"data":{"agent_id":"agent-1","agent_name":"Agent",
		"conversation_id":"call-1","status":"done","transcript":[` + spoken(`{"role":"%s","message":"%s","time_in_call_secs":%d}`) + `],
		"metadata":{"start_time_unix_secs":1763650000,"call_duration_secs":240,"phone_call":{"direction":"inbound",
		"external_number":"+447700900456","agent_number":"+442071838750"}},
		"conversation_initiation_client_data":{"dynamic_variables":{"system__timezone":"Europe/London","plan":"gold"}},"analysis":null}}`
	for _, bench := range []struct {
		kind, body string
		mode       mode
	}{{"native", native, strict}, {"elevenlabs", eleven, lenient}} {
		b.Run(bench.kind, func(b *testing.B) {
			src := &automation.Source{ID: "calls", Type: bench.kind}
			s := schemes[schemeOf(adapters[bench.kind], src)]
			sent := seal{id: "msg-1", stamp: "1763650000", at: time.Unix(1763650000, 0)}
			signatures := s.sign(secretForBench, sent, []byte(bench.body))
			if len(signatures) != 1 {
				b.Fatal("the secret does not fit")
			}
			r := http.Request{Header: http.Header{}}
			s.write(&r, sent, signatures[0])
			b.ReportAllocs()
			b.SetBytes(int64(len(bench.body)))
			for b.Loop() {
				given, why := s.read(envelope{header: r.Header})
				if why != "" || !s.matches([]string{secretForBench}, given, []byte(bench.body)) {
					b.Fatal("the signature does not fit", why)
				}
				doc, faults := parse([]byte(bench.body), bench.mode)
				if len(faults) > 0 {
					b.Fatal(faults)
				}
				d, faults := adapters[bench.kind].decode(doc, src, arrivedAt)
				if len(faults) > 0 || len(d.conversation.Turns) != 40 {
					b.Fatal(faults)
				}
			}
		})
	}
}

const secretForBench = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk"
