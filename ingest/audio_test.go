package ingest_test

import (
	"testing"
	"time"

	"aftercall/internal/store"
)

const audioAccount = `
  - id: heard
    on: post_call_audio
    agents: [agent_1]
    actions: [ { email: { to: [desk@acme.example], subject: "There is a recording of {{conversation_uuid}}" } } ]
`

// TestAudioIsErasedWithItsCall: stored for its own sake, or because something waits for it.
func TestAudioIsErasedWithItsCall(t *testing.T) {
	t.Parallel()
	for name, automations := range map[string]string{"stored": " []", "waited for": audioAccount} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := decide(t, automations, 1)
			audio := l.eleven(t, `{"type":"post_call_audio","event_timestamp":1772443925,"data":{"agent_id":"agent_1","conversation_id":"conv_1","full_audio":"SUQz"}}`)
			call := l.eleven(t, `{"type":"post_call_transcription","event_timestamp":1772443925,"data":{"agent_id":"agent_1","conversation_id":"conv_1","status":"done"}}`)
			l.until(call.said.ConversationID, decided)
			if id := audio.said.ConversationID; id != "" {
				l.until(id, all(store.Sent))
			}
			e, err := l.store.BeginErasure(t.Context(), store.Actor{Name: "Ann"}, "acme", store.CauseConversation)
			if err != nil {
				t.Fatal(err)
			}
			if left, err := l.store.Erase(t.Context(), e, []string{call.said.ConversationID}, time.Minute); err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
			if n := l.count(`SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM conversations)`); n != 0 {
				t.Errorf("%d rows of the call are left", n)
			}
		})
	}
}

// eleven posts as ElevenLabs does what is to be taken.
func (l *line) eleven(t *testing.T, body string) answer {
	t.Helper()
	a := l.post(t, "/hooks/acme-eleven", l.signed(t, "elevenlabs", secretNew, []byte(body)), []byte(body))
	if a.status != 200 || a.said.Ignored || a.said.Duplicate {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	return a
}
