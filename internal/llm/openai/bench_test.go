package openai_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
)

// BenchmarkComplete is one question of ordinary size, with what the local server takes for it.
func BenchmarkComplete(b *testing.B) {
	verdict := `"automation-0":{"evidence":[{"turn":4,"quote":"And what would that cost?"}],"verdict":"yes"},`
	reply := []byte(answer(`{"automations":{`+strings.Repeat(verdict, 5)+`},"variables":[],"summary":"They agreed on a visit."}`, "", "stop"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(reply)
	}))
	b.Cleanup(server.Close)
	m, err := openai.New(openai.Config{BaseURL: server.URL + "/v1", Key: secret, Model: "gpt-4o"})
	if err != nil {
		b.Fatal(err)
	}
	turn := `{"t":12,"who":"customer","at":"01:06","text":"Half past two is fine. And what would that cost? Last time I wasn't told."}` + "\n"
	q := llm.Request{
		Messages: []llm.Message{
			{Role: "system", Content: strings.Repeat("- Judge only what was said on this call: an \"offer\" is no acceptance. ", 70)},
			{Role: "user", Content: strings.Repeat(turn, 40)},
		},
		SchemaName: "interview", MaxTokens: 4096, CacheKey: "acme/r1/all/0",
		Schema: []byte(`{"type":"object","properties":{` + strings.Repeat(`"summary":{"type":"string"},`, 60) + `"x":{"type":"string"}},"required":["x"],"additionalProperties":false}`),
	}
	b.ReportAllocs()
	for b.Loop() {
		if r, err := m.Complete(b.Context(), q); err != nil || r.TokensIn == 0 {
			b.Fatal(r, err)
		}
	}
}
