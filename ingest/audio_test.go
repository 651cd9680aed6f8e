package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
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

// audioOf is an event with so many bytes of audio.
func audioOf(n int) []byte {
	return fmt.Appendf(nil, `{"type":"post_call_audio","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"conv_1","full_audio":%q}}`, strings.Repeat("SUQz", n/4))
}

// send posts a body to ElevenLabs' source, with or without its length.
func (h *house) send(t *testing.T, header http.Header, body []byte, chunked bool) answer {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	if chunked {
		r = io.MultiReader(r)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/hooks/acme-eleven", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = addAll(header, http.Header{"Content-Type": {"application/json"}})
	return h.do(t, req)
}

// TestAudioIsNotRefused: ten refusals would switch the webhook off. It is proven as it came, and kept without the audio.
func TestAudioIsNotRefused(t *testing.T) {
	t.Parallel()
	const left = `{"type":"post_call_audio","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"conv_1","full_audio":""}}`
	for name, c := range map[string]struct {
		bytes   int
		chunked bool
	}{"8 MB": {8 << 20, false}, "8 MB in chunks": {8 << 20, true}, "a little": {400, false}, "a little in chunks": {400, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, body := decide(t, " []", 0), audioOf(c.bytes)
			changed := bytes.Replace(body, []byte("SUQzSUQz"), []byte("SUQzSUQA"), 1)
			if a := l.send(t, l.signed(t, "elevenlabs", secretNew, body), changed, c.chunked); a.status != 401 {
				t.Errorf("a changed byte of the audio: %d %s, want 401", a.status, a.raw)
			}
			for again := range 2 {
				if a := l.send(t, l.signed(t, "elevenlabs", secretNew, body), body, c.chunked); a.status != 200 || a.said.Ignored || a.said.Duplicate != (again == 1) {
					t.Errorf("%d %s", a.status, a.raw)
				}
			}
			var kept string
			if err := l.store.Pool().QueryRow(t.Context(), `SELECT convert_from(body, 'UTF8') FROM events`).Scan(&kept); err != nil || kept != left {
				t.Errorf("%.300s is kept, %v; want %s", kept, err, left)
			}
			l.wantRows(t, 1, 0, 0, 0)
		})
	}
}

// TestOnlyAudioMayBeLarge: nothing else of the platform, and nothing of another.
func TestOnlyAudioMayBeLarge(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	other := bytes.Replace(audioOf(8<<20), []byte("full_audio"), []byte("half_audio"), 1)
	for name, c := range map[string]struct {
		body    []byte
		ignored bool
		want    int
	}{
		"another member":       {other, false, 413},
		"audio nobody asks of": {audioOf(8 << 20), true, 200},
	} {
		for _, chunked := range []bool{false, true} {
			if a := h.send(t, h.signed(t, "elevenlabs", secretNew, c.body), c.body, chunked); a.status != c.want || a.said.Ignored != c.ignored {
				t.Errorf("%s: %d %s, want %d", name, a.status, a.raw, c.want)
			}
		}
	}
	body := audioOf(8 << 20)
	if a := h.post(t, "/hooks/acme-itellico", h.signed(t, "itellico", secretNew, body), body); a.status != 413 {
		t.Errorf("another platform: %d %s, want 413", a.status, a.raw)
	}
	h.wantRows(t, 0, 0, 0, 0)
}
