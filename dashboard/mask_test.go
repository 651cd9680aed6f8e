package dashboard

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/people"
)

func TestMaskText(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Call +44 7700 900123 back":              "Call +44 ••• 23 back",
		"on 07700 900 123, please":               "on ••• 23, please",
		"(0161) 496-0000.":                       "••• 00.",
		"07700\u00a0900\u2011123":                "••• 23",
		"write to Dana.W+x@whitfield.example!":   "write to D•••@•••!",
		"a@b":                                    "a•••@•••",
		"ünal@münchen.example":                   "ü•••@•••",
		`<a href="mailto:d@x.example">d@x.y</a>`: `<a href="mailto:d•••@•••">d•••@•••</a>`,
		"email:support@acme.example":             "email:s•••@•••",
		"phone:+447700900456":                    "phone:+44 ••• 56",
		"٠٧٧٠٠٩٠٠١٢٣":                            "••• ٢٣",
		"on 2026-11-26 at 10:30":                 "on 2026-11-26 at 10:30",
		"2026-11-26 10:30":                       "2026-11-26 10:30",
		"room 12, order 123456":                  "room 12, order 123456",
		"129.50 pounds":                          "129.50 pounds",
		"":                                       "",
	} {
		if got := maskText(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
	if n := "112"; maskNumber(n) != n {
		t.Error("an extension is masked")
	}
	if got := maskAddress("@x"); got != hidden {
		t.Error(got)
	}
}

// TestAMaskedPageHasNoNumberAnywhere writes a number and an address into every free text and every field for one, and looks
// for them in the page as a viewer gets it: in words, in links, in forms.
func TestAMaskedPageHasNoNumberAnywhere(t *testing.T) {
	t.Parallel()
	everywhere := func(s string) string { return s + " +44 7700 900123, dana@whitfield.example" }
	story := fixtureStory(everywhere)
	c := story.Conversation
	// Names that other programs gave stay: they are what a platform is asked with.
	c.ExternalID, c.Agent, c.Customer.CRMRecordID = "c", conversation.Agent{ID: "a", Name: "A"}, "r"
	for i := range story.Events {
		story.Events[i].Type = "ended"
	}
	for i := range story.Calls {
		story.Calls[i].Reply.Model = "m"
	}
	for i := range story.Deliveries {
		story.Deliveries[i].ProviderID, story.Deliveries[i].Content.From.Name = "p", "F"
	}
	maskStory(&story)
	jobs := fixtureJobs(everywhere)
	maskJobs(jobs)
	view := telling{story: story, jobs: jobs, pinned: fixtureNames()}.page()
	view.Reveal = conversationPath(c.ID) + "/reveal"

	rows, kept := fixtureRows(everywhere), fixtureCaptured(everywhere)
	for i := range rows {
		rows[i].ExternalID, rows[i].AgentName = "c", "A"
	}
	maskRows(rows, people.Person{Name: "nobody"})
	for i := range kept {
		kept[i].ExternalID = "c"
		maskCaptured(&kept[i])
	}
	of := func(string) names { return fixtureNames() }
	pages := map[string]answer{
		"conversation":  {Template: "conversation", Title: view.Heading, View: view},
		"conversations": {Template: "conversations", Title: "C", View: conversationList(listed{}, rows, "", of)},
		"captured list": {Template: "captured_list", Title: "C", View: capturedRows("", "", "", kept, "", of)},
	}
	for _, m := range kept {
		page := capturedMessage(m, fixtureNames())
		page.Reveal = page.Path + "/reveal"
		pages["captured "+m.ID] = answer{Template: "captured", Title: page.Subject, View: page}
	}
	for name, page := range renderPages(t, pages) {
		for _, fault := range faults(page) {
			t.Errorf("%s: %s", name, fault)
		}
		var b bytes.Buffer
		if err := html.Render(&b, page); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"900123", "7700", "whitfield.example", "dana@", "support@", "900456"} {
			if at := strings.Index(b.String(), secret); at >= 0 {
				t.Errorf("%s has %s: …%s…", name, secret, b.String()[max(0, at-120):min(b.Len(), at+60)])
			}
		}
	}
	for _, d := range story.Deliveries {
		if strings.Contains(d.Content.HTML, "900123") {
			t.Errorf("the HTML of %s has the number", d.ID)
		}
	}
}

func TestAMaskIsPerAccount(t *testing.T) {
	t.Parallel()
	rows := []store.ConversationRow{{AccountID: "acme", CustomerNumber: "+447700900123"}, {AccountID: "umbra", CustomerNumber: "+447700900777"}}
	maskRows(rows, people.Machine())
	if rows[0].CustomerNumber != "+447700900123" || rows[1].CustomerNumber != "+447700900777" {
		t.Errorf("masked for the machine's owner: %+v", rows)
	}
	maskRows(rows[:1], people.Person{})
	if rows[0].CustomerNumber != "+44 ••• 23" {
		t.Errorf("%+v", rows[0])
	}
}
