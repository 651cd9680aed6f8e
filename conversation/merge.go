package conversation

import "maps"

// Ranks say how far an event's word on a thing is believed beside that of other events of the same conversation: the highest
// rank wins, in whatever order they come, and of equal ones the first. Only a platform's adapter knows; a platform that posts a
// call once needs none. Things have the names of the native format, such as agent.id, status or metadata.plan.
type Ranks map[string]int

// Rest is the name under which Ranks have what they do not name.
const Rest = "rest"

func (r Ranks) of(thing string) int {
	if rank, named := r[thing]; named {
		return rank
	}
	return r[Rest]
}

// Merge joins what two events of one conversation say: each field is what the event says whose rank is highest of those that say
// anything, or whichever came first. Of two transcripts the longer one is taken before ranks are asked. Neither argument is
// changed. changed reports whether later added anything, were it only a higher rank; a nil earlier gives later.
func Merge(earlier, later *Conversation) (merged *Conversation, changed bool) {
	if earlier == nil || later == nil {
		return firstOf(earlier, later), earlier == nil && later != nil
	}
	m, w := *earlier, weighing{have: earlier.Ranks, found: later.Ranks, now: Ranks{}}
	for _, f := range m.fields(later) {
		if w.takes(f.name, *f.have != "", *f.found != "") {
			*f.have = *f.found
		}
	}
	if w.takes("started_at", !m.StartedAt.IsZero(), !later.StartedAt.IsZero()) {
		m.StartedAt = later.StartedAt
	}
	if w.takes("ended_at", !m.EndedAt.IsZero(), !later.EndedAt.IsZero()) {
		m.EndedAt = later.EndedAt
	}
	mine, theirs := len(m.Turns), len(later.Turns)
	if w.takes("turns", mine > 0 && mine >= theirs, theirs > 0 && theirs >= mine) {
		m.Turns = later.Turns
	}
	m.Metadata = w.metadata(earlier.Metadata, later.Metadata)
	m.Ranks = w.ranks()
	return &m, w.changed
}

func firstOf(a, b *Conversation) *Conversation {
	if a != nil {
		return a
	}
	return b
}

// weighing is one merge: whose word is taken, and which rank it has.
type weighing struct {
	have, found, now Ranks
	changed          bool
}

// takes reports whether a thing is taken from the later event. have and found say who says anything of it.
func (w *weighing) takes(thing string, have, found bool) bool {
	mine, theirs := w.have.of(thing), w.found.of(thing)
	take := found && (!have || theirs > mine)
	switch {
	case take:
		w.now[thing], w.changed = theirs, true
	case have:
		w.now[thing] = mine
	}
	return take
}

func (w *weighing) metadata(have, found map[string]any) map[string]any {
	joined, own := have, false
	for key := range have {
		w.now["metadata."+key] = w.have.of("metadata." + key)
	}
	for key, v := range found {
		_, has := have[key]
		if !w.takes("metadata."+key, has, true) {
			continue
		}
		if !own {
			if joined, own = maps.Clone(have), true; joined == nil {
				joined = map[string]any{}
			}
		}
		joined[key] = v
	}
	return joined
}

// ranks are those of what was merged, the most common under one name: none where no event has any.
func (w *weighing) ranks() Ranks {
	rest := max(w.have[Rest], w.found[Rest])
	maps.DeleteFunc(w.now, func(_ string, rank int) bool { return rank == rest })
	if rest != 0 {
		w.now[Rest] = rest
	}
	if len(w.now) == 0 {
		return nil
	}
	return w.now
}

// pair is a text field of one conversation beside the same field of another.
type pair struct {
	name        string
	have, found *string
}

func (c *Conversation) fields(o *Conversation) []pair {
	return []pair{
		{"agent.id", &c.Agent.ID, &o.Agent.ID}, {"agent.name", &c.Agent.Name, &o.Agent.Name}, {"timezone", &c.Timezone, &o.Timezone},
		{"channel", (*string)(&c.Channel), (*string)(&o.Channel)}, {"direction", (*string)(&c.Direction), (*string)(&o.Direction)},
		{"status", (*string)(&c.Status), (*string)(&o.Status)},
		{"from_number", &c.FromNumber, &o.FromNumber}, {"to_number", &c.ToNumber, &o.ToNumber},
		{"customer.name", &c.Customer.Name, &o.Customer.Name}, {"customer.email", &c.Customer.Email, &o.Customer.Email},
		{"customer.number", &c.Customer.Number, &o.Customer.Number}, {"customer.crm_record_id", &c.Customer.CRMRecordID, &o.Customer.CRMRecordID},
		{"summary", &c.Summary, &o.Summary}, {"url", &c.URL, &o.URL}, {"queue", &c.Queue, &o.Queue}, {"note", &c.Note, &o.Note},
	}
}
