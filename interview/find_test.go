package interview_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/reason"
)

func TestFind(t *testing.T) {
	t.Parallel()
	talk := turns(
		"agent: Would you like us to call you back?",                // 1
		"customer: Yes, please — don't call before 9.30, I'm busy!", // 2
		"customer: Yes.", // 3
		"tool: please call the customer back tomorrow",           // 4
		"customer: 请明天下午三点给我回电话，谢谢。",                             // 5
		"customer: It costs 12.50 euros in total",                // 6
		"customer: I 'm gonna need that re-sent to me",           // 7
		"customer: Rufen Sie mich bitte ZURÜCK, Ihr Straßencafé", // 8
		"customer: …", // 9
		"customer: ช่วยโทรกลับด้วย", // 10
	)
	const ok, no, who = reason.Code(""), reason.EvidenceNotFound, reason.WrongSpeaker
	cases := []struct {
		name  string
		turn  int
		quote string
		by    interview.Speaker
		want  reason.Code
	}{
		{"verbatim", 2, "don't call before 9.30", "", ok},
		{"case, spaces, punctuation", 2, "  YES PLEASE dont  call", interview.Customer, ok},
		{"typographic apostrophe", 2, "don’t call before", interview.Customer, ok},
		{"two words are too few", 2, "Yes, please", "", no},
		{"the whole turn is enough", 3, "yes", interview.Customer, ok},
		{"a whole turn elsewhere is not", 2, "yes", "", no},
		{"paraphrase", 2, "do not call before 9.30", "", no},
		{"gap", 2, "Yes please … I'm busy", "", no},
		{"half a word", 2, "all before 9.3", "", no},
		{"another turn", 1, "don't call before", "", no},
		{"turn 0", 0, "don't call before", "", no},
		{"negative turn", -1, "don't call before", "", no},
		{"turn beyond the end", 99, "don't call before", "", no},
		{"empty quote", 3, "", "", no},
		{"only punctuation", 9, "…", "", no},
		{"agent's words for the customer's", 1, "call you back", interview.Customer, who},
		{"agent's words for the agent's", 1, "call you back", interview.Agent, ok},
		{"customer's words for the agent's", 2, "don't call before", interview.Agent, who},
		{"agent's words for anyone's", 1, "call you back", interview.Anyone, ok},
		{"a tool is nobody", 4, "call the customer back", interview.Anyone, who},
		{"Chinese", 5, "下午三点给我回电话", interview.Customer, ok},
		{"six characters of Chinese", 5, "给我回电话谢", "", ok},
		{"five characters of Chinese", 5, "给我回电话", "", no},
		{"Chinese not said", 5, "后天下午三点给我", "", no},
		{"Thai", 10, "โทรกลับด้วย", "", ok},
		{"decimals are numbers", 6, "costs 12.50 euros", "", ok},
		{"another number", 6, "costs 1250 euros", "", no},
		{"token-split speech", 7, "I'm gonna need that", "", ok},
		{"umlauts in another composition", 8, "mich bitte zuru\u0308ck", "", ok},
		{"full width", 6, "ｃｏｓｔｓ １２．５０ ｅｕｒｏｓ", "", ok},
		{"zero-width characters", 6, "co\u200bsts 12.50 euros", "", ok},
		{"huge quote", 6, strings.Repeat("costs 12.50 euros ", 10_000), "", no},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := interview.Find(talk, interview.Evidence{Turn: c.turn, Quote: c.quote}, c.by); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzFind(f *testing.F) {
	f.Add("Please call me back on Tuesday", "call me back", 1)
	f.Add("请明天下午三点给我回电话", "下午三点给我", 1)
	f.Add("I 'm \xff here \u202e now", "i'm HERE", 0)
	f.Fuzz(func(t *testing.T, text, quote string, turn int) {
		talk := []conversation.Turn{{Role: conversation.RoleCustomer, Text: text}}
		got := interview.Find(talk, interview.Evidence{Turn: turn, Quote: quote}, interview.Customer)
		if got != "" && got != reason.EvidenceNotFound {
			t.Fatalf("got %q from the only speaker there is", got)
		}
		if turn != 1 && got == "" {
			t.Fatal("found in a turn that does not exist")
		}
		whole := interview.Find(talk, interview.Evidence{Turn: 1, Quote: text}, interview.Customer)
		if has := strings.ContainsAny(text, "abcdefghijklmnopqrstuvwxyz0123456789"); has && whole != "" && len(text) < 8000 && utf8.ValidString(text) {
			t.Fatalf("a whole turn is not its own evidence: %q", text)
		}
		if wrong := interview.Find(talk, interview.Evidence{Turn: 1, Quote: quote}, interview.Agent); wrong == "" {
			t.Fatal("the customer's words were taken for the agent's")
		}
	})
}

func BenchmarkFind(b *testing.B) {
	text := strings.Repeat("and then I told them that the parcel had not come, ", 20)
	talk := turns("customer: " + text + "so please call me back tomorrow at three")
	e := interview.Evidence{Turn: 1, Quote: "please call me back tomorrow"}
	b.ReportAllocs()
	for b.Loop() {
		if interview.Find(talk, e, interview.Customer) != "" {
			b.Fatal("not found")
		}
	}
}
