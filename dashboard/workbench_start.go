package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/examples"
	"aftercall/internal/store"
	"aftercall/people"
)

// What a draft may begin as, and which call it is tried on. Both are named "kind:which".
const (
	fromActive  = "active"  // an account's active revision
	fromExample = "example" // the example account
	fromStarter = "starter" // the example account's people and groups, with one starter
	callSample  = "sample"
	callStored  = "stored"
)

// mostCalls is how many stored calls are offered: the newest.
const mostCalls = 40

// starterAccount is the folder of the examples that lends starters its people, groups and sources.
const starterAccount = "acme"

// usual is what a workbench without a wish begins as: the first account's active config, else the example.
func (b *workbench) usual(ctx context.Context) string {
	active, err := b.reader(ctx).ActiveRevisions(ctx)
	if err != nil || len(active) == 0 {
		return fromExample + ":" + starterAccount // the draft needs no database; the page will say what is wrong with it
	}
	return fromActive + ":" + active[0].AccountID
}

// start gives the files that a draft begins as.
func (b *workbench) start(ctx context.Context, from string) ([]draftFile, error) {
	kind, which, _ := strings.Cut(from, ":")
	switch kind {
	case fromActive:
		return b.active(ctx, which)
	case fromExample:
		return b.example(func(string) bool { return true })
	case fromStarter:
		return b.starter(which)
	}
	return nil, fmt.Errorf("start a draft: %w", store.ErrNotFound)
}

// active gives the files of an account's active revision, from the database: what this process has compiled may be older.
func (b *workbench) active(ctx context.Context, account string) ([]draftFile, error) {
	all, err := b.reader(ctx).ActiveRevisions(ctx)
	if err != nil {
		return nil, fmt.Errorf("start a draft: %w", err)
	}
	i := slices.IndexFunc(all, func(a store.Active) bool { return a.AccountID == account })
	if i < 0 {
		return nil, fmt.Errorf("start a draft: %w", store.ErrNotFound)
	}
	stored, err := b.reader(ctx).Revision(ctx, all[i].RevisionID)
	if err != nil {
		return nil, fmt.Errorf("start a draft: %w", err)
	}
	return drafted(stored.Files), nil
}

// example gives the files of the example account that are wanted.
func (b *workbench) example(wanted func(name string) bool) ([]draftFile, error) {
	sub, err := fs.Sub(examples.Files(), starterAccount)
	if err != nil {
		return nil, fmt.Errorf("read the example account: %w", err)
	}
	files, err := automation.ReadFS(sub)
	if err != nil {
		return nil, fmt.Errorf("read the example account: %w", err)
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return !wanted(name) })
	return drafted(files), nil
}

func (b *workbench) starter(id string) ([]draftFile, error) {
	all, err := automation.ReadFS(automation.Starters())
	if err != nil {
		return nil, fmt.Errorf("read the starters: %w", err)
	}
	files := map[string][]byte{}
	for name, content := range all {
		if strings.HasPrefix(name, id+"/") {
			files[name] = content
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("start a draft: %w", store.ErrNotFound)
	}
	account, err := b.example(func(name string) bool { return name == "account.yaml" })
	if err != nil {
		return nil, err
	}
	return append(account, drafted(files)...), nil
}

// drafted puts files in the order in which they are read: account.yaml first.
func drafted(files map[string][]byte) []draftFile {
	var out []draftFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := draftFile{name, string(files[name])}
		if name == "account.yaml" {
			out = slices.Insert(out, 0, f)
			continue
		}
		out = append(out, f)
	}
	return out
}

// starts lists what a draft may begin as.
func (b *workbench) starts(ctx context.Context, chosen string) ([]choices, error) {
	active, err := b.reader(ctx).ActiveRevisions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list what a draft may begin as: %w", err)
	}
	option := func(kind, which, label string) choice {
		value := kind + ":" + which
		return choice{value, label, value == chosen}
	}
	now, ready := choices{Label: "Active now"}, choices{Label: "Starters"}
	for _, a := range active {
		now.Options = append(now.Options, option(fromActive, a.AccountID, a.AccountID+", "+shortDigest(a.Digest)))
	}
	entries, err := fs.ReadDir(automation.Starters(), ".")
	if err != nil {
		return nil, fmt.Errorf("list the starters: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			ready.Options = append(ready.Options, option(fromStarter, e.Name(), spaced(e.Name())))
		}
	}
	example := choices{Label: "Example", Options: []choice{option(fromExample, starterAccount, "the example account, whole")}}
	return slices.DeleteFunc([]choices{now, ready, example}, func(c choices) bool { return len(c.Options) == 0 }), nil
}

// spaced reads a name as words: "callback-requested" is "callback requested".
func spaced(name string) string { return strings.ReplaceAll(name, "-", " ") }

// sample is a call that came with the binary.
type sample struct {
	id, label string
	call      *conversation.Conversation
}

// samples reads the sample calls, once.
func samples() ([]sample, error) {
	names, err := fs.Glob(examples.Files(), "calls/*.json")
	if err != nil {
		return nil, fmt.Errorf("list sample calls: %w", err)
	}
	var out []sample
	for _, name := range names {
		body, err := fs.ReadFile(examples.Files(), name)
		if err != nil {
			return nil, fmt.Errorf("read sample call %s: %w", name, err)
		}
		c := &conversation.Conversation{}
		if err := json.Unmarshal(body, c); err != nil {
			return nil, fmt.Errorf("read sample call %s: %w", name, err)
		}
		c.ID = c.ExternalID // the platform's id is ours, too: nothing is stored under it
		id := strings.TrimSuffix(path.Base(name), ".json")
		out = append(out, sample{id, spaced(id), c})
	}
	return out, nil
}

// calls lists the calls a draft may be tried on: the samples, and the newest of its account, or of all that the author may
// see if that account is none of those.
func (b *workbench) calls(ctx context.Context, d draft) ([]choices, error) {
	given, stored := choices{Label: "Sample calls"}, choices{Label: "Stored calls, newest first"}
	for _, s := range b.samples {
		value := callSample + ":" + s.id
		given.Options = append(given.Options, choice{value, s.label, value == d.Call})
	}
	_, account, _ := strings.Cut(d.From, ":")
	if _, ok := b.revisions.Active(account); !ok || !people.Of(ctx).May(people.Try, account) {
		account = ""
	}
	rows, _, err := b.reader(ctx).Conversations(ctx, store.ConversationQuery{AccountID: account, Limit: mostCalls})
	if err != nil {
		return nil, fmt.Errorf("list calls to try: %w", err)
	}
	for _, row := range rows {
		value := callStored + ":" + row.ID
		stored.Options = append(stored.Options, choice{value, callLabel(row, b.names(row.AccountID)), value == d.Call})
	}
	if len(stored.Options) == 0 {
		return []choices{given}, nil
	}
	return []choices{stored, given}, nil
}

// names gives the words of an account's active revision.
func (b *workbench) names(accountID string) names {
	rev, _ := b.revisions.Active(accountID)
	return names{rev}
}

// troubles says what keeps the folder of the account that a draft began as from being taken: the draft is then older than it.
func (b *workbench) troubles(ctx context.Context, from string) ([]configView, error) {
	kind, account, _ := strings.Cut(from, ":")
	if kind != fromActive || account == "" {
		return nil, nil
	}
	all, err := b.reader(ctx).ConfigTroubles(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("look how the config folder fared: %w", err)
	}
	return configTroubles(all, b.names), nil
}

// callLabel tells stored calls apart: who called, when, and what fired.
func callLabel(row store.ConversationRow, n names) string {
	parts := []string{or(row.CustomerName, or(row.CustomerNumber, "unknown caller")), shortly(row.StartedAt, n.zone()).Local}
	if len(row.Fired) > 0 {
		parts = append(parts, "fired: "+strings.Join(row.Fired, ", "))
	}
	return strings.Join(parts, " · ")
}

// call loads the call to try; nil if none is chosen.
func (b *workbench) call(ctx context.Context, chosen string) (*conversation.Conversation, error) {
	kind, which, _ := strings.Cut(chosen, ":")
	switch kind {
	case "":
		return nil, nil
	case callSample:
		for _, s := range b.samples {
			if s.id == which {
				return s.call, nil
			}
		}
	case callStored:
		account, id, err := b.reader(ctx).FindConversation(ctx, "", which)
		if err != nil {
			return nil, fmt.Errorf("load the call to try: %w", err)
		}
		story, err := b.reader(ctx).Story(ctx, account, id)
		if err != nil {
			return nil, fmt.Errorf("load the call to try: %w", err)
		}
		if story.Conversation == nil {
			return nil, errors.New("load the call to try: it has no content any more")
		}
		return story.Conversation, nil
	}
	return nil, fmt.Errorf("load the call to try: %w", store.ErrNotFound)
}
