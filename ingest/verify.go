package ingest

import (
	"net/http"
	"time"

	"aftercall/automation"
)

// Verify reports whether a request proves that it comes from whom a source is for: by one of the secrets, at a time. The
// request's address is the one that the platform posted to. It is what `make conformance` judges recorded signatures by.
func Verify(r *http.Request, src *automation.Source, secrets []string, body []byte, now time.Time) bool {
	platform, ok := adapters[src.Type]
	if !ok {
		return false
	}
	s := schemes[schemeOf(platform, src)]
	if s == nil {
		return false
	}
	given, why := s.read(envelopeOf(r, src.Settings, ""))
	return why == "" && !given.stale(now) && s.matches(secrets, given, body)
}
