package dashboard

import (
	"path"
	"testing"

	"github.com/chromedp/chromedp"
)

// bulkWalk calls off whatever is held: with scripts off, on a telephone, from the list of deliveries to the job's page. That
// page, open elsewhere, then follows the job to its end by itself.
func bulkWalk(t *testing.T, b browser) {
	url, d := wholeServer(t, false)
	desk := &desk{t: t, d: d}
	desk.held("Lena Vogt")
	desk.held("Hanna Weber")
	asks := b.open(t, "dark", 375)
	asks.Scripts(false)
	asks.run(chromedp.Navigate(url + "/deliveries?state=held"))
	for _, step := range []struct{ press, then string }{
		{`[...document.querySelectorAll("main a")].find(a => a.textContent === "Call off")`, "Call off: 2 in Acme Clinic"},
		{`document.querySelector("form[action='/bulk'] button")`, "0 of 2"},
	} {
		evaluate[bool](asks, step.press+`.click() ?? true`)
		settles(asks, `document.body.innerText.includes("`+step.then+`")`)
	}
	job := evaluate[string](asks, `location.pathname`)
	watches := b.open(t, "light", 1280)
	watches.run(chromedp.Navigate(url + job))
	settles(watches, `document.querySelector("#live")?.innerText.includes("0 of 2")`)
	for more := true; more; {
		var err error
		if more, err = d.ops.Work(t.Context(), path.Base(job)); err != nil {
			t.Fatal(err)
		}
	}
	until(watches, `/ended[^]*2 done, 0 refused, 0 failed[^]*2 of 2/.test(document.querySelector("#live").innerText)`)
	for _, tab := range []*window{asks, watches} {
		if wide := evaluate[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
			t.Errorf("the page is %d px wider than the screen", wide)
		}
		for _, c := range tab.complaints() {
			t.Error(c)
		}
	}
}
