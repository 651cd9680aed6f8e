package dashboard

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"aftercall/internal/store"
)

// Prices are what models cost, as an operator says. The zero Prices is none: then only tokens are shown.
type Prices struct {
	Currency string
	models   map[string]price
}

// price is for a million tokens each.
type price struct{ in, cached, out float64 }

// ParsePrices reads prices: "USD gpt-4.1-mini=0.40/0.10/1.60, gpt-4.1=2/0.5/8", the currency and then for each model what a
// million tokens cost: read, read from the provider's cache, and written.
func ParsePrices(s string) (Prices, error) {
	currency, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	if currency == "" {
		return Prices{}, nil
	}
	p := Prices{Currency: currency, models: map[string]price{}}
	for _, one := range strings.Split(rest, ",") {
		model, figures, ok := strings.Cut(strings.TrimSpace(one), "=")
		parts := strings.Split(figures, "/")
		if !ok || model == "" || len(parts) != 3 {
			return Prices{}, errors.New("want a currency and prices of a million tokens: USD gpt-4.1-mini=0.40/0.10/1.60 (read/cached/written), several with commas")
		}
		var of [3]float64
		for i, part := range parts {
			f, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
			if err != nil || !(f >= 0 && f < 1e6) {
				return Prices{}, fmt.Errorf("the price of %s: want numbers such as 0.40/0.10/1.60", model)
			}
			of[i] = f
		}
		p.models[model] = price{of[0], of[1], of[2]}
	}
	return p, nil
}

// None reports whether there are no prices.
func (p Prices) None() bool { return len(p.models) == 0 }

// of finds a model's price: its own, or that of the longest name it begins with, because providers answer with a dated name
// (gpt-4.1-mini-2025-04-14).
func (p Prices) of(model string) (found price, ok bool) {
	longest := -1
	for name, price := range p.models {
		if (name == model || strings.HasPrefix(model, name+"-")) && len(name) > longest {
			found, ok, longest = price, true, len(name)
		}
	}
	return found, ok
}

// bill is tokens with what they cost, as far as prices are known.
type bill struct {
	store.Tokens
	money    float64
	unpriced bool // some of the tokens have no price
}

func (b *bill) add(u store.Usage, p Prices) {
	b.Tokens = b.Tokens.Add(u.Tokens)
	price, ok := p.of(u.Model)
	if !ok {
		b.unpriced = b.unpriced || u.Tokens != (store.Tokens{})
		return
	}
	b.money += (float64(u.In-u.Cached)*price.in + float64(u.Cached)*price.cached + float64(u.Out)*price.out) / 1e6
}

// cost writes the money: "1.23 USD", "at least 1.23 USD" where a model has no price, "" where none has.
func (b bill) cost(p Prices) string {
	switch {
	case p.None() || b.unpriced && b.money == 0:
		return ""
	case b.unpriced:
		return "at least " + money(b.money, p.Currency)
	}
	return money(b.money, p.Currency)
}

// money writes small sums so that they are not nothing.
func money(sum float64, currency string) string {
	digits := 2
	if sum > 0 && sum < 1 {
		digits = 4
	}
	return strconv.FormatFloat(sum, 'f', digits, 64) + " " + currency
}
