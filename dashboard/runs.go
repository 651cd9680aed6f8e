package dashboard

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aftercall/internal/store"
	"aftercall/triggers"
)

// runView is a run of a conversation: its first decision, or what a person asked for later.
type runView struct {
	Label, Path string
	Current     bool
	Decided     moment
	Config      string // the beginning of the digest of the revision it was decided under
	Fired       int
}

// runOf takes the run that is asked for out of a page's address; 0 stands for all.
func runOf(r *http.Request) (int, error) {
	asked := r.URL.Query().Get("run")
	if asked == "" {
		return 0, nil
	}
	run, err := strconv.Atoi(asked)
	if err != nil || run < 1 {
		return 0, fmt.Errorf("read the run: %w", store.ErrNotFound)
	}
	return run, nil
}

// namesOfRuns gives the words of those runs that were decided under another revision than the conversation is pinned to.
func (d *Dashboard) namesOfRuns(ctx context.Context, s store.Story) map[int]names {
	runs, known := map[int]names{}, map[string]names{}
	for _, decision := range s.Decisions {
		id := decision.RevisionID
		if _, ok := runs[decision.Run]; ok || id == "" || id == s.RevisionID {
			continue
		}
		if _, ok := known[id]; !ok {
			known[id] = d.names(ctx, id)
		}
		runs[decision.Run] = known[id]
	}
	return runs
}

// has reports whether a run left anything.
func (t telling) has(run int) bool {
	return slices.ContainsFunc(t.story.Decisions, func(d store.StoryDecision) bool { return d.Run == run }) ||
		slices.ContainsFunc(t.story.Deliveries, func(d store.StoryDelivery) bool { return d.Run == run })
}

// onlyRun leaves of a story what one run did.
func onlyRun(s store.Story, run int) store.Story {
	s.Decisions = slices.DeleteFunc(slices.Clone(s.Decisions), func(d store.StoryDecision) bool { return d.Run != run })
	s.Values = slices.DeleteFunc(slices.Clone(s.Values), func(v store.StoryValue) bool { return v.Run != run })
	s.Deliveries = slices.DeleteFunc(slices.Clone(s.Deliveries), func(d store.StoryDelivery) bool { return d.Run != run })
	s.Tasks = slices.DeleteFunc(slices.Clone(s.Tasks), func(t store.StoryTask) bool { return t.Run != run })
	return s
}

// runViews lists the runs, the first one first, where there are several.
func (t telling) runViews(zone *time.Location) []runView {
	type sum struct {
		fired int
		at    time.Time
	}
	sums := map[int]*sum{}
	for _, d := range t.story.Decisions {
		if sums[d.Run] == nil {
			sums[d.Run] = &sum{at: d.DecidedAt}
		}
		if d.Verdict == triggers.Fires {
			sums[d.Run].fired++
		}
	}
	if len(sums) < 2 || t.story.Conversation == nil {
		return nil
	}
	path := conversationPath(t.story.Conversation.ID)
	views := []runView{{Label: "all runs", Path: path, Current: t.only == 0}}
	for _, run := range slices.Sorted(maps.Keys(sums)) {
		s := sums[run]
		v := runView{Label: fmt.Sprintf("run %d", run), Path: address(path, "run", strconv.Itoa(run)), Current: run == t.only,
			Decided: at(s.at, zone), Config: shortDigest(t.story.Digest), Fired: s.fired}
		if run == 1 {
			v.Label += ", the first decision"
		}
		if n, other := t.runs[run]; other && n.rev != nil {
			v.Config = shortDigest(n.rev.Digest)
		}
		views = append(views, v)
	}
	return views
}
