package dashboard

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/people"
)

// Phone numbers and addresses are masked for those who have no right to see them: whole fields, and in every text wherever
// something looks like one. What a page's own links are made of (our ids, the platform's) stays. A number spelt in
// words stays, too: it cannot be told from other words.

// hidden stands for what is masked.
const hidden = "•••"

// fewestDigits of a number that somebody can be called under from elsewhere.
const fewestDigits = 7

// What looks like an address, or like a number with whatever people put between digits. Too much masked costs a viewer a
// click, too little is a leak.
var (
	addressLike = regexp.MustCompile(`[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}.-]*[\p{L}\p{N}]`)
	numberLike  = regexp.MustCompile(`\+?\(?\p{Nd}[\p{Nd}\s().,/\x{00A0}\x{2010}-\x{2015}-]{5,}\p{Nd}`)
	dateLike    = regexp.MustCompile(`^\p{Nd}{4}-\p{Nd}{2}-\p{Nd}{2}(?:[ T]\p{Nd}{2})?$`)
)

// maskText masks what looks like a phone number or an address in s.
func maskText(s string) string {
	s = addressLike.ReplaceAllStringFunc(s, maskAddress)
	return numberLike.ReplaceAllStringFunc(s, func(found string) string {
		if len(digitsOf(found)) < fewestDigits || dateLike.MatchString(found) {
			return found
		}
		return maskNumber(found)
	})
}

func maskTexts(ss ...*string) {
	for _, s := range ss {
		*s = maskText(*s)
	}
}

func maskList(ss []string) {
	for i := range ss {
		ss[i] = maskText(ss[i])
	}
}

// maskWhole masks a field that is a number or an address, however it is written.
func maskWhole(ss ...*string) {
	for _, s := range ss {
		if strings.Contains(*s, "@") {
			*s = maskAddress(*s)
		} else {
			*s = maskNumber(*s)
		}
	}
}

// maskNumber leaves the country and the last two digits, so that two callers of a list can be told apart.
func maskNumber(s string) string {
	digits := digitsOf(s)
	if len(digits) < 4 {
		return s // an extension, or no number at all
	}
	head := ""
	if strings.HasPrefix(s, "+") && len(digits) >= fewestDigits {
		head = "+" + string(digits[:2]) + " "
	}
	return head + hidden + " " + string(digits[len(digits)-2:])
}

// maskAddress leaves the first letter.
func maskAddress(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 || first == '@' {
		return hidden
	}
	return string(first) + hidden + "@" + hidden
}

func digitsOf(s string) (digits []rune) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits = append(digits, r)
		}
	}
	return digits
}

func maskEvidence(es []interview.Evidence) {
	for i := range es {
		es[i].Quote = maskText(es[i].Quote)
	}
}

func maskFields(fields map[string]string) {
	for k, v := range fields {
		fields[k] = maskText(v)
	}
}

func maskContent(c *store.Content) {
	maskTexts(&c.Subject, &c.Text, &c.HTML)
	maskFields(c.Fields)
	maskList(c.To)
	maskList(c.CC)
	maskList(c.ReplyTo)
}

// maskBeginning leaves nothing at the end of a text that was cut which may be half of a number or an address.
func maskBeginning(d *store.StoryDelivery) {
	if text := &d.Content.Text; d.TextCut() {
		*text = (*text)[:strings.LastIndexFunc(*text, unicode.IsSpace)+1]
		*text = strings.TrimRightFunc(*text, func(r rune) bool { return !unicode.IsLetter(r) })
	}
}

// maskPeople masks who put a decision right, and what they wrote on it.
func maskPeople(d *store.StoryDecision) {
	if d.Settled != nil {
		maskTexts(&d.Settled.By)
	}
	if d.Mark != nil {
		maskTexts(&d.Mark.By, &d.Mark.Note)
	}
}

func maskConversation(s *store.Story) {
	c := s.Conversation
	if c == nil {
		return
	}
	maskWhole(&c.FromNumber, &c.ToNumber, &c.Customer.Number, &c.Customer.Email)
	maskTexts(&c.Customer.Name, &c.Summary, &c.Queue, &c.Note)
	if c.URL != maskText(c.URL) {
		c.URL = ""
	}
	for i := range c.Turns {
		c.Turns[i].Text = maskText(c.Turns[i].Text)
	}
	for k, v := range c.Metadata {
		c.Metadata[k] = maskText(fmt.Sprint(v))
	}
}

// maskStory masks a story where it stands: it was read for one page.
func maskStory(s *store.Story) {
	maskConversation(s)
	maskTexts(&s.Summary)
	maskEvents(s.Events)
	for i := range s.Decisions {
		maskTexts(&s.Decisions[i].Detail)
		maskPeople(&s.Decisions[i])
		maskEvidence(s.Decisions[i].Evidence)
	}
	for i := range s.Values {
		v := &s.Values[i].Is
		maskTexts(&v.Value, &v.Raw, &v.Problem, &v.Evidence.Quote)
	}
	for i := range s.Deliveries {
		d := &s.Deliveries[i]
		maskTexts(&d.Recipient, &d.Detail, &d.Address)
		maskBeginning(d)
		maskContent(&d.Content)
		for j := range d.Attempts {
			maskTexts(&d.Attempts[j].Detail)
		}
		for j := range d.Settled {
			maskTexts(&d.Settled[j].By)
		}
	}
	for i := range s.Runs {
		maskTexts(&s.Runs[i].By, &s.Runs[i].Problem)
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		maskTexts(&t.Title, &t.Description, &t.Assignee)
	}
}

// maskRows masks those rows of a list whose accounts p may not see in full.
func maskRows(rows []store.ConversationRow, p people.Person) {
	for i := range rows {
		if !p.May(people.Addresses, rows[i].AccountID) {
			maskWhole(&rows[i].CustomerNumber)
			maskTexts(&rows[i].CustomerName, &rows[i].Point)
		}
	}
}

// maskCaptured masks a captured message where it stands.
func maskCaptured(c *store.Captured) {
	maskTexts(&c.To, &c.Subject, &c.Text, &c.HTML, &c.Point)
	maskFields(c.Fields)
}

// maskDeliveries masks those deliveries of a list whose accounts p may not see in full.
func maskDeliveries(rows []store.DeliveryRow, p people.Person) {
	for i := range rows {
		if !p.May(people.Addresses, rows[i].AccountID) {
			maskTexts(&rows[i].Recipient, &rows[i].Address, &rows[i].Detail)
		}
	}
}
