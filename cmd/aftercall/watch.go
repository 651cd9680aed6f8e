package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"aftercall/automation"
	"aftercall/internal/store"
)

// How a folder is watched: notifications come as it changes, in several while it is written; one may be missed, and some
// mounts send none.
const (
	settleTime = time.Second
	lookAgain  = 30 * time.Second
)

// watcher keeps the config of accounts as their folders say: the door "files". The folder is watched, not its files,
// because what replaces a file replaces the watch on it, and Kubernetes replaces all files at once by one link.
type watcher struct {
	db            *store.Store
	log           *slog.Logger
	dir           string
	settle, again time.Duration
	claim         *store.Watch
	notify        *fsnotify.Watcher // nil where the system has none to give
	hup           chan struct{}
	took          func(context.Context)    // something may have become active
	tries         map[string]store.Attempt // what became of the last look, by folder
	said          string                   // the last fault of the whole folder
}

// newWatcher returns a watcher that has not looked yet.
func newWatcher(db *store.Store, log *slog.Logger, dir string) *watcher {
	w := &watcher{db: db, log: log, dir: dir, settle: settleTime, again: lookAgain, claim: db.NewWatch(), hup: make(chan struct{}, 1),
		took: func(context.Context) {}, tries: map[string]store.Attempt{}}
	var err error
	if w.notify, err = fsnotify.NewWatcher(); err != nil {
		log.Warn("the system does not tell of changes in the config folder; it is looked at every 30 seconds", "error", err)
	}
	return w
}

// close gives back what the watcher holds.
func (w *watcher) close() {
	if w == nil {
		return
	}
	w.claim.Close()
	if w.notify != nil {
		_ = w.notify.Close() // nothing is read from it any more
	}
}

// follow looks whenever the folder may have changed, until ctx ends.
func (w *watcher) follow(ctx context.Context) {
	if w == nil {
		return
	}
	var events chan fsnotify.Event
	var faults chan error
	if w.notify != nil {
		events, faults = w.notify.Events, w.notify.Errors
	}
	w.heed(ctx, events, faults, w.look)
}

// heed looks when a folder that changed has settled, and now and again. A folder that is being written is left alone for
// one such time, but not for ever: something may write to it all the time.
func (w *watcher) heed(ctx context.Context, events <-chan fsnotify.Event, faults <-chan error, look func(ctx context.Context, all bool)) {
	tick := time.NewTicker(w.again)
	defer tick.Stop()
	var settled <-chan time.Time
	left := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			settled = time.After(w.settle)
		case err := <-faults:
			w.log.Warn("watch the config folder", "error", err)
			settled = time.After(w.settle) // what was missed is in the folder
		case <-settled:
			settled = nil
			look(ctx, false)
		case <-tick.C:
			if left = settled != nil && !left; !left {
				look(ctx, false)
			}
		case <-w.hup:
			look(ctx, true)
		}
	}
}

// reread asks for a look at everything, changed or not.
func (w *watcher) reread() {
	if w == nil {
		return
	}
	select {
	case w.hup <- struct{}{}:
	default: // it is asked for already
	}
}

// look reads the folder and takes every account's files that differ from those it took last, or all.
func (w *watcher) look(ctx context.Context, all bool) {
	w.listen()
	folders, err := automation.ReadEach(w.dir)
	if err != nil {
		if w.said != err.Error() {
			w.log.Error("the config folder was not read; what was active stays", "error", err)
		}
		w.said = err.Error()
		w.lose(ctx, nil, err)
		return
	}
	w.said = ""
	w.lose(ctx, folders, errors.New("the folder is not there any more"))
	if all {
		clear(w.tries)
	}
	took, overruled := all, w.overruled(ctx)
	for _, f := range folders {
		last, known := w.tries[f.Path]
		if f.Err != nil {
			if !known {
				w.log.Error("the config folder was not activated; what was active stays", "folder", f.Path, "error", f.Err)
				w.tries[f.Path] = store.Attempt{Folder: f.Path, State: store.AttemptFailed, FirstProblem: f.Err.Error()}
			}
			continue // where it is known whose it is, lose has said it
		}
		digest := f.Files.Digest()
		stands := last.State == store.AttemptInvalid || last.State == store.AttemptApplied && !overruled[last.AccountID]
		if known && stands && last.Digest == digest {
			continue // looking at the same files again would change nothing
		}
		log := w.log
		if known && last.Digest == digest {
			log = slog.New(slog.DiscardHandler) // what is wrong in these files was said
		}
		took = w.take(ctx, log, f, digest) || took
	}
	if took {
		w.took(ctx)
	}
}

// overruled are the accounts of which something else is active than what was taken from here: by the other door while that
// counted, or by a process that was frozen in the middle of it.
func (w *watcher) overruled(ctx context.Context) map[string]bool {
	active, err := w.db.ActiveRevisions(ctx)
	if err != nil {
		return nil // the next look asks again
	}
	type taken struct{ account, digest string }
	here := map[taken]bool{}
	for _, t := range w.tries {
		here[taken{t.AccountID, t.Digest}] = true
	}
	overruled := map[string]bool{}
	for _, a := range active {
		overruled[a.AccountID] = !here[taken{a.AccountID, a.Digest}]
	}
	return overruled
}

// lose says of the accounts whose folder was there, and cannot be read now, that what was active stays. gone is why one is
// not among the folders.
func (w *watcher) lose(ctx context.Context, folders []automation.Folder, gone error) {
	for path, last := range w.tries {
		why := gone
		if i := slices.IndexFunc(folders, func(f automation.Folder) bool { return f.Path == path }); i >= 0 {
			why = folders[i].Err
		}
		if why == nil || last.State == waitsForPeer {
			continue
		}
		now := last
		now.State, now.Problems, now.FirstProblem, now.Digest = store.AttemptFailed, 0, why.Error(), ""
		if w.tell(ctx, last, now, why) {
			w.tries[path] = now
		}
	}
}

// listen asks for notifications about every folder there is now. Asking twice is asking once.
func (w *watcher) listen() {
	if w.notify == nil {
		return
	}
	if i, err := os.Lstat(w.dir); err == nil && i.Mode()&fs.ModeSymlink != 0 {
		_ = w.notify.Add(filepath.Dir(filepath.Clean(w.dir))) // the link itself may be replaced
	}
	_ = filepath.WalkDir(w.dir+string(filepath.Separator), func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || !e.IsDir():
			return nil // it is going, or a file
		case path != w.dir+string(filepath.Separator) && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		}
		if err := w.notify.Add(path); err != nil {
			w.log.Warn("the system does not tell of changes in a config folder; it is looked at every 30 seconds", "folder", path, "error", err)
		}
		return nil
	})
}

// take applies one account's files, if it is this process that watches for the account. It reports whether they are newly
// active.
func (w *watcher) take(ctx context.Context, log *slog.Logger, f automation.Folder, digest string) (changed bool) {
	last := w.tries[f.Path]
	now := store.Attempt{AccountID: automation.AccountOf(f.Files), Folder: f.Path, Digest: digest}
	now.Host, _ = os.Hostname() // for a person; without it the folder has to do
	mine, err := w.claim.Mine(ctx, now.AccountID)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		w.log.Error("find out who watches the config folder", "folder", f.Path, "error", err)
		return false
	case !mine:
		if now.State = waitsForPeer; last.State != waitsForPeer {
			w.log.Info("another process watches for this account; this one follows if it ends", "account", now.AccountID, "folder", f.Path)
		}
		w.tries[f.Path] = now
		return false
	}
	rev, problems := checkFolder(log, f)
	if now.Problems = len(problems); rev == nil {
		now.State, now.FirstProblem, err = store.AttemptInvalid, problems[0], invalid(f)
	} else {
		now.AccountID = rev.AccountID
		changed, err = applyRevision(ctx, w.db, w.log, f, rev, store.ByFiles)
		now.State = stateOf(err)
		if err = refused(err); err != nil {
			now.FirstProblem = err.Error()
		}
	}
	if ctx.Err() != nil {
		return changed
	}
	if !w.tell(ctx, last, now, err) {
		now = store.Attempt{} // so that it is kept the next time
	}
	w.tries[f.Path] = now
	return changed
}

// waitsForPeer is the state of a folder that another process watches. It is not recorded: that process records its own.
const waitsForPeer store.AttemptState = "waiting"

// tell logs and keeps what became of a look, unless it is what was said before. It reports whether it is kept.
func (w *watcher) tell(ctx context.Context, last, now store.Attempt, err error) bool {
	if last == now {
		return true
	}
	if err != nil {
		w.log.Error("the config folder was not activated; what was active stays", "account", now.AccountID, "folder", now.Folder, "error", err)
	}
	if now.AccountID == "" {
		return true // nobody's: the log has to do
	}
	if err := w.db.RecordAttempt(ctx, now); err != nil {
		w.log.Error("keep what became of the config folder", "account", now.AccountID, "error", err)
		return false
	}
	return true
}

// stateOf says what became of a folder without errors.
func stateOf(err error) store.AttemptState {
	var governed *store.Governed
	switch {
	case err == nil:
		return store.AttemptApplied
	case errors.As(err, &governed):
		return store.AttemptRefused
	}
	return store.AttemptFailed
}

// checkFolder compiles one account's folder. All problems are logged; the errors come back, one line each.
func checkFolder(log *slog.Logger, f automation.Folder) (rev *automation.Revision, problems []string) {
	rev, found := automation.Compile(f.Files)
	for _, p := range found {
		if p.Severity == automation.Error {
			line, _, _ := strings.Cut(p.String(), "\n")
			problems = append(problems, line)
		}
		log.Warn("config", "folder", f.Path, "problem", p.String())
	}
	return rev, problems
}

// invalid is the error of a folder that makes no revision.
func invalid(f automation.Folder) error {
	return fmt.Errorf("%s has errors; run aftercall check %s", f.Path, f.Path)
}

// applyRevision stores a folder's revision and makes it active.
func applyRevision(ctx context.Context, db *store.Store, log *slog.Logger, f automation.Folder, rev *automation.Revision, door store.Origin) (changed bool, err error) {
	id, changed, err := db.Apply(ctx, revisionFiles(rev, f.Files, ""), store.Activation{
		Sources: sourcesOf(rev), By: "folder " + f.Path, Origin: door,
	})
	if err != nil {
		return false, fmt.Errorf("activate %s: %w", f.Path, err)
	}
	log.Info("config", "account", rev.AccountID, "revision_id", id, "digest", rev.Digest[:12], "changed", changed)
	return changed, nil
}
