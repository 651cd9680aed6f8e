package dashboard

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aftercall/internal/store"
)

// TestConfigBanner: a folder that is not what is active is said on the list, with the first error and what to run; where
// all is well, nothing is.
func TestConfigBanner(t *testing.T) {
	t.Parallel()
	page := func(troubles []store.Attempt) (alarms []string) {
		list := conversationList(listed{}, nil, "", func(string) names { return fixtureNames() })
		list.Configs = configTroubles(troubles, func(string) names { return fixtureNames() })
		nodes := renderPages(t, map[string]answer{"list": {Template: "conversations", Title: "Conversations", View: list}})
		each(nodes["list"], func(n *html.Node) {
			if attr(n, "role") == "alert" {
				alarms = append(alarms, strings.Join(strings.Fields(textOf(n)), " "))
			}
		})
		return alarms
	}
	if got := page(nil); len(got) != 0 {
		t.Errorf("all is well, and the page says %q", got)
	}
	got := page(fixtureTroubles("customer_nme"))
	for n, want := range []string{
		"2 errors keep /etc/aftercall/customer_nme on web-1 from being taken", "could not be applied",
	} {
		if len(got) != 2 || !strings.Contains(got[n], want) {
			t.Fatalf("the page says %q, want %q", got, want)
		}
	}
	if !strings.Contains(got[0], "account.yaml:9:81: error[AC201]: unknown variable customer_nme Run aftercall check /etc/aftercall/customer_nme there") {
		t.Errorf("it does not say what to do: %q", got[0])
	}
}
