package simulated_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aftercall/internal/llm/simulated"
)

func BenchmarkAnswer(b *testing.B) {
	s, ask := simulated.New(simulated.Options{}), callBack()
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(ask)))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		simulated.New(simulated.Options{})
	}
}
