package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const threeSecrets = silentConfig + `sources:
  - { id: acme-calls, type: native, secret: "${ENV:ACME_CALLS_SECRET}" }
  - { id: acme-itellico, type: itellico, secrets: ["${ENV:ACME_ITELLICO_OLD}", "${ENV:ACME_ITELLICO_NEW}"] }
`

// TestServeNamesSecretsThatAreNotSet: a platform that posts to a source without a secret gets 503 for ever, so each
// missing one is named when a folder is activated, and when it is read again: also where the folder has errors by then.
func TestServeNamesSecretsThatAreNotSet(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, silentConfig), http.NotFoundHandler())
	type missing struct{ Account, Source, Name string }
	old := missing{"acme", "acme-itellico", "ACME_ITELLICO_OLD"}
	calls := missing{"acme", "acme-calls", "ACME_CALLS_SECRET"}
	for _, c := range []struct {
		name   string
		config string
		set    map[string]string
		want   []missing
	}{
		{"two are missing", threeSecrets, map[string]string{"ACME_ITELLICO_NEW": "x"}, []missing{calls, old}},
		{"the folder has an error now", careless, map[string]string{"ACME_ITELLICO_NEW": "x", "ACME_CALLS_SECRET": "x"}, []missing{old}},
		{"all are set", threeSecrets, map[string]string{"ACME_ITELLICO_NEW": "x", "ACME_CALLS_SECRET": "x", "ACME_ITELLICO_OLD": "x"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { // in order: each finds what the one before it activated
			var out bytes.Buffer
			a := *h.app
			a.log, a.getenv = slog.New(slog.NewJSONHandler(&out, nil)), env(c.set)
			a.configure(context.Background(), writeAccount(t, c.config)).close()
			var got []missing
			for dec := json.NewDecoder(&out); dec.More(); {
				var line struct {
					Msg string `json:"msg"`
					missing
				}
				if err := dec.Decode(&line); err != nil {
					t.Fatal(err)
				}
				if line.Msg == "the secret of a source is not set" {
					got = append(got, line.missing)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("warned of (-want +got):\n%s", diff)
			}
		})
	}
}
