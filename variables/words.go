package variables

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// token is one word of a quote, lower case, without the punctuation around it. Numbers and written dates keep the
// separators inside them; words joined by a hyphen are two.
type token struct{ text string }

func tokenize(s string) []token {
	var all []token
	for _, field := range strings.Fields(strings.ToLower(s)) {
		field = signs.Replace(field)
		for _, word := range splitHyphens(field) {
			word = strings.TrimFunc(word, func(r rune) bool {
				return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("€£$¥+%", r)
			})
			if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz.") == "" {
				word = strings.ReplaceAll(word, ".", "") // p.m.
			}
			if word != "" {
				all = append(all, token{word})
			}
		}
	}
	return all
}

var signs = strings.NewReplacer("’", "'", "–", "-", "—", " ")

// splitHyphens cuts twenty-fourth and mid-May, but not 2026-11-24.
func splitHyphens(s string) []string {
	var parts []string
	start := 0
	for i := 1; i+1 < len(s); i++ {
		if (s[i] == '-' || s[i] == ' ') && (isLetter(s[i-1]) || isLetter(s[i+1])) {
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 0x80 }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// wordValue reads one English number word below a hundred.
func wordValue(w string) (int64, bool) {
	if i := slices.Index(belowTwenty, w); i >= 0 {
		return int64(i), true
	}
	if i := slices.Index(tens, w); i >= 0 {
		return int64(i+2) * 10, true
	}
	return 0, w == "oh"
}

var (
	belowTwenty = strings.Fields(`zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
		sixteen seventeen eighteen nineteen`)
	tens = strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety")
)

func scaleValue(w string) (int64, bool) {
	switch w {
	case "hundred":
		return 100, true
	case "thousand", "grand":
		return 1000, true
	case "million":
		return 1_000_000, true
	}
	return 0, false
}

// saidNumber is a number in a text: the ways it can be read, and the words it takes.
type saidNumber struct {
	readings   []string // canonical decimals
	start, end int      // tokens
}

// saidNumbers lists the numbers in a text, in figures or in English words.
func saidNumbers(words []token) []saidNumber {
	var all []saidNumber
	for i := 0; i < len(words); {
		if readings := figures(words[i].text); len(readings) > 0 {
			all = append(all, saidNumber{withScale(readings, words, i+1), i, i + 1})
			i++
			continue
		}
		if value, next, ok := spelled(words, i); ok {
			all = append(all, saidNumber{[]string{value}, i, next})
			i = next
			continue
		}
		i++
	}
	return all
}

// withScale adds the reading of "2 thousand" to those of "2".
func withScale(readings []string, words []token, next int) []string {
	if next >= len(words) {
		return readings
	}
	scale, ok := scaleValue(words[next].text)
	if !ok {
		return readings
	}
	var all []string
	for _, r := range readings {
		if n, err := strconv.ParseFloat(r, 64); err == nil {
			all = append(all, canonical(strconv.FormatFloat(n*float64(scale), 'f', -1, 64)))
		}
	}
	return all
}

// spelled reads a number in words that begins at i: twenty two, a hundred and five, two thousand, three point five.
func spelled(words []token, i int) (value string, next int, ok bool) {
	total, group, last := int64(0), int64(0), int64(-1)
	start := i
	if i+1 < len(words) && (words[i].text == "a" || words[i].text == "an") {
		if _, scale := scaleValue(words[i+1].text); scale {
			group, i, last = 1, i+1, 1
		}
	}
	for ; i < len(words) && total < 1_000_000_000; i++ {
		w := words[i].text
		if n, is := wordValue(w); is {
			if !continues(last, n) {
				break
			}
			group, last = group+n, n
			continue
		}
		scale, is := scaleValue(w)
		if is && last >= 0 {
			if group, last = max(group, 1)*scale, scale; scale >= 1000 {
				total, group = total+group, 0
			}
			continue
		}
		if w == "and" && last >= 100 && i+1 < len(words) {
			if _, more := wordValue(words[i+1].text); more {
				continue
			}
		}
		break
	}
	if last < 0 || i == start {
		return "", start, false
	}
	value = strconv.FormatInt(total+group, 10)
	return spelledFraction(value, words, i)
}

// continues reports whether a number word can follow another in one number: twenty two, but not two twenty.
func continues(last, n int64) bool {
	return last < 0 || last >= 100 || last >= 20 && last%10 == 0 && n > 0 && n < 10
}

// spelledFraction reads "point five oh" after a number.
func spelledFraction(value string, words []token, i int) (string, int, bool) {
	if i+1 >= len(words) || words[i].text != "point" {
		return value, i, true
	}
	digits := ""
	j := i + 1
	for ; j < len(words); j++ {
		n, ok := wordValue(words[j].text)
		if !ok || n > 9 {
			break
		}
		digits += strconv.FormatInt(n, 10)
	}
	if digits == "" {
		return value, i, true
	}
	return canonical(value + "." + digits), j, true
}

// figures reads a word in figures: 12, 1,250.50, 1.250,50, £40, 5%, 2k. A single separator before three digits can be
// either, so that both readings count.
func figures(word string) []string {
	word = strings.TrimFunc(word, func(r rune) bool { return strings.ContainsRune("€£$¥+%", r) })
	end := strings.LastIndexFunc(word, unicode.IsDigit) + 1
	if tail := word[end:]; end == 0 || !isDigit(word[0]) || strings.Trim(tail, "abcdefghijklmnopqrstuvwxyz€£$¥%") != "" {
		return nil
	}
	word = word[:end]
	if strings.Trim(word, "0123456789.,'") != "" {
		return nil
	}
	word = strings.ReplaceAll(word, "'", "")
	dot, comma := strings.LastIndexByte(word, '.'), strings.LastIndexByte(word, ',')
	last := max(dot, comma)
	if last < 0 {
		return []string{canonical(word)}
	}
	whole := strings.NewReplacer(".", "", ",", "").Replace(word[:last])
	decimal := canonical(whole + "." + word[last+1:])
	grouped := canonical(whole + word[last+1:])
	one := strings.Count(word, ".")+strings.Count(word, ",") == 1
	switch {
	case dot >= 0 && comma >= 0, one && len(word)-last-1 != 3:
		return []string{decimal}
	case one:
		return []string{grouped, decimal}
	}
	return []string{grouped}
}

// canonical writes a decimal without useless zeros: 007.50 is 7.5.
func canonical(s string) string {
	whole, fraction, _ := strings.Cut(s, ".")
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		return whole + "." + fraction
	}
	return whole
}
