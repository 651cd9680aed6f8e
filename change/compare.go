package change

import "aftercall/automation"

// Item is one thing that differs between two revisions.
type Item struct {
	Kind   string  `json:"kind"` // settings, person, group, variable, source, automation
	ID     string  `json:"id"`   // "" for settings
	Change string  `json:"change"`
	Fields []Field `json:"fields"`
}

// What can become of a thing.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Field is one field that differs; an empty value means that nothing was said.
type Field struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Compare lists what differs between two revisions: first what is there now, in its order, then what is gone.
func Compare(before, after *automation.Revision) []Item {
	type name struct{ kind, id string }
	old, now := things(before), things(after)
	was := map[name]thing{}
	for _, t := range old {
		was[name{t.kind, t.id}] = t
	}
	items := []Item{}
	for _, t := range now {
		before, known := was[name{t.kind, t.id}]
		delete(was, name{t.kind, t.id})
		i := Item{Kind: t.kind, ID: t.id, Change: Changed, Fields: differing(before.fields, t.fields)}
		if !known {
			i.Change = Added
		}
		if !known || len(i.Fields) > 0 {
			items = append(items, i)
		}
	}
	for _, t := range old {
		if _, gone := was[name{t.kind, t.id}]; gone {
			items = append(items, Item{Kind: t.kind, ID: t.id, Change: Removed, Fields: differing(t.fields, nil)})
		}
	}
	return items
}

// differing lists the fields that differ, those of now first.
func differing(before, after []field) []Field {
	was := map[string]string{}
	for _, f := range before {
		was[f.name] = f.value
	}
	fields := []Field{}
	for _, f := range after {
		if was[f.name] != f.value {
			fields = append(fields, Field{Name: f.name, Before: was[f.name], After: f.value})
		}
		delete(was, f.name)
	}
	for _, f := range before {
		if _, gone := was[f.name]; gone {
			fields = append(fields, Field{Name: f.name, Before: f.value})
		}
	}
	return fields
}
