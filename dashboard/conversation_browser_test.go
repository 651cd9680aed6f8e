package dashboard

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aftercall/reason"
)

const fixtureCallPath = "/conversations/3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77"

// whyNotIsSeenAtOnce asks why an automation did not fire, as somebody does who opens the page, and goes one step further: to what
// is known of it.
func whyNotIsSeenAtOnce(t *testing.T, b browser) {
	tab := b.still(t, 1280)
	tab.run(chromedp.Navigate(b.url + fixtureCallPath))
	row := `[...document.querySelectorAll("#decisions tbody tr")].find(r => r.textContent.includes("Sales lead"))`
	if got := evaluate[string](tab, row+`.innerText`); !strings.Contains(got, "skipped") || !strings.Contains(got, reason.FilteredAgent.Sentence()) {
		t.Errorf("the row says %q", got)
	}
	if !evaluate[bool](tab, seen(row)) {
		t.Error("the row is not on the first screen")
	}
	evaluate[bool](tab, row+`.querySelector("a").click() ?? true`)
	until(tab, `location.hash === "#automation-sales-lead"`)
	if !evaluate[bool](tab, seen(`document.querySelector(":target")`)) {
		t.Error("what is known of the automation is not on the screen")
	}
	if got := evaluate[string](tab, `document.querySelector(":target").innerText`); !strings.Contains(got, reason.FilteredAgent.Remedy()) || !strings.Contains(got, "account.yaml:76") {
		t.Errorf("it says %q", got)
	}
}

// quoteLeadsToItsTurn follows a quote to the words it is from, and the turn back to what rests on it.
func quoteLeadsToItsTurn(t *testing.T, b browser) {
	for _, width := range []int64{1280, 375} {
		tab := b.still(t, width)
		tab.run(chromedp.Navigate(b.url + fixtureCallPath))
		evaluate[bool](tab, `document.querySelector("#automation-callback-requested .quote a").click() ?? true`)
		until(tab, `location.hash === "#t5"`)
		until(tab, seen(`document.querySelector("#t5 mark")`))
		if got := evaluate[string](tab, `document.querySelector("#t5 mark").textContent`); !strings.Contains(got, "could somebody call me back today") {
			t.Errorf("at %d px the turn marks %q", width, got)
		}
		evaluate[bool](tab, `[...document.querySelectorAll("#t5 .cited a")].find(a => a.textContent.includes("dyn_callback_when")).click() ?? true`)
		until(tab, seen(`document.querySelector("#variable-dyn_callback_when")`))
	}
}

// still is a page that jumps where others glide, so that a jump is over at once.
func (b browser) still(t *testing.T, width int64) *window {
	t.Helper()
	return b.open(t, "light", width)
}

// seen is an expression that is true once an element is on the screen, and not behind the parts' own navigation.
func seen(element string) string {
	return `(r => r.width > 0 && r.top >= document.querySelector(".sections").getBoundingClientRect().bottom - 1 && r.top < innerHeight)((` + element + `).getBoundingClientRect())`
}

// readsWithoutScripts looks at the page as a browser shows it that runs nothing.
func readsWithoutScripts(t *testing.T, b browser) {
	tab := b.still(t, 1280)
	tab.Scripts(false)
	tab.run(chromedp.Navigate(b.url + fixtureCallPath + "#t5"))
	text := evaluate[string](tab, `document.body.innerText`)
	for _, want := range []string{"Every automation, and why", reason.FilteredAgent.Sentence(), "could somebody call me back today", "Webhook conversation.ended", "dyn_callback_when"} {
		if !strings.Contains(text, want) {
			t.Errorf("without scripts the page does not say %q", want)
		}
	}
	if !evaluate[bool](tab, seen(`document.querySelector("#t5")`)) {
		t.Error("without scripts a link to a turn does not lead there")
	}
}
