package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/ingest"
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

// A file is sent as each platform would post it: to its source, in its own form, with a signature that a source takes.
func TestSendAsEachPlatform(t *testing.T) {
	t.Parallel()
	const secret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
	took := make(chan string, 1)
	take := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verdict := "refused"
		if ingest.Verify(r, &automation.Source{Type: r.PathValue("source")}, []string{secret}, body, time.Now()) {
			verdict = "taken"
		}
		took <- r.PathValue("source") + " " + r.Header.Get("Content-Type") + " " + verdict
		_, _ = w.Write([]byte("{}"))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/{source}", take)
	mux.HandleFunc("POST /hooks/{source}/{token}", take)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	env := map[string]string{"AFTERCALL_SECRET": secret, "AFTERCALL_PUBLIC_URL": server.URL}
	for name, content := range map[string]string{"application/json": `{"call":{"call_id":"c"}}`, "application/x-www-form-urlencoded": "CallSid=CA1&To=%2B1"} {
		file := filepath.Join(t.TempDir(), "call")
		write(t, file, content)
		for _, kind := range sourceTypes() {
			if kind == "native" || kind == "synthflow" && content[0] != '{' {
				continue
			}
			if code, out := cli(t, env, "send", file, "--as", kind); code != 0 {
				t.Fatalf("%s: %d %s", kind, code, out)
			}
			if got, want := <-took, kind+" "+name+" taken"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	if code, out := cli(t, env, "send", "--as", "fax", "/dev/null"); code == 0 || !strings.Contains(out, `no source type "fax"`) {
		t.Errorf("a platform that is not there: %d %s", code, out)
	}
}
