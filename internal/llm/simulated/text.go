package simulated

import (
	"regexp"
	"strings"
)

// sentences cuts a turn into sentences. A point within a number or an address does not end one.
func sentences(text string) []string {
	var all []string
	from := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '\n' || (c == '.' || c == '!' || c == '?') && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\n') {
			if s := strings.TrimSpace(text[from : i+1]); s != "" {
				all = append(all, s)
			}
			from = i + 1
		}
	}
	if s := strings.TrimSpace(text[from:]); s != "" {
		all = append(all, s)
	}
	return all
}

// quote is a sentence as evidence: the whole turn if the sentence has fewer than three words.
func quote(t turn, sentence string) evidence {
	if len(strings.Fields(sentence)) < 3 {
		return evidence{Turn: t.T, Quote: t.Text}
	}
	return evidence{Turn: t.T, Quote: sentence}
}

// stems are the words of a text that carry meaning, without endings, each as the name of its family if it has one.
func (r *rules) stems(text string) []string {
	var all []string
	for _, w := range r.word.FindAllString(strings.ToLower(text), -1) {
		w = strings.Trim(w, "'")
		if len(w) < 2 || r.stop[w] {
			continue
		}
		s := stem(w)
		if f, ok := r.family[s]; ok {
			s = f
		}
		all = append(all, s)
	}
	return all
}

// stem takes off an English ending, roughly.
func stem(w string) string {
	w = strings.TrimSuffix(w, "'s")
	for _, e := range []struct{ end, with string }{
		{"ies", "y"}, {"ing", ""}, {"edly", ""}, {"ed", ""}, {"ly", ""}, {"es", ""}, {"s", ""}, {"e", ""},
	} {
		if s, ok := strings.CutSuffix(w, e.end); ok && len(s) >= 3 {
			w = s + e.with
			break
		}
	}
	if n := len(w); n > 3 && w[n-1] == w[n-2] && w[n-1] != 's' && w[n-1] != 'l' {
		w = w[:n-1]
	}
	return w
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(words) {
		all[w] = true
	}
	return all
}

// families are words that mean much the same at a call centre, by the name of the family.
func families() map[string]string {
	all := map[string]string{}
	for name, words := range map[string]string{
		"money":     "money bill billing invoice payment pay paid charge refund price cost fee balance debit credit accounting finance overcharge",
		"technical": "technical bug error crash broken fault glitch outage login password software app website internet wifi router server device malfunction tech",
		"sales":     "sales buy purchase order quote pricing demo trial upgrade subscription product offer",
		"booking":   "appointment booking reservation schedule reschedule book meeting visit viewing slot",
		"urgent":    "urgent emergency critical asap immediately immediate danger dangerous safety outage severe severity",
		"minor":     "minor small cosmetic trivial whenever slight low",
		"complaint": "complaint complain unhappy angry upset frustrat disappoint terrible awful unacceptabl dissatisf",
		"delivery":  "delivery deliver shipping ship parcel package courier shipment",
		"cancel":    "cancel cancellation terminate quit leave",
	} {
		for _, w := range strings.Fields(words) {
			all[stem(w)] = name
		}
	}
	return all
}

// negated reports whether what stands before a match turns it into its opposite, or what follows makes it needless.
func (r *rules) negated(before, after string) bool {
	if r.notReally.MatchString(before) {
		return false
	}
	return r.not.MatchString(before) || r.needless.MatchString(after)
}

// accepts reports whether a customer's words take up an offer.
func (r *rules) accepts(text string) bool {
	return !r.declines(text) && r.accept.MatchString(text)
}

// declines reports whether a customer's words turn an offer down.
func (r *rules) declines(text string) bool { return r.decline.MatchString(text) }

// wavers reports whether a customer's words neither take an offer up nor turn it down, and say so.
func (r *rules) wavers(text string) bool { return r.waver.MatchString(text) }

// rules are the compiled patterns.
type rules struct {
	topics                          []topic
	stop                            map[string]bool
	family                          map[string]string
	word, not, notReally, needless  *regexp.Regexp
	accept, decline, waver, orders  *regexp.Regexp
	email, phone, money, link, code *regexp.Regexp
	number, name                    *regexp.Regexp
	isoDate, dayMonth, monthDay     *regexp.Regexp
	weekday, relative, ordinal      *regexp.Regexp
	clock, halfPast, when, unwanted *regexp.Regexp
}

func newRules() *rules {
	const months = `january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec`
	const days = `monday|tuesday|wednesday|thursday|friday|saturday|sunday`
	const hours = `one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,2}`
	re := func(p string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + p) }
	return &rules{
		topics: topics(), family: families(), orders: orders(),
		stop: set(`a an the and or but if of to in on at by for from with about as is are was were be been being am do does did done have has had
			i you he she it we they me him her us them my your his its our their this that these those there here what which who whom when where why how
			not no yes so than then too very can could will would shall should may might must just also any some all each say said says mention mentioned
			ask asked asks tell told customer caller agent conversation call during somebody someone anybody anyone something anything want wanted wants
			express expressed speak get got one two up out over into please thank thanks hello hi okay ok whether either like`),
		word:      re(`[\p{L}\p{N}']+`),
		not:       re(`\b(not|never|don't|dont|doesn't|didn't|didnt|without|needn't|won't|wouldn't|isn't|wasn't|aren't|can't|cannot|no need|rather not|instead of|nobody|neither|nor|if i|if we|if you)\b[^.,;:!?]{0,40}$|\bno(\s+\w+)?\s*$`),
		notReally: re(`\b(don't|do not|didn't) (forget|hesitate)|\bnot only\b|\bwhy (didn't|don't|haven't|can't|won't)\b|\b(can't|cannot) wait\b|\bif (you|it|there|not|possible|that)\b[^,]*,?\s*(please|could|can)\b`),
		needless:  re(`^[^.,;!?]{0,25}\b(is|was|will be|would be)?\s*(not|n't|no longer|hardly)\s+(be\s+)?(needed|necessary|required|wanted)`),
		accept:    re(`^\W*((oh|ah|okay|ok|well|hm+|um|uh|and)\W+)*(yes|yeah|yep|yup|sure|ok|okay|please|definitely|absolutely|of course|certainly|that would|that'd|that's|sounds|great|perfect|lovely|fine|alright|all right|go ahead|works|brilliant|good|wonderful|excellent|thanks|thank you|no problem|cool)\b`),
		decline:   re(`^\W*((oh|ah|okay|ok|well|hm+|um|uh|thanks|thank you)\W+)*(no[,.!]|no$|no (thanks|thank|need|i|it|that|not|don't|we|just)\b|(thanks|thank you),? but|nah|nope|not (now|today|really|necessary|needed|at)|don't|do not|i don't|i do not|i'd rather|rather not|never mind|i('m| am) (good|fine|ok|okay)\b|(that's|that is|it's|it is) not (necessary|needed)|that won't be|there's no need)`),
		waver:     re(`^\W*((oh|ah|okay|ok|well|hm+|um|uh|and)\W+)*(maybe|perhaps|possibly|i might|i may|i('m| am) not sure|i don't know|i do not know|let me think|i('ll| will| would) (have|need) to (think|see|check))\b`),
		unwanted:  re(`\b(can't|cannot|can not|couldn't|won't|doesn't|not) (do|make|manage|work|suit|on|at|before|after)\b|\b(doesn't|does not|won't) (work|suit)|\b(is|are|was) (fully booked|taken|not available|unavailable)`),
		email:     re(`[a-z0-9._%+-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}`),
		phone:     re(`\+?\(?\d[\d\s().\-/]{5,}\d`),
		money:     re(`([$€£])\s?(\d[\d,]*(?:\.\d{1,2})?)|(\d[\d,]*(?:\.\d{1,2})?)\s?(dollars?|euros?|pounds?|usd|eur|gbp|chf|francs?|bucks|quid)\b`),
		link:      re(`(https?://|www\.)[^\s<>"']+[^\s<>"'.,;!?)]`),
		code:      re(`\b[a-z]{0,5}[-#]?\d[\da-z-]{2,}\b`),
		number:    re(`-?\d+(?:[.,]\d+)?|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred)\b`),
		name:      re(`\b(?:my name is|my name's|this is|name is|it's|i am|i'm|speaking with|name:)\s+((?-i:\p{Lu})[\p{L}'-]+(?:\s+(?-i:\p{Lu})[\p{L}'-]+){0,2})`),
		isoDate:   re(`\b(\d{4})-(\d{2})-(\d{2})\b`),
		dayMonth:  re(`\b(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?\s+(` + months + `)\b(?:,?\s+(\d{4}))?`),
		monthDay:  re(`\b(` + months + `)\s+(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?`),
		weekday:   re(`\b(next\s+)?(` + days + `)\b`),
		relative:  re(`\b(the day after tomorrow|tomorrow|today|tonight)\b`),
		ordinal:   re(`\bthe\s+(\d{1,2})(?:st|nd|rd|th)\b|\b(\d{1,2})(?:st|nd|rd|th)\b`),
		clock:     re(`\b(?:(?:(?:at|after|before|around|about|by|until|from)\s+)?(\d{1,2})[:.](\d{2})\s*(am|pm|a\.m|p\.m)?|(` + hours + `)\s*(am|pm|a\.m|p\.m|o'?clock)|(?:at|after|before|around|about|by|until|from)\s+(` + hours + `)\b(?:\s+(?:in the )?(morning|afternoon|evening))?|(noon|midday|midnight))`),
		halfPast:  re(`\b(half|quarter)\s+(past\s+|to\s+)?(` + hours + `)\b`),
		when:      re(`\b((early |late )?(tomorrow|today|tonight|this|next|any ?time|morning|afternoon|evening|monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend|week|noon|lunch)\b|(after|before|around|between|at|by|until)\s+(` + hours + `)\b|\d{1,2}[:.]\d{2}|\bo'?clock|as soon as possible|asap|half (past )?(` + hours + `))`),
	}
}
