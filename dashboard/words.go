package dashboard

import (
	"fmt"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/variables"
)

// badge is a status as a reader meets it: a word and an icon, with a tone for the eye. The tone never stands alone.
type badge struct {
	Word string
	Icon string // a case of the template "icon"
	Tone string // good, warn, bad, info or quiet
}

func deliveryBadge(s store.DeliveryState) badge {
	switch s {
	case store.Sent, store.Delivered:
		return badge{string(s), "check", "good"}
	case store.Held:
		return badge{"held", "pause", "warn"}
	case store.Failed:
		return badge{"failed", "cross", "bad"}
	case store.Unknown:
		return badge{"unknown", "question", "bad"}
	case store.Retrying:
		return badge{"retrying", "again", "warn"}
	case store.Planned, store.Sending:
		return badge{string(s), "clock", "info"}
	}
	return badge{string(s), "dash", "quiet"}
}

// outcomeBadge is a delivery's badge in the words of what it made: a task is written, an alert is posted, a
// captured message went nowhere.
func outcomeBadge(d store.StoryDelivery) badge {
	b := deliveryBadge(d.State)
	switch {
	case d.State != store.Sent:
	case d.Channel == deliver.Task:
		b.Word = "written"
	case d.Channel == deliver.TeamAlert && d.Provider != capture.Provider:
		b.Word = "posted"
	case d.Provider == capture.Provider:
		b = badge{"captured", "check", "info"}
	}
	return b
}

func verdictBadge(v triggers.Verdict) badge {
	switch v {
	case triggers.Fires:
		return badge{"fired", "check", "good"}
	case triggers.Unsure:
		return badge{"unsure", "question", "warn"}
	case triggers.Waiting:
		return badge{"waiting", "clock", "info"}
	case triggers.No:
		return badge{"did not fire", "dash", "quiet"}
	}
	return badge{"skipped", "dash", "quiet"}
}

func stateBadge(s store.ConversationState) badge {
	switch s {
	case store.StateDecided:
		return badge{"decided", "check", "good"}
	case store.StateWaiting:
		return badge{"waits for the model", "clock", "warn"}
	}
	return badge{"waits for its decision", "clock", "info"}
}

func valueBadge(s variables.Status) badge {
	switch s {
	case variables.Stated:
		return badge{"stated", "check", "good"}
	case variables.NotStated:
		return badge{"not stated", "dash", "quiet"}
	case variables.Given:
		return badge{"given by a person", "check", "good"}
	case variables.Defaulted:
		return badge{"default", "dash", "info"}
	case variables.Rejected:
		return badge{"rejected", "cross", "bad"}
	}
	return badge{"conflict", "question", "warn"}
}

// why is what a reader is told about a state: what happened, and what to do.
type why struct{ Sentence, Remedy string }

func whyCode(c reason.Code) why { return why{c.Sentence(), c.Remedy()} }

// whyDelivery explains a delivery: by its reason if it has one, else by its state.
func whyDelivery(d store.StoryDelivery) why {
	if w := whyCode(d.Reason); w.Sentence != "" && d.State != store.Sent && d.State != store.Delivered {
		return w
	}
	switch outcomeBadge(d).Word {
	case "written":
		return why{"The task was written together with the decision.", ""}
	case "posted":
		return why{"The alert was posted to the team.", ""}
	case "captured":
		return why{"The message was kept on this machine and sent nowhere.", ""}
	}
	s, ok := reason.OfState(string(d.State))
	if !ok {
		s.Sentence = "Nothing was sent."
	}
	return why{s.Sentence, s.Remedy}
}

// channelWord names a channel for a reader.
func channelWord(c string) string {
	switch c {
	case deliver.Email:
		return "E-mail"
	case deliver.SMS:
		return "Text message"
	case deliver.Chatter:
		return "Chatter post"
	case deliver.CTI:
		return "Softphone pop-up"
	case deliver.TeamAlert:
		return "Team alert"
	case deliver.Push:
		return "Push"
	case deliver.Task:
		return "Task"
	}
	return c
}

// recipientWord turns a recipient's key into what a reader calls it.
func recipientWord(key string) string {
	switch key {
	case "-", "":
		return "nobody"
	case "together":
		return "several people together"
	case "contact:customer_email", "contact:customer_number":
		return "the customer"
	}
	_, name, ok := strings.Cut(key, ":")
	if !ok {
		return key
	}
	return name
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// length writes how long a call lasted, as people say it: 4:05, or 1:15:03.
func length(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// moment is a time shown in a zone, with UTC beside it.
type moment struct{ Local, UTC, Machine string }

// at shows t in a zone; the zero time is the zero moment, which prints as "not yet".
func at(t time.Time, zone *time.Location) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{
		Local:   t.In(zone).Format("2 Jan 2006, 15:04:05 MST"),
		UTC:     t.UTC().Format("2006-01-02 15:04:05") + " UTC",
		Machine: t.UTC().Format(time.RFC3339),
	}
}

// shortly is at without year and seconds, for lists.
func shortly(t time.Time, zone *time.Location) moment {
	m := at(t, zone)
	if m != (moment{}) {
		m.Local = t.In(zone).Format("2 Jan, 15:04")
	}
	return m
}

// words makes a platform's or database's word readable: "in_progress" is "in progress".
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// anchor makes an element id of ids: letters, digits and hyphens only.
func anchor(parts ...string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '-'
	}, strings.Join(parts, "-"))
}
