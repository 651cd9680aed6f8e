package conversation

import "maps"

// Merge fills what earlier lacks from later (a later event of the same conversation): turns, summary, url, contact,
// metadata, and any plain field that was empty. What earlier has stays, except an empty or shorter transcript. Neither
// argument is changed. changed reports whether anything was added; a nil earlier gives later.
func Merge(earlier, later *Conversation) (merged *Conversation, changed bool) {
	if earlier == nil || later == nil {
		return firstOf(earlier, later), earlier == nil && later != nil
	}
	m := *earlier
	for _, f := range m.fields(later) {
		changed = fill(f.have, *f.found) || changed
	}
	changed = fill(&m.Channel, later.Channel) || changed
	changed = fill(&m.Direction, later.Direction) || changed
	changed = fill(&m.Status, later.Status) || changed
	if m.StartedAt.IsZero() && !later.StartedAt.IsZero() {
		m.StartedAt, changed = later.StartedAt, true
	}
	if m.EndedAt.IsZero() && !later.EndedAt.IsZero() {
		m.EndedAt, changed = later.EndedAt, true
	}
	if len(later.Turns) > len(m.Turns) {
		m.Turns, changed = later.Turns, true
	}
	for key, v := range later.Metadata {
		if _, has := earlier.Metadata[key]; has {
			continue
		}
		if len(m.Metadata) == len(earlier.Metadata) {
			m.Metadata = maps.Clone(earlier.Metadata)
		}
		if m.Metadata == nil {
			m.Metadata = map[string]any{}
		}
		m.Metadata[key], changed = v, true
	}
	return &m, changed
}

func firstOf(a, b *Conversation) *Conversation {
	if a != nil {
		return a
	}
	return b
}

// pair is a text field of one conversation beside the same field of another.
type pair struct{ have, found *string }

func (c *Conversation) fields(o *Conversation) []pair {
	return []pair{
		{&c.Agent.ID, &o.Agent.ID}, {&c.Agent.Name, &o.Agent.Name}, {&c.Timezone, &o.Timezone},
		{&c.FromNumber, &o.FromNumber}, {&c.ToNumber, &o.ToNumber},
		{&c.Customer.Name, &o.Customer.Name}, {&c.Customer.Email, &o.Customer.Email},
		{&c.Customer.Number, &o.Customer.Number}, {&c.Customer.CRMRecordID, &o.Customer.CRMRecordID},
		{&c.Summary, &o.Summary}, {&c.URL, &o.URL}, {&c.Queue, &o.Queue}, {&c.Note, &o.Note},
	}
}

func fill[S ~string](have *S, found S) bool {
	if *have != "" || found == "" {
		return false
	}
	*have = found
	return true
}
