package variables

import (
	"slices"
	"strings"
)

// number accepts a number that was said: in figures or in English words, in the quote or elsewhere in its turn.
func (k *check) number(raw string) (value, problem string) {
	digits, negative := strings.CutPrefix(raw, "-")
	value, ok := decimal(digits)
	if !ok {
		return "", "it is not a number"
	}
	words := tokenize(k.turn)
	if negative && !strings.Contains(k.turn, "-") && !slices.ContainsFunc(words, func(t token) bool { return t.text == "minus" || t.text == "negative" }) {
		return "", "it is negative, and nothing negative was said"
	}
	if !saidAs(value, saidNumbers(words)) {
		return "", "the number does not stand in the words it is said to come from"
	}
	if negative && value != "0" {
		value = "-" + value
	}
	return value, ""
}

// decimal reads a number as a model writes it: 1250.5, 1,250.50, 12,5.
func decimal(s string) (string, bool) {
	readings := figures(strings.ReplaceAll(s, " ", ""))
	if len(readings) == 0 || len(s) > 24 || !isDigit(s[len(s)-1]) || !isDigit(s[0]) {
		return "", false
	}
	if len(readings) == 2 && strings.Contains(s, ".") {
		return readings[1], true // a single point is a decimal point
	}
	return readings[0], true
}

func saidAs(value string, said []saidNumber) bool {
	return slices.ContainsFunc(said, func(n saidNumber) bool { return slices.Contains(n.readings, value) })
}

// currency is one currency and how people name it.
type currency struct {
	code  string
	names []string
}

func currencies() []currency {
	dollars := []string{"$", "dollar", "dollars", "buck", "bucks"}
	crowns := []string{"kr", "krona", "kronor", "krone", "kroner", "crowns"}
	return []currency{
		{"EUR", []string{"€", "euro", "euros", "cent", "cents"}},
		{"GBP", []string{"£", "pound", "pounds", "quid", "pence", "sterling"}},
		{"USD", append(dollars, "cent", "cents")}, {"CAD", dollars}, {"AUD", dollars}, {"NZD", dollars}, {"SGD", dollars}, {"HKD", dollars},
		{"CHF", []string{"franc", "francs", "franken", "fr"}},
		{"JPY", []string{"¥", "yen"}}, {"CNY", []string{"¥", "yuan", "renminbi"}}, {"INR", []string{"₹", "rupee", "rupees", "rs"}},
		{"SEK", crowns}, {"NOK", crowns}, {"DKK", crowns}, {"CZK", []string{"crowns", "koruna", "korun", "kč"}},
		{"PLN", []string{"zloty", "złoty", "zł"}}, {"HUF", []string{"forint", "ft"}}, {"RON", []string{"leu", "lei"}},
		{"BRL", []string{"real", "reais", "r$"}}, {"MXN", append(dollars, "peso", "pesos")}, {"ZAR", []string{"rand"}},
		{"AED", []string{"dirham", "dirhams"}}, {"TRY", []string{"lira"}}, {"ILS", []string{"shekel", "shekels"}},
	}
}

// money accepts an amount and a currency that were both said, and gives them as "129.50 EUR".
func (k *check) money(raw string) (value, problem string) {
	amount, cur, ok := splitMoney(raw)
	if !ok {
		return "", "it is not an amount with a currency, such as 129.50 EUR"
	}
	words := tokenize(k.turn)
	if !saysCurrency(k.turn, words, cur) {
		return "", "the currency was not said"
	}
	if !saidAs(amount, saidNumbers(words)) && !saidInParts(amount, words, cur) {
		return "", "the amount does not stand in the words it is said to come from"
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	switch {
	case len(fraction) > 2, cur.code == "JPY" && fraction != "":
		return "", "the amount is finer than the currency's smallest coin"
	case cur.code == "JPY":
		return whole + " " + cur.code, ""
	}
	return whole + "." + (fraction + "00")[:2] + " " + cur.code, ""
}

// splitMoney reads "129.50 EUR", "EUR 129.50", "£40", "40 pounds".
func splitMoney(raw string) (amount string, cur currency, ok bool) {
	figures := strings.TrimFunc(raw, func(r rune) bool { return r < '0' || r > '9' })
	amount, ok = decimal(figures)
	if !ok {
		return splitParts(raw)
	}
	unit := strings.ToLower(strings.TrimSpace(strings.Replace(raw, figures, "", 1)))
	for _, c := range currencies() {
		if strings.EqualFold(unit, c.code) || slices.Contains(c.names, unit) && !strings.HasPrefix(unit, "cent") && unit != "pence" {
			return amount, c, true
		}
	}
	return "", currency{}, false
}

// splitParts reads an amount as it is said, "64 pounds 50".
func splitParts(raw string) (amount string, cur currency, ok bool) {
	f := strings.Fields(raw)
	if len(f) != 3 || len(f[2]) != 2 || !isDigit(f[2][0]) || !isDigit(f[2][1]) {
		return "", currency{}, false
	}
	whole, cur, ok := splitMoney(f[0] + " " + f[1])
	return whole + "." + f[2], cur, ok && !strings.Contains(whole, ".")
}

func saysCurrency(text string, words []token, c currency) bool {
	for _, name := range append([]string{strings.ToLower(c.code)}, c.names...) {
		sign := strings.ContainsAny(name, "€£$¥₹")
		if sign && strings.Contains(strings.ToLower(text), name) {
			return true
		}
		if slices.ContainsFunc(words, func(t token) bool {
			return t.text == name || strings.TrimLeft(t.text, "0123456789.,") == name && len(t.text) > len(name)
		}) {
			return true
		}
	}
	return false
}

// saidInParts finds an amount said as units and cents: "twelve fifty", "forty pounds fifty", "80 cents".
func saidInParts(amount string, words []token, c currency) bool {
	said := saidNumbers(words)
	whole, fraction, _ := strings.Cut(amount, ".")
	fraction = canonical((fraction + "00")[:2])
	for i, n := range said {
		after := ""
		if n.end < len(words) {
			after = words[n.end].text
		}
		if whole == "0" && slices.Contains([]string{"cent", "cents", "pence", "p"}, after) && slices.Contains(n.readings, fraction) {
			return true
		}
		if i+1 < len(said) && slices.Contains(n.readings, whole) && slices.Contains(said[i+1].readings, fraction) && onlyUnits(words[n.end:said[i+1].start], c) {
			return true
		}
	}
	return false
}

func onlyUnits(between []token, c currency) bool {
	return !slices.ContainsFunc(between, func(t token) bool {
		return t.text != "and" && !slices.Contains(c.names, t.text) && t.text != strings.ToLower(c.code)
	})
}
