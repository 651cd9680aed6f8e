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
)

// runView is a run of a conversation: its first decision, or what a person asked for later.
type runView struct {
	Label, Path string // "" where it has decided nothing yet
	Current     bool
	Decided     moment
	Config      string // the beginning of the digest of the revision it was decided under
	Fired       int
	Problem     string // why it failed, or what it waits for
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
	note := func(run int, id string) {
		if _, ok := runs[run]; ok || id == "" || id == s.RevisionID {
			return
		}
		if _, ok := known[id]; !ok {
			known[id] = d.names(ctx, id)
		}
		runs[run] = known[id]
	}
	for _, decided := range s.Decided {
		note(decided.Run, decided.RevisionID)
	}
	for _, r := range s.Runs {
		note(r.Run, r.RevisionID)
	}
	return runs
}

// runViews lists the runs, the first one first, where there are several.
func (t telling) runViews(zone *time.Location) []runView {
	c := t.story.Conversation
	if c == nil || len(t.story.Runs) == 0 && len(t.story.Decided) < 2 {
		return nil
	}
	path := conversationPath(c.ID)
	views := []runView{{Label: "All runs", Path: path, Current: t.only == 0}}
	all := map[int]runView{}
	for _, r := range t.story.Runs {
		all[r.Run] = runView{Label: runLabel(r.Run, r), Problem: r.Problem}
	}
	for _, d := range t.story.Decided {
		v, asked := all[d.Run]
		if !asked {
			v.Label = runLabel(d.Run, store.Run{})
		}
		v.Path, v.Decided, v.Fired = address(path, "run", strconv.Itoa(d.Run)), at(d.At, zone), d.Fired
		all[d.Run] = v
	}
	for _, run := range slices.Sorted(maps.Keys(all)) {
		v := all[run]
		v.Config, v.Current = shortDigest(t.digest(run)), run == t.only
		views = append(views, v)
	}
	return views
}

// digest names the revision of a run.
func (t telling) digest(run int) string {
	if n, other := t.runs[run]; other && n.rev != nil {
		return n.rev.Digest
	}
	return t.story.Digest
}

// runLabel says what a run is.
func runLabel(run int, asked store.Run) string {
	label := fmt.Sprintf("Run %d", run)
	switch asked.Cause {
	case store.CauseReplay:
		label += ", decided anew"
	case store.CauseFix:
		label += ", values given"
	case store.CauseApprove:
		label += ", approved"
	default:
		if run == 1 {
			return label + ", the first decision"
		}
		return label
	}
	if asked.Sandbox {
		label += " in the sandbox"
	}
	if asked.By != "" {
		label += " by " + asked.By
	}
	switch asked.State {
	case store.RunAsked:
		label += ", not done yet"
	case store.RunFailed:
		label += ", failed"
	}
	return label
}
