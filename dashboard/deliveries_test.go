package dashboard_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestDeliveriesAreNarrowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	call := `href="/conversations/` + h.conversation + `#delivery-`
	for path, test := range map[string]struct {
		rows int
		says string
	}{
		"/deliveries":                          {4, "Those of calls accepted in the last 24 hours."},
		"/deliveries?state=failed":             {1, "Those that came to be so in the last 24 hours."},
		"/deliveries?state=held":               {1, "Those that came to be so at any time."},
		"/deliveries?state=unknown":            {0, "No such deliveries at any time"},
		"/deliveries?channel=email":            {2, "captured"},
		"/deliveries?class=bad_request":        {1, "<code>bad_request</code>"},
		"/deliveries?domain=acme.example":      {3, "support@acme.example"},
		"/deliveries?automation=complaint":     {0, "No such deliveries"},
		"/deliveries?after=7d&account=acme":    {4, "since 7 days ago"},
		"/deliveries?account=umbra":            {0, "No such deliveries"},
		"/deliveries?until=2020-01-01":         {0, "in the 24 hours before 2020-01-01"},
		"/deliveries?state=lost":               {0, "There is no such state of a delivery."},
		"/deliveries?channel=fax":              {0, "There is no such channel."},
		"/deliveries?after=tuesday":            {0, "This list cannot be shown."},
		"/deliveries?after=1h&until=yesterday": {0, "after: must be earlier than until:."},
	} {
		answer, body := h.get("GET", path)
		if rows := strings.Count(body, "data-row"); answer.StatusCode != http.StatusOK || rows != test.rows || strings.Count(body, call) != test.rows || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d with %d rows, want %d and %q", path, answer.StatusCode, rows, test.rows, test.says)
		}
	}
	for _, path := range []string{"/deliveries?before=x", "/deliveries?state=failed&before=x"} {
		if answer, _ := h.get("GET", path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}

// TestFiguresLeadToWhatTheyCount: from the front door to the failed delivery and its call in two clicks.
func TestFiguresLeadToWhatTheyCount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	_, body := h.get("GET", "/")
	for _, want := range []string{"not healthy", "1 delivery failed in the last hour: text message bad request.", "/deliveries?after=1h&amp;state=failed"} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview does not say %q", want)
		}
	}
	_, list := h.get("GET", "/deliveries?after=1h&state=failed")
	if !strings.Contains(list, "/conversations/"+h.conversation+"#delivery-") {
		t.Error("the list does not lead to the call")
	}
}
