package rehearsal

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"aftercall/triggers"
)

// Diff is one cell that is not as it is wanted.
type Diff struct {
	Cell, Got, Want string
	Notes           []string // what may explain it
}

// compare lists what is not as it is wanted, in the order in which an author writes it.
func (w Want) compare(o *outcome) []Diff {
	var all []Diff
	add := func(d Diff, differs bool) {
		if differs {
			all = append(all, d)
		}
	}
	add(o.fired("fires", triggers.Fires, w.Fires))
	add(o.fired("unsure", triggers.Unsure, w.Unsure))
	if w.Holds != nil {
		add(sets("holds", o.holding(), *w.Holds))
	}
	for _, v := range w.Variables {
		add(o.valued(v))
	}
	for _, id := range slices.Sorted(maps.Keys(w.Routes)) {
		got := o.branch(id)
		add(Diff{Cell: "route of " + id, Got: got, Want: w.Routes[id]}, got != w.Routes[id])
	}
	for _, a := range w.Actions {
		all = append(all, o.matching(a)...)
	}
	for _, channel := range w.Silent {
		got := []string{}
		for _, a := range o.of(channel, "") {
			got = append(append(got, a.to...), a.held...)
		}
		add(sets(channel, got, nil))
	}
	add(o.forbidden(w.NeverTo))
	return all
}

// fired compares the automations with a verdict, and says why each odd one is as it is.
func (o *outcome) fired(cell string, v triggers.Verdict, want *[]string) (Diff, bool) {
	if want == nil {
		return Diff{}, false
	}
	d, differs := sets(cell, o.verdicts(v), *want)
	if !differs {
		return d, false
	}
	for _, a := range o.account.Automations {
		dec := o.decision(a.ID)
		if (dec.Verdict == v) == slices.Contains(*want, a.ID) {
			continue
		}
		note := fmt.Sprintf("%s: %s, %s", a.ID, dec.Verdict, dec.Reason)
		if dec.Detail != "" {
			note += ": " + dec.Detail
		}
		d.Notes = append(d.Notes, note)
		for _, e := range dec.Evidence {
			d.Notes = append(d.Notes, fmt.Sprintf("%s: turn %d: %q", a.ID, e.Turn, e.Quote))
		}
	}
	return d, true
}

// sets compares two lists in which order does not matter.
func sets(cell string, got, want []string) (Diff, bool) {
	got, want = unique(got), unique(want)
	extra, missing := without(got, want), without(want, got)
	d := Diff{Cell: cell, Got: "[" + strings.Join(got, ", ") + "]", Want: "[" + strings.Join(want, ", ") + "]"}
	if len(extra) > 0 && len(got)+len(want) > 2 {
		d.Notes = append(d.Notes, "not wanted: "+strings.Join(extra, ", "))
	}
	if len(missing) > 0 && len(got)+len(want) > 2 {
		d.Notes = append(d.Notes, "missing: "+strings.Join(missing, ", "))
	}
	return d, len(extra)+len(missing) > 0
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

func (o *outcome) valued(w wantedValue) (Diff, bool) {
	text, there := o.value(w.name)
	d := Diff{Cell: w.name, Got: "not stated", Want: w.is.String()}
	if there {
		d.Got = fmt.Sprintf("%q", text)
	}
	for _, v := range o.Plan.Values {
		if v.Name == w.name && v.Problem != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("%s: %s", v.Status, v.Problem))
		}
	}
	return d, !w.is.fits(text, there)
}

// of are the actions of a channel, of one automation or of any.
func (o *outcome) of(channel, id string) []action {
	return slices.DeleteFunc(slices.Clone(o.actions), func(a action) bool {
		return a.channel != channel || id != "" && a.automation != id
	})
}

// matching looks for an action that is as wanted. If there is none, it tells how the closest one differs.
func (o *outcome) matching(w wantedAction) []Diff {
	var closest []Diff
	some := o.of(w.channel, w.of)
	for i, a := range some {
		diffs := o.against(a, w)
		if len(diffs) == 0 {
			return nil
		}
		if i == 0 || len(diffs) < len(closest) {
			closest = diffs
		}
	}
	if len(some) == 0 {
		d := Diff{Cell: w.channel, Got: "none", Want: "one"}
		if w.of != "" {
			d.Want = "one of " + w.of
		}
		return []Diff{d}
	}
	return closest
}

func (o *outcome) against(a action, w wantedAction) []Diff {
	var all []Diff
	cell := a.channel + " of " + a.automation
	if w.to == nil && len(a.to)+len(a.held) == 0 {
		return []Diff{{Cell: cell, Got: "goes to nobody", Want: "goes out", Notes: a.left}}
	}
	for _, whom := range []struct {
		name string
		got  []string
		want *[]string
	}{{"to", a.to, w.to}, {"held", a.held, w.held}} {
		if whom.want == nil {
			continue
		}
		if d, differs := sets(cell+", "+whom.name, whom.got, o.reach(*whom.want, a.channel)); differs {
			d.Notes = append(d.Notes, a.left...)
			all = append(all, d)
		}
	}
	for _, t := range w.texts {
		if got := a.texts[t.field]; !t.is.fits(got, got != "") {
			all = append(all, text(cell+", "+t.field, got, t.is))
		}
	}
	return all
}

// text tells how a text differs. Of one of several lines that should be equal, the first line that differs is shown; of
// another one the lines themselves, so that they can be read.
func text(cell, got string, want match) Diff {
	d := Diff{Cell: cell, Got: fmt.Sprintf("%q", got), Want: want.String()}
	switch {
	case len(want.any) == 1 && strings.Contains(got+want.any[0], "\n"):
		a, b := strings.Split(got, "\n"), strings.Split(want.any[0], "\n")
		for i := range max(len(a), len(b)) {
			if x, y := line(a, i), line(b, i); x != y {
				d.Cell, d.Got, d.Want = fmt.Sprintf("%s, line %d", cell, i+1), x, y
				break
			}
		}
	case strings.Contains(strings.TrimRight(got, "\n"), "\n"):
		lines := strings.Split(strings.TrimRight(got, "\n"), "\n")
		d.Got = fmt.Sprintf("%d lines", len(lines))
		for _, l := range lines {
			d.Notes = append(d.Notes, "| "+l)
		}
	}
	return d
}

func line(lines []string, i int) string {
	if i >= len(lines) {
		return "nothing"
	}
	return fmt.Sprintf("%q", lines[i])
}

// forbidden tells whether anything would go to an address that a pattern names.
func (o *outcome) forbidden(patterns []string) (Diff, bool) {
	var hit []string
	for _, address := range o.everybody() {
		for _, p := range patterns {
			if ok, _ := path.Match(whole(p), whole(strings.ToLower(address))); ok { // the pattern was tried when it was read
				hit = append(hit, address)
				break
			}
		}
	}
	return Diff{Cell: "never_to", Got: "[" + strings.Join(hit, ", ") + "]", Want: "nobody like " + strings.Join(patterns, ", ")}, len(hit) > 0
}

// whole puts something else in the place of a slash, which may stand in an address and ends what a * stands for.
func whole(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
