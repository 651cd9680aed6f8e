package reason_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/reason"
)

// The table of product.md, section 8; work_failed: a conversation that the program cannot handle needs a reason, too; and
// sent_before and perhaps_sent_before: what a later run leaves out; premium_number, bounced, sender_not_allowed and
// text_too_long: what has its own remedy; suspicious: words that are meant for the model; wrong_attempt, too_few and already_fired: events, and what fires for several.
const (
	gateCodes = `disabled muted wrong_event wrong_attempt filtered_status filtered_direction filtered_channel filtered_agent filtered_time
		filtered_metadata too_short no_transcript too_few already_fired`
	decisionCodes = `always fired condition_not_met unsure evidence_not_found wrong_speaker model_unavailable model_refused
		answer_invalid budget_exceeded work_failed`
	actionCodes = `condition_false required_variable_missing variable_missing_for_customer recipients_empty recipient_invalid
		recipient_not_allowed premium_number opted_out bounced sender_not_allowed text_too_long suspicious render_failed waiting outside_window too_late test_call breaker_open sent_before
		perhaps_sent_before`
)

func TestEveryCodeIsThereOnce(t *testing.T) {
	t.Parallel()
	got := map[reason.Stage][]string{}
	for _, r := range reason.All() {
		got[r.Stage] = append(got[r.Stage], string(r.Code))
	}
	want := map[reason.Stage][]string{
		reason.StageGate:     strings.Fields(gateCodes),
		reason.StageDecision: strings.Fields(decisionCodes),
		reason.StageAction:   strings.Fields(actionCodes),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes by stage (-want +got):\n%s", diff)
	}
}

func TestEveryCodeHasItsWords(t *testing.T) {
	t.Parallel()
	sentences := map[string]reason.Code{}
	for _, r := range reason.All() {
		for what, text := range map[string]string{"sentence": r.Sentence, "remedy": r.Remedy} {
			if !strings.HasSuffix(text, ".") || len(text) < 10 {
				t.Errorf("%s: the %s %q is no sentence", r.Code, what, text)
			}
		}
		if other, taken := sentences[r.Sentence]; taken {
			t.Errorf("%s and %s share a sentence", r.Code, other)
		}
		sentences[r.Sentence] = r.Code
		if found, ok := reason.Of(r.Code); !ok || found != r || r.Code.Sentence() != r.Sentence || r.Code.Remedy() != r.Remedy {
			t.Errorf("%s: Of, Sentence and Remedy do not agree with All", r.Code)
		}
	}
}

func TestUnknownCode(t *testing.T) {
	t.Parallel()
	if r, ok := reason.Of("made_up"); ok || r.Sentence != "" {
		t.Errorf("got %+v, want no reason for a code that is not on the list", r)
	}
}

// TestEveryCodeHasItsPage: docs/operations/reasons.md has each code once, at its stage, with the sentence the program prints,
// and says what to do; and none that does not exist.
func TestEveryCodeHasItsPage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/operations/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	stages := map[reason.Stage]string{
		reason.StageGate: "At the gates", reason.StageDecision: "The decision", reason.StageAction: "An action of an automation that fired",
	}
	var want []string
	for _, r := range reason.All() {
		want = append(want, fmt.Sprintf("%s: %s: %s", stages[r.Stage], r.Code, r.Sentence))
	}
	var got []string
	stage := ""
	for _, part := range regexp.MustCompile(`(?m)^##`).Split(string(raw), -1)[1:] {
		if title, ok := strings.CutPrefix(part, " "); ok {
			stage, _, _ = strings.Cut(title, "\n")
			continue
		}
		code, rest, _ := strings.Cut(strings.TrimPrefix(part, "# "), "\n")
		sentence, does, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(rest), "> "), "\n")
		got = append(got, fmt.Sprintf("%s: %s: %s", stage, code, sentence))
		if !strings.Contains(does, "**Do:**") {
			t.Errorf("%s: the page does not say what to do", code)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes and pages (-codes +pages):\n%s", diff)
	}
}
