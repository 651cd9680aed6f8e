package dashboard

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aftercall/automation"
	"aftercall/internal/store"
)

// runPages are the pages of bulk jobs, of a config and of the queue, under the addresses they have in life.
func runPages() map[string]answer {
	bulk, config, queue := bulkPages(plain, fixtureNames()), configPages(plain, fixtureNames()), queuePages(plain)
	return map[string]answer{
		bulkPath: bulk["bulks"], bulkJobPath("b"): bulk["bulk, running"], askPath: bulk["bulk counted"], configPath: config["config"],
		activationsPath: config["activations"], configDiffPath: config["config diff"], rollbackPath("acme", "r1"): config["rollback"], queuesPath: queue["queue"],
	}
}

// configWalk takes back a change of the config, with scripts off and the keys alone. A page that is open elsewhere shows it
// by itself.
func configWalk(t *testing.T, b browser) {
	url, d := wholeServer(t, false)
	first := secondRevision(t, d)
	tab := b.open(t, "light", 1280)
	tab.Scripts(false)
	tab.run(chromedp.Navigate(url + "/config"))
	door := evaluate[string](tab, `document.querySelector('a[href*="/rollback/"]').href`)
	if !strings.HasSuffix(door, first) {
		t.Fatalf("the list leads to %s, want to revision %s", door, first)
	}
	tab.run(chromedp.Navigate(door))
	if says := evaluate[string](tab, `document.querySelector("main").innerText`); !strings.Contains(says, "Acme Surgery") || !strings.Contains(says, "Acme Clinic") {
		t.Errorf("the page does not say what would differ: %s", says)
	}
	other := b.open(t, "dark", 375)
	other.run(chromedp.Navigate(url + "/config"))
	tabTo(tab, "#message")
	tab.run(chromedp.KeyEvent("it is a clinic"), chromedp.KeyEvent(kb.Enter))
	settles(tab, `location.pathname === "/config" && document.body.innerText.includes("by this machine: it is a clinic")`)
	tab.run(chromedp.Navigate(url + "/config/activations"))
	settles(tab, `document.querySelector("[data-row]")?.innerText.includes("it is a clinic")`)
	until(other, `document.querySelector("#live").innerText.includes("it is a clinic")`)
	for _, c := range append(tab.complaints(), other.complaints()...) {
		t.Error(c)
	}
}

// secondRevision makes another revision of the example account active, and gives the id of the one before.
func secondRevision(t *testing.T, d *Dashboard) (first string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	active, err := d.store.ActiveRevisions(t.Context())
	must(err)
	stored, err := d.store.Revision(t.Context(), active[0].RevisionID)
	must(err)
	files := maps.Clone(stored.Files)
	files["account.yaml"] = bytes.Replace(files["account.yaml"], []byte("name: Acme Clinic"), []byte("name: Acme Surgery"), 1)
	id, err := d.store.SaveRevision(t.Context(), store.RevisionFiles{AccountID: "acme", Digest: automation.Files(files).Digest(), Format: stored.Format, Files: files}, "test")
	must(err)
	rev, err := d.revisions.ByID(t.Context(), id)
	must(err)
	sources := make([]string, len(rev.Sources))
	for i, s := range rev.Sources {
		sources[i] = s.ID
	}
	_, err = d.store.Activate(t.Context(), store.Activation{AccountID: "acme", RevisionID: id, Sources: sources, By: "test"})
	must(err)
	return stored.ID
}
