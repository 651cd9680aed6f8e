package ingest

import (
	_ "embed"
	"net/http"
)

// description is the OpenAPI 3.1 description of everything this package answers.
//
//go:embed openapi.json
var description []byte

// Description is the OpenAPI 3.1 description of the interface, as JSON.
func Description() []byte { return append([]byte(nil), description...) }

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description)
}
