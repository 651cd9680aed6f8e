package automation_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
)

// TestWordingIsEnglish: what is judged by English words is judged in English accounts, and in no letters but English ones.
func TestWordingIsEnglish(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, language, ask string
		want                []string
	}{
		{"English", "language: en-GB", "Customer angry?", []string{"AC401", "AC406"}},
		{"no language is named", "", "Customer angry?", []string{"AC401", "AC406"}},
		{"two questions", "language: en", "Did they call, and did they say why they did?", []string{"AC404", "AC406"}},
		{"German", "language: de", "Termin vereinbart?", nil},
		{"German where no language is named", "", "Rückruf gewünscht?", []string{"AC406"}},
		{"Spanish, which negates twice", "language: es-MX", "El cliente no dijo que no quiere nada?", nil},
		{"Japanese, without spaces and question marks", "language: ja", "お客様は折り返しの電話を希望しましたか。", nil},
		{"Greek, with a question mark of its own", "language: el", "Ζήτησε ο πελάτης να τον καλέσουμε αύριο το πρωί;", nil},
		{"Japanese where no language is named", "", "お客様は折り返しの電話を希望しましたか。", []string{"AC406"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := fmt.Sprintf("automations: [{ id: one, when: { ask: %q }, actions: [team_alert: { text: \"{{dyn_info}}\" }] }]\n", c.ask)
			got := report(t, automation.Files{"account.yaml": []byte(office + c.language + "\n"), "rules.yaml": []byte(rules)})
			if diff := cmp.Diff(c.want, codesIn(got)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, got)
			}
		})
	}
}

// TestAlphabetOfTheLanguage: a dash makes a text longer only where no letter of it does so already.
func TestAlphabetOfTheLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"Thank you – we will call", []string{"AC409"}},
		{"Grüße – wir melden uns", []string{"AC409"}},
		{"Dziękujemy – zadzwonimy", nil},
		{"Спасибо – мы перезвоним…", nil},
		{"– {{customer_name}}, Dziękujemy", nil},
		{"Merci, ça marche – à bientôt", nil},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			rules := fmt.Sprintf("automations: [{ id: one, when: always, actions: [sms: { to: [maria], body: %q }] }]\n", c.text)
			got := report(t, automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(rules)})
			if diff := cmp.Diff(c.want, codesIn(got)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, got)
			}
		})
	}
}
