package main

import (
	"fmt"
	"slices"

	"github.com/google/licensecheck"
)

// accepted are the licences that what we link may have, by their SPDX identifiers. Each lets us hand out a closed or an
// open binary; docs/operations/supply-chain.md gives the reasons, and a test holds the two together.
func accepted() []string {
	return []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PostgreSQL"}
}

// known is how much of a licence file must be the text of known licences, in per cent. Names and years are the rest; a
// clause that somebody added falls below it.
const known = 90

// text is a licence file and what was recognised in it.
type text struct {
	name    string // below its module's root
	content string
	ids     []string // SPDX identifiers, sorted; none if the text is not known
}

// recognise reads a licence's text. A mere link to a licence is none.
func recognise(name string, content []byte) text {
	t := text{name: name, content: string(content)}
	coverage := licensecheck.Scan(content)
	if coverage.Percent < known {
		return t
	}
	for _, m := range coverage.Match {
		if !m.IsURL {
			t.ids = append(t.ids, m.ID)
		}
	}
	slices.Sort(t.ids)
	t.ids = slices.Compact(t.ids)
	return t
}

// check says what is wrong with a text: that nobody knows it, or that the list lacks it. Of several licences in a file
// each must be on the list, for nothing here can tell "or" from "and".
func (t text) check(list []string) error {
	if len(t.ids) == 0 {
		return fmt.Errorf("%s is not a licence text we know: read it, and use something else or ask for a plain licence", t.name)
	}
	for _, id := range t.ids {
		if !slices.Contains(list, id) {
			return fmt.Errorf("%s is %s, which is not on the list: use something else, or add it to internal/licences/list.go "+
				"with a reason in docs/operations/supply-chain.md", t.name, id)
		}
	}
	return nil
}
