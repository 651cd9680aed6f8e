package conversation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aftercall/internal/webaddress"
)

// The largest conversation that is accepted. They are far above any real call; what is beyond them is a fault of the
// sender, not a long call.
const (
	MaxTurns     = 20_000
	MaxText      = 100 << 10 // bytes of one turn, of the summary and of the note
	MaxName      = 200       // characters of an id or a name
	MaxURL       = 2_000     // characters
	MaxMetadata  = 500       // keys and elements, nested ones included
	MaxMetaKey   = 200       // bytes
	maxTurnAt    = 30 * 24 * time.Hour
	maxFaults    = 100 // enough to mend a body by; a broken transcript would otherwise give one per turn
	maxNumber    = 64  // characters of a phone number in any format
	maxEmail     = 320 // RFC 5321: 64 of the local part, "@", 255 of the domain
	maxMetaValue = 10 << 10
)

// Fault is one thing wrong in a posted conversation.
type Fault struct {
	Pointer string // JSON pointer (RFC 6901) into the body
	Message string // what is wrong and what is wanted
}

// maxToken bounds what a pointer shows of one key. A key that is longer ends in "…": it is there to be recognised, and a
// hundred faults below a key of megabytes must not make an answer of hundreds of them.
const maxToken = 200

// Pointer builds a JSON pointer (RFC 6901) from reference tokens: object keys and array indexes. A key of more than 200
// bytes is shortened.
func Pointer(tokens ...any) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		if s, ok := t.(string); ok {
			if len(s) > maxToken {
				s = strings.ToValidUTF8(s[:maxToken], "") + "…"
			}
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1"))
			continue
		}
		fmt.Fprint(&b, t)
	}
	return b.String()
}

// Check lists everything that keeps c from being decided, at most a hundred faults, in the order of the body. A number
// or an address that is odd is no fault: it is kept as the platform holds it, and judged where somebody is to be reached
// by it.
func (c *Conversation) Check() []Fault {
	k := &checker{}
	k.name("/id", c.ExternalID, true)
	ended := c.Event == nil // an event need not say who took the call, and has no end
	if !ended {
		k.name("/event/type", c.Event.Type, true)
		k.line("/event/call", c.Event.Call, MaxName)
	}
	k.name("/agent/id", c.Agent.ID, ended)
	k.name("/agent/name", c.Agent.Name, false)
	oneOf(k, "/channel", c.Channel, ended, ChannelPhone, ChannelWeb, ChannelChat, ChannelSMS, ChannelTest)
	oneOf(k, "/direction", c.Direction, false, Inbound, Outbound)
	oneOf(k, "/status", c.Status, ended, Completed, Failed, Transferred)
	k.times(c)
	k.line("/from_number", c.FromNumber, maxNumber)
	k.line("/to_number", c.ToNumber, maxNumber)
	k.line("/customer/name", c.Customer.Name, MaxName)
	k.line("/customer/email", c.Customer.Email, maxEmail)
	k.line("/customer/number", c.Customer.Number, maxNumber)
	k.line("/customer/crm_record_id", c.Customer.CRMRecordID, MaxName)
	k.text("/summary", c.Summary)
	k.url("/url", c.URL)
	k.line("/queue", c.Queue, MaxName)
	k.text("/note", c.Note)
	k.turns(c.Turns)
	k.metadata(c.Metadata)
	return k.faults
}

type checker struct {
	faults []Fault
	turn   int // pointers are below this turn, from 1; 0: below none
}

func (k *checker) add(pointer, format string, args ...any) {
	if len(k.faults) >= maxFaults {
		return
	}
	if k.turn > 0 {
		pointer = "/turns/" + strconv.Itoa(k.turn-1) + pointer
	}
	k.faults = append(k.faults, Fault{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// name is an id or a name: one line.
func (k *checker) name(pointer, s string, required bool) {
	if required && strings.TrimSpace(s) == "" {
		k.add(pointer, "is required")
		return
	}
	k.line(pointer, s, MaxName)
}

func (k *checker) line(pointer, s string, limit int) {
	switch {
	case !utf8.ValidString(s):
		k.add(pointer, "is not valid UTF-8")
	case utf8.RuneCountInString(s) > limit:
		k.add(pointer, "is longer than %d characters", limit)
	case strings.ContainsFunc(s, unicode.IsControl):
		k.add(pointer, "contains a control character; one plain line is wanted")
	}
}

func (k *checker) text(pointer, s string) {
	if why := unfit(s, MaxText); why != "" {
		k.add(pointer, "%s", why)
	}
}

// unfit says what is wrong with a text of any number of lines; nothing, if it can be kept.
func unfit(s string, limit int) (why string) {
	switch {
	case len(s) > limit:
		return "is longer than " + strconv.Itoa(limit) + " bytes"
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.ContainsRune(s, 0):
		return "contains the character U+0000"
	}
	return ""
}

func (k *checker) url(pointer, s string) {
	if s == "" {
		return
	}
	k.line(pointer, s, MaxURL)
	if _, ok := webaddress.Parse(s); !ok {
		k.add(pointer, "is not an absolute http or https address")
	}
}

func oneOf[S ~string](k *checker, pointer string, s S, required bool, allowed ...S) {
	if s == "" && !required {
		return
	}
	if slices.Contains(allowed, s) {
		return
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	if s == "" {
		k.add(pointer, "is required: one of %s", strings.Join(names, ", "))
		return
	}
	k.add(pointer, "is not one of %s", strings.Join(names, ", "))
}

func (k *checker) times(c *Conversation) {
	k.time("/started_at", c.StartedAt)
	k.time("/ended_at", c.EndedAt)
	if !c.StartedAt.IsZero() && !c.EndedAt.IsZero() && c.EndedAt.Before(c.StartedAt) {
		k.add("/ended_at", "is before started_at")
	}
	if c.Timezone == "" {
		return
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "Local" {
		k.add("/timezone", "is not a known IANA time zone; wanted is a name such as Europe/London")
	}
}

func (k *checker) time(pointer string, t time.Time) {
	switch {
	case t.IsZero():
		k.add(pointer, "is required: an RFC 3339 time such as 2026-03-02T09:30:00Z")
	case t.Year() < 2000 || t.Year() > 2199:
		k.add(pointer, "is in the year %d; seconds and milliseconds may have been mixed up", t.Year())
	}
}

func (k *checker) turns(turns []Turn) {
	if len(turns) > MaxTurns {
		k.add("/turns", "has %d turns; at most %d are accepted", len(turns), MaxTurns)
		return
	}
	for i, t := range turns {
		k.turn = i + 1
		oneOf(k, "/role", t.Role, true, RoleAgent, RoleCustomer, RoleSystem, RoleTool)
		k.text("/text", t.Text)
		if t.AtMS < 0 || t.AtMS > maxTurnAt.Milliseconds() {
			k.add("/at_ms", "is not between 0 and %d: milliseconds after started_at are wanted", maxTurnAt.Milliseconds())
		}
	}
	k.turn = 0
}

func (k *checker) metadata(m map[string]any) {
	w := metaWalk{checker: k, path: []any{"metadata"}}
	w.object(m)
	if w.seen > MaxMetadata {
		k.add("/metadata", "has more than %d values, nested ones included", MaxMetadata)
	}
}

// metaWalk looks at metadata value by value, and no further once there are too many.
type metaWalk struct {
	*checker
	path []any // where it is: keys and positions; a pointer is made of it only if there is a fault
	seen int
}

func (w *metaWalk) fault(format string, args ...any) { w.add(Pointer(w.path...), format, args...) }

// fits reports whether n more values may be looked at; if not, seen says so.
func (w *metaWalk) fits(n int) bool {
	if w.seen+n > MaxMetadata {
		w.seen += n
	}
	return w.seen <= MaxMetadata
}

func (w *metaWalk) object(m map[string]any) {
	if !w.fits(len(m)) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		w.member(key, m[key])
	}
}

// member looks at the value under a key or at a position.
func (w *metaWalk) member(step, v any) {
	if !w.fits(1) {
		return
	}
	w.seen++
	w.path = append(w.path, step)
	if key, ok := step.(string); ok && len(key) > MaxMetaKey {
		w.fault("is under a key of %d bytes; at most %d are accepted", len(key), MaxMetaKey)
	} else {
		w.value(v)
	}
	w.path = w.path[:len(w.path)-1]
}

func (w *metaWalk) value(v any) {
	switch v := v.(type) {
	case string:
		if why := unfit(v, maxMetaValue); why != "" {
			w.fault("%s", why)
		}
	case map[string]any:
		w.object(v)
	case []any:
		if !w.fits(len(v)) {
			return
		}
		for i, inner := range v {
			w.member(i, inner)
		}
	}
}
