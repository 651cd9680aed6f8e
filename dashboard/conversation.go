package dashboard

import (
	"cmp"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/internal/webaddress"
	"aftercall/people"
)

// conversationPage is the view of conversation.html: a story, laid out.
type conversationPage struct {
	Heading, Kind string
	Marks         []outcome
	Started       moment
	Length        string
	Account       string
	Summary       string
	InOneLine     string
	Test          bool // a test call: its messages are captured
	Simulated     bool
	Reveal        string // where to ask for phone numbers and addresses in full; "" if they are shown
	Replay        string // where to have it decided anew; "" for whoever may not
	CallOff       string // where to call off what waits; "" for whoever may not, or where nothing can
	Cut           string // what the page has only a part of
	Sections      []sectionView
	Runs          []runView // where there are several
	Facts         []factView
	Platform      string // address of the conversation at the platform, if it is one to follow
	Attention     []attention
	Glance        []glanceView
	Fired         []automationView
	NotFired      []automationView
	Strays        []deliveryView // deliveries whose decision is not part of the story
	Timeline      timelineView
	Variables     []valueView
	Tasks         []taskView
	Alerts        []alertView
	Calls         []callView
	Tokens        string
	Events        []eventView
	Jobs          []queuedView
	Turns         []turnView
}

// sectionView is a door to a part of the page.
type sectionView struct {
	Anchor, Label string
	Count         int // 0 is not shown
}

// factView is a line of the header: a value, a time, or either with a link.
type factView struct {
	Label, Value, Path string
	Time               moment
}

// valueView is one variable with what it rests on.
type valueView struct {
	Name, Anchor, Type string
	Run                string
	Status             badge
	Value, Raw         string
	Problem            string
	Quotes             []quoteView
}

// callRoutes are what the page of a conversation leads to.
func (d *Dashboard) callRoutes(rs *routes) {
	rs.add("GET /conversations/{id}/deliveries/{delivery}", people.Look, d.page(d.deliveryHTML))
	rs.add("GET /conversations/{id}/deliveries/{delivery}/text", people.Look, d.page(d.deliveryText))
	rs.add("GET /conversations/{id}/events/{event}", people.Look, d.page(d.eventBody))
	rs.add("GET /conversations/{id}/calls/{call}", people.Look, d.page(d.modelCall))
}

// conversation is GET /conversations/{id}: everything that happened to one conversation. An id of the platform's leads to
// the page under ours.
func (d *Dashboard) conversation(r *http.Request) (answer, error) {
	account, id, err := d.find(r)
	if err != nil {
		return answer{}, err
	}
	if id != r.PathValue("id") {
		return answer{Location: conversationPath(id)}, nil
	}
	run, err := runOf(r)
	if err != nil {
		return answer{}, err
	}
	masked := !people.Of(r.Context()).May(people.Addresses, account)
	view, err := d.told(r, account, id, run, masked)
	if err != nil {
		return answer{}, err
	}
	if masked {
		view.Reveal = conversationPath(id) + "/reveal"
	}
	return answer{Template: "conversation", Title: view.Heading, Section: "conversations", View: view}, nil
}

// told is the page of a conversation: of one run, or of all for run 0.
func (d *Dashboard) told(r *http.Request, account, id string, run int, masked bool) (conversationPage, error) {
	story, err := d.reader(r, people.Look).StoryOfRun(r.Context(), account, id, run)
	if err != nil {
		return conversationPage{}, fmt.Errorf("load story of conversation %s: %w", id, err)
	}
	jobs, err := d.store.Jobs(r.Context(), account, id)
	if err != nil {
		return conversationPage{}, fmt.Errorf("load the jobs of conversation %s: %w", id, err)
	}
	if masked {
		maskStory(&story)
		maskJobs(jobs)
	}
	told := telling{story: story, jobs: jobs, pinned: d.names(r.Context(), story.RevisionID), runs: d.namesOfRuns(r.Context(), story), only: run,
		queue: people.Of(r.Context()).May(people.Run, account), acts: d.ops != nil && people.Of(r.Context()).May(people.Operate, account)}
	if run > 0 && len(story.Decisions)+len(story.Deliveries) == 0 {
		return conversationPage{}, fmt.Errorf("show run %d of conversation %s: %w", run, id, store.ErrNotFound)
	}
	return told.page(), nil
}

// story loads a conversation's story for whoever asks.
func (d *Dashboard) story(r *http.Request, account, id string) (store.Story, error) {
	story, err := d.reader(r, people.Look).Story(r.Context(), account, id)
	if err != nil {
		return store.Story{}, fmt.Errorf("load story of conversation %s: %w", id, err)
	}
	return story, nil
}

// revealConversation is POST /conversations/{id}/reveal: the same page in full, once, after it was written down who asked. It
// has no address to come back to, so that every look is.
func (d *Dashboard) revealConversation(r *http.Request) (answer, error) {
	account, id, err := d.find(r)
	if err != nil {
		return answer{}, err
	}
	if err := d.logReveal(r, account, id, "conversation"); err != nil {
		return answer{}, err
	}
	view, err := d.told(r, account, id, 0, false)
	if err != nil {
		return answer{}, err
	}
	return answer{Template: "conversation", Title: view.Heading, Section: "conversations", View: view, Draft: true}, nil
}

// logReveal writes down that somebody asked for phone numbers and addresses in full.
func (d *Dashboard) logReveal(r *http.Request, account, id, page string) error {
	err := d.store.LogAct(r.Context(), store.Act{AccountID: account, By: people.Of(r.Context()).Actor(), What: store.ActRevealed, Target: id,
		Detail: map[string]string{"page": page}})
	if err != nil {
		return fmt.Errorf("reveal %s %s: %w", page, id, err)
	}
	return nil
}

// telling is what the page of a conversation is laid out from.
type telling struct {
	story  store.Story
	jobs   []store.StoryJob
	pinned names         // of the revision the conversation was pinned to
	runs   map[int]names // of the runs that were decided under another
	only   int           // the one run that the story is of; 0: all
	queue  bool          // the reader may see River's page
	acts   bool          // the reader may do something about it
}

// page lays a story out, in the words of its revisions.
func (t telling) page() conversationPage {
	s := t.story
	c := s.Conversation
	if c == nil {
		c = &conversation.Conversation{}
	}
	zone := c.Location(t.pinned.zone())
	l := ledger{story: s, names: t.pinned, runs: t.runs, zone: zone, turns: len(c.Turns), acts: t.acts, only: t.only}
	p := conversationPage{
		Heading: heading(c), Kind: kindWords(string(c.Direction), string(c.Channel), cmp.Or(c.EventType(), string(c.Status))),
		Started: at(c.StartedAt, zone), Length: length(c.Duration()), Cut: strings.Join(s.Cut, ", "),
		Account: t.pinned.account(s.AccountID), Summary: s.Summary, Simulated: s.Simulated,
		Facts: facts(s, c, zone), Platform: followable(c.URL), Variables: l.values(), Events: l.events(), Runs: t.runViews(zone),
		Jobs: l.jobs(t.jobs, t.queue), Timeline: l.timeline(t.jobs), Glance: l.glance(),
	}
	p.Fired, p.NotFired, p.Strays = l.automations()
	p.Tasks, p.Alerts = l.tasks(), l.alerts()
	p.Calls, p.Tokens = l.modelCalls()
	p.Attention = l.attention()
	p.Marks, p.Test = l.marks(len(p.Attention) > 0), l.test()
	p.InOneLine = l.inOneLine()
	p.Turns = transcript(c, l.cited())
	if t.acts && s.State == store.StateDecided {
		p.Replay = conversationPath(c.ID) + "/replay"
	}
	if t.acts && l.mayWait() {
		p.CallOff = conversationPath(c.ID) + "/cancel"
	}
	p.Sections = p.sections()
	return p
}

// sections are the parts of the page, in its order.
func (p conversationPage) sections() []sectionView {
	return []sectionView{
		{"attention", "Needs a look", len(p.Attention)}, {"decisions", "Decisions", len(p.Glance)}, {"facts", "The call", 0},
		{"fired", "Fired", len(p.Fired)}, {"not-fired", "Not fired", len(p.NotFired)}, {"timeline", "Timeline", 0},
		{"variables", "Variables", len(p.Variables)}, {"tasks", "Tasks", len(p.Tasks)}, {"alerts", "Alerts", len(p.Alerts)},
		{"model", "Model", len(p.Calls)}, {"events", "Events", len(p.Events)}, {"jobs", "Jobs", len(p.Jobs)},
		{"transcript", "Transcript", len(p.Turns)},
	}
}

// eventName names an event: by its type, and by where in the call it was.
func eventName(kind, point string) string {
	if kind == "" || point == "" {
		return kind
	}
	return kind + " at " + point
}

// heading names a conversation: an event by what happened, a call by its customer, its number, or at least its agent.
func heading(c *conversation.Conversation) string {
	who := or(c.Customer.Name, c.CustomerNumber())
	switch {
	case c.Event != nil:
		point, _ := c.Metadata["point"].(string)
		what := eventName(c.Event.Type, point)
		if who = what + ", " + who; who == what+", " {
			who = what
		}
	case who == "":
		who = "Unknown caller"
	}
	if c.Agent.Name != "" {
		who += " with " + c.Agent.Name
	}
	return who
}

// facts lists what is known about the conversation; what is not known takes no room.
func facts(s store.Story, c *conversation.Conversation, zone *time.Location) []factView {
	var fs []factView
	add := func(label, value, path string) {
		if value != "" {
			fs = append(fs, factView{Label: label, Value: value, Path: path})
		}
	}
	search := func(q string) string {
		if strings.Contains(q, hidden) {
			return "" // nothing is found by it
		}
		return address("/conversations", "q", q)
	}
	if c.Event != nil {
		add("Event", c.Event.Type, "")
		add("Of the call", c.Event.Call, search(c.Event.Call))
	}
	fs = append(fs, besideFacts(s.Beside, zone)...)
	add("Customer", c.Customer.Name, "")
	add("Number", c.CustomerNumber(), search(c.CustomerNumber()))
	add("E-mail", c.Customer.Email, search(c.Customer.Email))
	add("CRM record", c.Customer.CRMRecordID, "")
	add("From", c.FromNumber, "")
	add("To", c.ToNumber, "")
	add("Agent", strings.TrimSpace(c.Agent.Name+bracketed(c.Agent.ID)), "")
	add("Queue", c.Queue, "")
	add("Note", c.Note, "")
	for _, f := range metadata(c.Metadata) {
		add(f.Label, f.Value, "")
	}
	add("Account", s.AccountID, address("/conversations", "account", s.AccountID))
	add("Conversation", c.ID, "")
	add("Platform's id", strings.TrimSpace(c.ExternalID+bracketed(c.Source)), "")
	add("Config", shortDigest(s.Digest), "")
	add("Config's commit", shortDigest(s.GitSHA), "")
	add("Config's note", s.Message, "")
	ended := "Ended"
	if c.Event != nil {
		ended = "Happened"
	}
	fs = append(fs, factView{Label: ended, Time: at(c.EndedAt, zone)}, factView{Label: "Accepted", Time: at(s.AcceptedAt, zone)},
		factView{Label: "Decided", Time: at(s.DecidedAt, zone)})
	return fs
}

// shortDigest is the beginning of a digest, as much as tells two of them apart.
func shortDigest(d string) string {
	const enough = 12
	if len(d) > enough {
		return d[:enough]
	}
	return d
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// metadata lists what the platform passed along, by key.
func metadata(m map[string]any) []fact {
	fs := make([]fact, 0, len(m))
	for k, v := range m {
		fs = append(fs, fact{"metadata." + k, fmt.Sprint(v)})
	}
	sort.Slice(fs, func(i, j int) bool { return fs[i].Label < fs[j].Label })
	return fs
}

// followable is an address a reader may follow: only http and https, whatever the platform sent.
func followable(raw string) string {
	u, ok := webaddress.Parse(raw)
	if !ok {
		return ""
	}
	return u.String()
}

// values lists the variables, the latest run's first.
func (l ledger) values() []valueView {
	var out []valueView
	for _, told := range l.story.Values {
		v := told.Is
		view := valueView{
			Name: v.Name, Anchor: l.valueAnchor(told), Type: string(v.Type), Status: valueBadge(v.Status), Run: l.run(told.Run),
			Value: v.Value, Problem: v.Problem,
		}
		view.Quotes = quotes(evidenceOf(v), l.turns)
		if v.Raw != v.Value {
			view.Raw = v.Raw
		}
		out = append(out, view)
	}
	return out
}

// size writes a number of bytes.
func size(n int) string {
	if n < 1024 {
		return count(n, "byte", "bytes")
	}
	return strconv.FormatFloat(float64(n)/1024, 'f', 1, 64) + " KiB"
}
