package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/rehearsal"
	"aftercall/triggers"
)

// casePage is the view of review_case.html: a decision as a case for an author's tests.
type casePage struct {
	Name, Customer, Call string
	Verdict              badge
	Should               []tab
	YAML                 string
	CaseFile, CallFile   string // where each is to be had
	Mark                 string // where to say whether the decision was right; "" if the reader may not
	Wrong, Right         bool   // what was said of it last
	MarkedBy, Note       string
	Back                 string // the page it was opened from
}

// caseFileName and callFileName are what an author keeps.
const (
	caseFileName = "case" + rehearsal.Suffix
	callFileName = "call.json"
)

// decided finds the call and the decision that an address is about. A case holds the call as it was said, numbers and
// addresses included.
func (d *Dashboard) decided(r *http.Request) (s store.Story, x store.StoryDecision, err error) {
	reader := d.reader(r, people.Addresses)
	run, _ := strconv.Atoi(r.PathValue("run")) // what is no number is no run
	account, id, err := reader.FindConversation(r.Context(), "", r.PathValue("id"))
	if err == nil {
		s, err = reader.StoryOfRun(r.Context(), account, id, run)
	}
	if err != nil {
		return s, x, fmt.Errorf("make a case of a call: %w", err)
	}
	i := slices.IndexFunc(s.Decisions, func(d store.StoryDecision) bool { return d.Run == run && d.Automation == r.PathValue("automation") })
	if i < 0 {
		return s, x, fmt.Errorf("make a case of a call: %w", store.ErrNotFound)
	}
	return s, s.Decisions[i], nil
}

// caseDraft is the case of a decision: what fired in its run, with or without the automation it is about.
func caseDraft(s store.Story, x store.StoryDecision, n names, fires bool) rehearsal.Draft {
	name, _ := n.automation(x.Automation)
	c := rehearsal.Draft{Name: name + " does not fire", CallFile: callFileName}
	for _, d := range s.Decisions {
		switch {
		case d.Run != x.Run || d.Automation == x.Automation:
		case d.Verdict == triggers.Fires:
			c.Fires = append(c.Fires, d.Automation)
		case d.Verdict == triggers.Unsure:
			c.Unsure = append(c.Unsure, d.Automation)
		}
	}
	if fires {
		c.Name, c.Fires = name+" fires", append(c.Fires, x.Automation)
	}
	return c
}

// shouldNot is what ?should= says of an automation that should not have fired.
const shouldNot = "not"

// reviewCase is GET …/case.
func (d *Dashboard) reviewCase(r *http.Request) (answer, error) {
	s, x, err := d.decided(r)
	if err != nil {
		return answer{}, err
	}
	n, should := d.names(r.Context(), s.RevisionID), r.URL.Query().Get("should")
	view := caseOf(s, x, n, should)
	view.Back = backTo(r.URL.Query(), "/review")
	if d.ops != nil && people.Of(r.Context()).May(people.Operate, s.AccountID) {
		view.Mark = reviewPath(store.ToReview{ConversationID: s.Conversation.ID, Run: x.Run, Decision: x.Decision}, "mark")
	}
	return answer{Template: "review_case", Title: "A test case of " + view.Name, Section: "review", View: view}, nil
}

func caseOf(s store.Story, x store.StoryDecision, n names, should string) casePage {
	v := store.ToReview{Run: x.Run, Decision: x.Decision}
	p := casePage{Verdict: verdictBadge(x.Verdict), YAML: string(caseDraft(s, x, n, should != shouldNot).YAML())}
	if c := s.Conversation; c != nil {
		v.ConversationID, p.Customer = c.ID, heading(c)
	}
	p.Name, _ = n.automation(x.Automation)
	p.Call = conversationPath(v.ConversationID)
	path := reviewPath(v, "case")
	p.Should = []tab{{"It should fire", path, should != shouldNot}, {"It should not fire", address(path, "should", shouldNot), should == shouldNot}}
	p.CaseFile, p.CallFile = address(path+"/"+caseFileName, "should", should), path+"/"+callFileName
	if m := x.Mark; m != nil {
		p.Wrong, p.Right, p.MarkedBy, p.Note = m.Wrong, !m.Wrong, m.By, m.Note
	}
	return p
}

// reviewCaseFile is GET …/case/{file}: the case, or the call it is about, to be kept.
func (d *Dashboard) reviewCaseFile(r *http.Request) (answer, error) {
	s, x, err := d.decided(r)
	if err != nil {
		return answer{}, err
	}
	switch r.PathValue("file") {
	case caseFileName:
		c := caseDraft(s, x, d.names(r.Context(), s.RevisionID), r.URL.Query().Get("should") != shouldNot)
		return answer{File: &file{Type: "application/yaml; charset=utf-8", Name: caseFileName, Body: c.YAML()}}, nil
	case callFileName:
		body, err := rehearsal.EncodeCall(s.Conversation)
		if err != nil {
			return answer{}, err
		}
		return answer{File: &file{Type: "application/json", Name: callFileName, Body: body}}, nil
	}
	return answer{}, store.ErrNotFound
}

// mark is POST …/mark: the decision was right, or wrong.
func (d *Dashboard) mark(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	account, id, err := d.reader(r, people.Operate).FindConversation(r.Context(), "", r.PathValue("id"))
	if err != nil {
		return answer{}, fmt.Errorf("mark a decision: %w", err)
	}
	was := form.Get("was")
	if was != "right" && was != "wrong" {
		return answer{}, refused("Say whether the decision was right or wrong.")
	}
	run, _ := strconv.Atoi(r.PathValue("run")) // what is no number is no run
	err = d.ops.Mark(r.Context(), people.Of(r.Context()).Actor(), account, id, run, r.PathValue("automation"), was == "wrong", form.Get("note"))
	if err != nil {
		return answer{}, fmt.Errorf("mark a decision: %w", err)
	}
	v := store.ToReview{ConversationID: id, Run: run, Decision: triggers.Decision{Automation: r.PathValue("automation")}}
	return answer{Location: backTo(form, reviewPath(v, "case"))}, nil
}
