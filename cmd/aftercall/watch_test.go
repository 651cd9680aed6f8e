package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
)

// lookout is a watcher on a database of its own.
type lookout struct {
	*testing.T
	*watcher
	log *journal
}

// watching makes a watcher that hears of changes at once and looks by itself only after again. It has looked once.
func watching(t *testing.T, db *store.Store, dir string, again time.Duration) *lookout {
	t.Helper()
	l := &lookout{T: t, log: &journal{}}
	l.watcher = newWatcher(db, slog.New(slog.NewTextHandler(l.log, nil)), dir)
	l.settle, l.again = 10*time.Millisecond, again
	l.look(t.Context(), true)
	return l
}

// goOn follows the folder until the test ends.
func (l *lookout) goOn() {
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { l.follow(ctx) })
	l.Cleanup(func() {
		stop()
		all.Wait()
		l.close()
	})
}

func openDatabase(t *testing.T) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// activeBecomes waits until the account's active revision holds a text, and gives its digest.
func activeBecomes(t *testing.T, db *store.Store, account, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		active, err := db.ActiveRevisions(ctx)
		if err != nil {
			t.Fatalf("no revision with %q becomes active: %v", text, err)
		}
		for _, a := range active {
			r, err := db.Revision(ctx, a.RevisionID)
			if err == nil && a.AccountID == account && strings.Contains(string(r.Files["account.yaml"]), text) {
				return a.Digest
			}
		}
	}
}

// troubleBecomes waits until the last look at the account's folder has this state, "" for none.
func troubleBecomes(t *testing.T, db *store.Store, state store.AttemptState) store.Attempt {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		troubles, err := db.ConfigTroubles(ctx, "acme")
		switch {
		case err != nil:
			t.Fatalf("the folder is never %q: %v", state, err)
		case len(troubles) == 0 && state == "":
			return store.Attempt{}
		case len(troubles) == 1 && troubles[0].State == state:
			return troubles[0]
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// all is everything logged so far.
func (j *journal) all() string { return strings.Join(j.lines(""), "") }

func named(name string) string { return strings.Replace(silentConfig, "Acme Clinic", name, 1) }

// TestWatchedFolder: a change is taken, an invalid one keeps what was active and says so to the log and the pages, and a
// mended one ends that.
func TestWatchedFolder(t *testing.T) {
	t.Parallel()
	db, dir := openDatabase(t), writeAccount(t, silentConfig)
	l := watching(t, db, dir, time.Hour)
	activeBecomes(t, db, "acme", "Acme Clinic")
	l.goOn()
	file := filepath.Join(dir, "account.yaml")
	write(t, file, named("Acme Two"))
	good := activeBecomes(t, db, "acme", "Acme Two")
	write(t, file, careless)
	a := troubleBecomes(t, db, store.AttemptInvalid)
	if a.Problems != 3 || !strings.Contains(a.FirstProblem, "account.yaml:9:81: error[AC201]") || a.Folder != dir {
		t.Errorf("kept of it: %+v", a)
	}
	if digest := activeBecomes(t, db, "acme", "Acme Two"); digest != good {
		t.Errorf("active is %s, was %s", digest, good)
	}
	write(t, filepath.Join(dir, "more.yaml"), "missing: unknown\n") // one more file, in a folder that is still invalid
	write(t, file, named("Acme Three"))
	activeBecomes(t, db, "acme", "Acme Three")
	troubleBecomes(t, db, "")
	if !strings.Contains(l.log.all(), "the config folder was not activated; what was active stays") {
		t.Errorf("the log does not say so:\n%s", l.log.all())
	}
}

// TestWatchedMount: Kubernetes mounts links into a hidden folder and swaps one link for all files at once. Nothing looks
// by itself here: the swap has to be heard.
func TestWatchedMount(t *testing.T) {
	t.Parallel()
	db, dir := openDatabase(t), t.TempDir()
	swap := func(version, text string) {
		t.Helper()
		write(t, filepath.Join(dir, "..2026_"+version, "account.yaml"), text)
		tmp := filepath.Join(dir, "..data_tmp")
		if err := errors.Join(os.Symlink("..2026_"+version, tmp), os.Rename(tmp, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	swap("1", named("Acme One"))
	if err := os.Symlink(filepath.Join("..data", "account.yaml"), filepath.Join(dir, "account.yaml")); err != nil {
		t.Fatal(err)
	}
	l := watching(t, db, dir, time.Hour)
	activeBecomes(t, db, "acme", "Acme One")
	l.goOn()
	for _, version := range []string{"2", "3"} {
		swap(version, named("Acme "+version))
		if err := os.RemoveAll(filepath.Join(dir, "..2026_1")); err != nil {
			t.Fatal(err)
		}
		activeBecomes(t, db, "acme", "Acme "+version)
	}
}

// TestWatchedWithoutNotifications: what nobody tells of is found by looking.
func TestWatchedWithoutNotifications(t *testing.T) {
	t.Parallel()
	db, dir := openDatabase(t), writeAccount(t, silentConfig)
	l := watching(t, db, dir, 10*time.Millisecond)
	if err := l.notify.Close(); err != nil {
		t.Fatal(err)
	}
	l.notify = nil
	l.goOn()
	write(t, filepath.Join(dir, "account.yaml"), named("Acme Two"))
	activeBecomes(t, db, "acme", "Acme Two")
}

// TestOneProcessWatches: of two processes with the folder one applies it; when it ends, the other does.
func TestOneProcessWatches(t *testing.T) {
	t.Parallel()
	db := openDatabase(t)
	one := watching(t, db, writeAccount(t, named("Acme One")), time.Hour)
	other := writeAccount(t, named("Acme Two"))
	two := watching(t, db, other, 10*time.Millisecond)
	if digest := activeBecomes(t, db, "acme", "Acme One"); digest == "" || !strings.Contains(two.log.all(), "another process watches") {
		t.Errorf("the second does not stand back:\n%s", two.log.all())
	}
	two.goOn()
	one.close()
	activeBecomes(t, db, "acme", "Acme Two")
}

// TestWatchedWithoutAuthority: a folder that does not count is refused with what to do, and taken once it counts again.
func TestWatchedWithoutAuthority(t *testing.T) {
	t.Parallel()
	db, dir := openDatabase(t), writeAccount(t, silentConfig)
	l := watching(t, db, dir, 10*time.Millisecond)
	if err := db.SetAuthority(t.Context(), "acme", store.ByCLI, "ann"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "account.yaml"), named("Acme Two"))
	l.look(t.Context(), false)
	if said := l.log.all(); strings.Count(said, "comes from aftercall apply (ann") != 1 || !strings.Contains(said, "aftercall authority acme files") {
		t.Errorf("it says:\n%s", said)
	}
	activeBecomes(t, db, "acme", "Acme Clinic")
	troubleBecomes(t, db, "") // a folder that does not count troubles nobody
	if err := db.SetAuthority(t.Context(), "acme", store.ByFiles, "ann"); err != nil {
		t.Fatal(err)
	}
	l.goOn()
	activeBecomes(t, db, "acme", "Acme Two")
}

// TestAFolderCountsAgain: what the other door made active while it counted is replaced by what is in the folder, though
// nothing in that has changed.
func TestAFolderCountsAgain(t *testing.T) {
	t.Parallel()
	ctx, db, dir := t.Context(), openDatabase(t), writeAccount(t, silentConfig)
	l := watching(t, db, dir, 10*time.Millisecond)
	files := automation.Files{"account.yaml": []byte(named("Acme Two"))}
	r := store.RevisionFiles{AccountID: "acme", Digest: files.Digest(), Format: 1, Files: files}
	if err := db.SetAuthority(ctx, "acme", store.ByCLI, "ann"); err != nil {
		t.Fatal(err)
	}
	if _, changed, err := db.Apply(ctx, r, store.Activation{By: "ann", Origin: store.ByCLI}); !changed || err != nil {
		t.Fatal(changed, err)
	}
	l.look(ctx, false)
	activeBecomes(t, db, "acme", "Acme Two")
	if err := db.SetAuthority(ctx, "acme", store.ByFiles, "ann"); err != nil {
		t.Fatal(err)
	}
	l.goOn()
	activeBecomes(t, db, "acme", "Acme Clinic")
}

// TestTwoFoldersOfOneAccount: whichever is taken stays; they do not take turns.
func TestTwoFoldersOfOneAccount(t *testing.T) {
	t.Parallel()
	ctx, db, dir := t.Context(), openDatabase(t), t.TempDir()
	write(t, filepath.Join(dir, "one", "account.yaml"), named("Acme One"))
	write(t, filepath.Join(dir, "two", "account.yaml"), named("Acme Two"))
	l := watching(t, db, dir, time.Hour)
	defer l.close()
	before, err := db.ActiveRevisions(ctx)
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	l.look(ctx, false)
	l.look(ctx, false)
	if after, err := db.ActiveRevisions(ctx); err != nil || !cmp.Equal(before, after) {
		t.Errorf("they take turns: %+v, then %+v, %v", before, after, err)
	}
}

// TestAFolderThatGoes: an account whose folder cannot be read any more keeps what it had, the pages say so until it can be
// read again, and the other accounts go on.
func TestAFolderThatGoes(t *testing.T) {
	t.Parallel()
	ctx, db, dir := t.Context(), openDatabase(t), t.TempDir()
	there := func(account string) {
		write(t, filepath.Join(dir, account, "account.yaml"), strings.Replace(silentConfig, "account: acme", "account: "+account, 1))
	}
	there("acme")
	there("umbra")
	l := watching(t, db, dir, time.Hour)
	defer l.close()
	troubled := func(why string, want ...string) {
		t.Helper()
		l.look(ctx, false)
		troubles, err := db.ConfigTroubles(ctx, "")
		var got []string
		for _, a := range troubles {
			got = append(got, a.AccountID)
			if a.State != store.AttemptFailed || !strings.Contains(a.FirstProblem, why) {
				t.Errorf("kept of it: %+v", a)
			}
		}
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("troubles %v, want %v; %v", got, want, err)
		}
	}
	troubled("")
	link := filepath.Join(dir, "umbra", "link.yaml")
	if err := os.Symlink(filepath.Join(t.TempDir(), "elsewhere.yaml"), link); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "acme", "account.yaml"), named("Acme Two"))
	troubled("may not lead out", "umbra")
	activeBecomes(t, db, "acme", "Acme Two")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	troubled("")
	if err := os.RemoveAll(filepath.Join(dir, "umbra")); err != nil {
		t.Fatal(err)
	}
	troubled("the folder is not there any more", "umbra")
	activeBecomes(t, db, "umbra", "Acme Clinic")
	there("umbra")
	troubled("")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	troubled("read config folder", "acme", "umbra")
	there("acme")
	there("umbra")
	troubled("")
}

// TestAFolderIsReadWhenItHasSettled: what is written in several steps is read once, when it has been quiet for a moment. A
// look that is due meanwhile is put off once: something may write there all the time.
func TestAFolderIsReadWhenItHasSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, looks := time.Now(), []string{}
		w := &watcher{log: slog.New(slog.DiscardHandler), settle: time.Second, again: 30 * time.Second, hup: make(chan struct{}, 1)}
		events, faults, ended := make(chan fsnotify.Event), make(chan error), make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			defer close(ended)
			w.heed(ctx, events, faults, func(_ context.Context, all bool) {
				looks = append(looks, fmt.Sprint(time.Since(began), " all ", all))
			})
		}()
		at := func(s float64) { time.Sleep(time.Duration(s*float64(time.Second)) - time.Since(began)) }
		for _, s := range []float64{0.1, 0.4, 1.3} {
			at(s)
			events <- fsnotify.Event{}
		}
		at(5)
		faults <- errors.New("some were missed")
		at(7)
		w.reread()
		for s := 29.5; s <= 61; s += 0.5 {
			at(s)
			events <- fsnotify.Event{}
		}
		at(95)
		stop()
		<-ended
		want := []string{"2.3s all false", "6s all false", "7s all true", "1m0s all false", "1m2s all false", "1m30s all false"}
		if diff := cmp.Diff(want, looks); diff != "" {
			t.Error(diff)
		}
	})
}

// TestServeWatchesItsFolder: serve --config, the whole process.
func TestServeWatchesItsFolder(t *testing.T) {
	t.Parallel()
	url, dir := pgtest.New(t), writeAccount(t, silentConfig)
	db, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	log := &journal{}
	go func() {
		c := &console{out: log, err: log, getenv: env(map[string]string{"DATABASE_URL": url, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
			"AFTERCALL_LISTEN": "127.0.0.1:0", "AFTERCALL_ADMIN_LISTEN": "127.0.0.1:0"})}
		ended <- run(ctx, c, []string{"serve", "--config", dir})
	}()
	activeBecomes(t, db, "acme", "Acme Clinic")
	write(t, filepath.Join(dir, "account.yaml"), named("Acme Two"))
	activeBecomes(t, db, "acme", "Acme Two")
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("serve ends with %d:\n%s", code, log.all())
	}
}
