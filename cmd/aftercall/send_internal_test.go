package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server that is busy for a moment is asked again; one that refuses is not, and one that stays busy is given up with what it said.
func TestPostAsksABusyServerAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []int // the last is repeated
		want    int   // posts
		problem string
	}{
		{"busy once", []int{503, 200}, 2, ""},
		{"refused", []int{401}, 1, "the server answers 401 Unauthorized: try 1"},
		{"busy for ever", []int{503}, sendTries, "the server answers 503 Service Unavailable: try 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			posts := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				posts++
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(tt.answers[min(posts, len(tt.answers))-1])
				_, _ = w.Write([]byte("try " + string(rune('0'+posts))))
			}))
			defer server.Close()
			answer, err := parcel{url: server.URL, key: "k"}.post(context.Background())
			switch {
			case posts != tt.want:
				t.Errorf("%d posts, want %d", posts, tt.want)
			case tt.problem == "" && (err != nil || string(answer) != "try 2"):
				t.Errorf("answer %q, error %v", answer, err)
			case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
				t.Errorf("error %v, want %s", err, tt.problem)
			}
		})
	}
}
