package dashboard

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/triggers"
	"aftercall/variables"
)

// ledger lays out the decisions of a story and what came of them.
type ledger struct {
	story store.Story
	names names
	runs  map[int]names // of the runs that were decided under another revision
	zone  *time.Location
	turns int
	acts  bool // doors to actions are shown
	only  int  // the one run that is told; 0: all
}

// of gives the words of the revision that a run was decided under.
func (l ledger) of(run int) names {
	if n, ok := l.runs[run]; ok {
		return n
	}
	return l.names
}

// automationView is one automation's decision with the deliveries it led to.
type automationView struct {
	ID, Name, Place string // Place: file and line in the author's folder
	Anchor          string
	Run             string // "run 2"; empty where there is only one
	Verdict         badge
	Why             why
	Code, Detail    string
	Review          bool
	Settled         []string // what people did about it, and say of it
	Acts            []doorView
	Quotes          []quoteView
	Decided         moment
	Deliveries      []deliveryView
	Sample          *sampleView // on the workbench, where it has no deliveries
}

// deliveryView is one line of the ledger with its attempts and its message.
type deliveryView struct {
	Anchor, Heading       string
	Channel, To           string
	State                 badge
	Why                   why
	Code, Detail          string
	See                   string // where what it made is shown, if it is more than a message
	Address               string // where it went, if that is more than To says
	Provider, ProviderID  string
	Reported              string // what the provider said afterwards
	ReportedAt            moment
	Claimed               string // by whom it was taken last, and how often
	ClaimedAt             moment
	ResendOf              string // anchor of the delivery it was sent again for
	ID                    string
	Settled               []string // what people did about it
	Acts                  []doorView
	Due, Deadline, Latest moment
	Waits                 bool // Due is still ahead
	Test                  bool
	Attempts              []attemptView
	Message               messageView
}

// messageView is what was rendered, as stored and as sent.
type messageView struct {
	From, To, CC, ReplyTo string
	Subject, Text         string
	Fields                []fact
	Whole                 string // address of the whole text, if Text is its beginning
	HTML                  string // address of the HTML, "" if it has none
	Unfolded              bool   // its frame is to be seen at once
}

// Empty reports that nothing was rendered.
func (m messageView) Empty() bool {
	return m.Subject == "" && m.Text == "" && m.HTML == "" && len(m.Fields) == 0
}

// Size says how high the HTML's frame should be. The frame cannot tell, since nothing runs in it; its text can.
func (m messageView) Size() string {
	const column, short, long = 70, 9, 24
	lines := 0
	for line := range strings.Lines(m.Text) {
		lines += 1 + len(line)/column
	}
	switch {
	case lines < short:
		return "short"
	case lines > long:
		return "long"
	}
	return "middling"
}

// attemptView is one try.
type attemptView struct {
	Number         int
	State          badge
	Answer, Detail string
	Started        moment
	Took           string
}

// taskView is a person's to-do.
type taskView struct {
	Title, Description, Priority, Assignee, State, Automation, Path string
	Due                                                             moment
}

// alertView is one in-app message to the team.
type alertView struct {
	Audience, Text, Automation, Path string
	State                            badge
	At                               moment
}

// automations splits the decisions into those that fired or wait for a person, and those that did not fire.
func (l ledger) automations() (fired, not []automationView, strays []deliveryView) {
	type key struct {
		run        int
		automation string
	}
	of := map[key][]deliveryView{}
	for _, d := range l.story.Deliveries {
		k := key{d.Run, d.Automation}
		of[k] = append(of[k], l.delivery(d))
	}
	for _, d := range l.sorted() {
		k := key{d.Run, d.Automation}
		v := l.automation(d, of[k])
		delete(of, k)
		if len(v.Deliveries) == 0 && !looksNeeded(d) && d.Verdict != triggers.Fires {
			not = append(not, v)
			continue
		}
		fired = append(fired, v)
	}
	for _, d := range l.story.Deliveries { // in the ledger's order
		k := key{d.Run, d.Automation}
		strays = append(strays, of[k]...)
		delete(of, k)
	}
	return fired, not, strays
}

// sorted are the decisions, what is most urgent first.
func (l ledger) sorted() []store.StoryDecision {
	return slices.SortedStableFunc(slices.Values(l.story.Decisions), func(a, b store.StoryDecision) int { return urgency(a) - urgency(b) })
}

// urgency orders decisions: what fired first, then what a person should look at, the latest run first.
func urgency(d store.StoryDecision) int {
	return rank(d.Verdict) - 10*d.Run
}

func rank(v triggers.Verdict) int {
	return map[triggers.Verdict]int{triggers.Fires: 0, triggers.Unsure: 1, triggers.Waiting: 2, triggers.No: 3, triggers.Skipped: 4}[v]
}

func looksNeeded(d store.StoryDecision) bool {
	if d.Settled != nil {
		return false
	}
	return d.Review || d.Verdict == triggers.Unsure || d.Verdict == triggers.Waiting
}

func (l ledger) automation(d store.StoryDecision, deliveries []deliveryView) automationView {
	name, place := l.of(d.Run).automation(d.Automation)
	return automationView{
		ID: d.Automation, Name: name, Place: place, Anchor: l.anchor(d.Automation, d.Run), Run: l.run(d.Run),
		Verdict: verdictBadge(d.Verdict), Why: whyCode(d.Reason), Code: string(d.Reason), Detail: d.Detail, Review: d.Review && d.Settled == nil,
		Settled: l.saidOf(d), Acts: l.doorsTo(d), Quotes: quotes(d.Evidence, l.turns), Decided: at(d.DecidedAt, l.zone), Deliveries: deliveries,
	}
}

// anchor is where an automation's decision of a run stands.
func (l ledger) anchor(automation string, run int) string {
	if l.run(run) == "" {
		return anchor("automation", automation)
	}
	return anchor("automation", automation, fmt.Sprint(run))
}

// run names a run where there are several.
func (l ledger) run(run int) string {
	for _, d := range l.story.Decisions {
		if d.Run != l.story.Decisions[0].Run {
			name := fmt.Sprintf("run %d", run)
			if l.sandbox(run) {
				name += ", sandbox"
			}
			return name
		}
	}
	return ""
}

func (l ledger) delivery(d store.StoryDelivery) deliveryView {
	v := deliveryView{
		ID: d.ID, Acts: l.doorsOf(d), Anchor: anchor("delivery", d.ID), Channel: channelWord(d.Channel), To: recipientWord(d.Recipient),
		State: outcomeBadge(d), Why: whyDelivery(d), Code: string(d.Reason), Detail: d.Detail,
		Provider: d.Provider, ProviderID: d.ProviderID, Reported: string(d.Reported), ReportedAt: at(d.ReportedAt, l.zone),
		Due: at(d.DueAt, l.zone), Deadline: at(d.DeadlineAt, l.zone), Latest: at(d.UpdatedAt, l.zone),
		Waits: d.State == store.Planned || d.State == store.Retrying, Test: d.Test && !l.sandbox(d.Run), Message: l.message(d),
	}
	v.Heading = v.Channel + " to " + v.To
	switch d.Channel {
	case deliver.Task:
		v.Heading, v.See = "Task", "#tasks"
	case deliver.TeamAlert:
		v.See = "#alerts"
	}
	if d.Address != v.To {
		v.Address = d.Address
	}
	if d.Claims > 0 && d.WorkerID != "" {
		v.Claimed, v.ClaimedAt = fmt.Sprintf("claim %d, by worker %s", d.Claims, d.WorkerID), at(d.ClaimedAt, l.zone)
	}
	if l.hasDelivery(d.ResendOf) {
		v.ResendOf = anchor("delivery", d.ResendOf)
	}
	for _, s := range d.Settled {
		v.Settled = append(v.Settled, l.settled(s))
	}
	for _, a := range d.Attempts {
		v.Attempts = append(v.Attempts, l.attempt(a))
	}
	return v
}

func (l ledger) hasDelivery(id string) bool {
	return id != "" && slices.ContainsFunc(l.story.Deliveries, func(d store.StoryDelivery) bool { return d.ID == id })
}

func (l ledger) attempt(a store.StoryAttempt) attemptView {
	v := attemptView{
		Number: a.Attempt, State: deliveryBadge(a.State), Answer: answered(a), Detail: a.Detail, Started: at(a.StartedAt, l.zone),
	}
	if !a.StartedAt.IsZero() && !a.FinishedAt.IsZero() {
		v.Took = a.FinishedAt.Sub(a.StartedAt).Round(time.Millisecond).String()
	}
	return v
}

func (l ledger) message(d store.StoryDelivery) messageView {
	m := messageView{
		To: keys(d.Content.To), CC: keys(d.Content.CC), ReplyTo: keys(d.Content.ReplyTo),
		Subject: d.Content.Subject, Text: d.Content.Text, Fields: fields(d.Content.Fields),
	}
	if d.Channel == deliver.SMS && m.Text != "" {
		s := deliver.SegmentsOf(m.Text)
		m.Fields = append(m.Fields, fact{"length", count(s.Count, "segment", "segments") + " in " + s.Encoding()})
	}
	if m.From = d.Content.From.Address; d.Content.From.Name != "" {
		m.From = d.Content.From.Name + " <" + d.Content.From.Address + ">"
	}
	if l.story.Conversation == nil {
		return m
	}
	path := conversationPath(l.story.Conversation.ID) + "/deliveries/" + url.PathEscape(d.ID)
	if d.HasHTML {
		m.HTML = path
	}
	if d.TextCut() {
		m.Whole = path + "/text"
	}
	return m
}

// keys writes recipient keys for a reader.
func keys(ks []string) string {
	ws := make([]string, 0, len(ks))
	for _, k := range ks {
		ws = append(ws, recipientWord(k))
	}
	return strings.Join(ws, ", ")
}

func (l ledger) tasks() []taskView {
	var out []taskView
	for _, t := range l.story.Tasks {
		name, _ := l.of(t.Run).automation(t.Automation)
		out = append(out, taskView{
			Title: t.Title, Description: t.Description, Priority: string(t.Priority), Assignee: recipientWord(t.Assignee),
			State: words(string(t.State)), Automation: name, Path: "#" + l.anchor(t.Automation, t.Run), Due: at(t.DueAt, l.zone),
		})
	}
	return out
}

func (l ledger) alerts() []alertView {
	var out []alertView
	for _, d := range l.story.Deliveries {
		if d.Channel != deliver.TeamAlert {
			continue
		}
		name, _ := l.of(d.Run).automation(d.Automation)
		out = append(out, alertView{
			Audience: recipientWord(d.Recipient), Text: d.Content.Text, Automation: name, Path: "#" + anchor("delivery", d.ID),
			State: outcomeBadge(d), At: at(d.UpdatedAt, l.zone),
		})
	}
	return out
}

// answered is how an attempt ended, in the words of its channel: "rate limited 429".
func answered(a store.StoryAttempt) string {
	if a.Status == 0 {
		return words(a.Class)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d", words(a.Class), a.Status))
}

// inOneLine sums the story up.
func (l ledger) inOneLine() string {
	fired, unsure, latest := 0, 0, l.latest()
	for _, d := range latest {
		switch {
		case d.Verdict == triggers.Fires:
			fired++
		case d.Verdict == triggers.Unsure:
			unsure++
		}
	}
	parts := []string{fmt.Sprintf("%d of %s fired", fired, count(len(latest), "automation", "automations"))}
	if len(latest) == 0 {
		parts = []string{"No automation was decided yet"}
	}
	if unsure > 0 {
		parts = append(parts, fmt.Sprintf("%d unsure", unsure))
	}
	return strings.Join(append(parts, l.states()...), ", ") + "."
}

// states counts the deliveries by state, in the order of the line. Tasks have a section of their own.
func (l ledger) states() []string {
	n := map[string]int{}
	for _, d := range l.story.Deliveries {
		if d.Channel != deliver.Task && !l.aside(d.Run) {
			n[outcomeBadge(d).Word]++
		}
	}
	var parts []string
	for _, word := range []string{"sent", "delivered", "posted", "captured", "sending", "planned", "retrying", "held", "failed", "unknown", "skipped", "cancelled"} {
		switch {
		case n[word] == 0:
		case word == "posted":
			parts = append(parts, alertsPosted(n[word]))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n[word], word))
		}
	}
	if len(l.story.Tasks) > 0 {
		parts = append(parts, tasksWritten(len(l.story.Tasks)))
	}
	return parts
}

// test reports whether the conversation is a test call.
func (l ledger) test() bool {
	return slices.ContainsFunc(l.story.Deliveries, func(d store.StoryDelivery) bool { return d.Test && !l.sandbox(d.Run) })
}

// cited lists every quote of the story with what rests on it.
func (l ledger) cited() []cited {
	var out []cited
	for _, d := range l.story.Decisions {
		name, _ := l.of(d.Run).automation(d.Automation)
		for _, e := range d.Evidence {
			out = append(out, cited{e, citation{named(name, l.run(d.Run)), l.anchor(d.Automation, d.Run)}})
		}
	}
	for _, v := range l.story.Values {
		for _, e := range evidenceOf(v.Is) {
			out = append(out, cited{e, citation{named(v.Is.Name, l.run(v.Run)), l.valueAnchor(v)}})
		}
	}
	return out
}

// named adds to a name of which run it is, where that is to be told.
func named(name, run string) string {
	if run == "" {
		return name
	}
	return name + " (" + run + ")"
}

// valueAnchor is where a variable's value of a run stands.
func (l ledger) valueAnchor(v store.StoryValue) string {
	if l.run(v.Run) == "" {
		return anchor("variable", v.Is.Name)
	}
	return anchor("variable", v.Is.Name, fmt.Sprint(v.Run))
}

// evidenceOf is what a value rests on, if it rests on anything.
func evidenceOf(v variables.Value) []interview.Evidence {
	if v.Evidence == (interview.Evidence{}) {
		return nil
	}
	return []interview.Evidence{v.Evidence}
}
