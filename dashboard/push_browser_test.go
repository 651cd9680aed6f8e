package dashboard

import (
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"aftercall/deliver"
	"aftercall/deliver/push"
	"aftercall/internal/chromium"
	"aftercall/internal/store"
)

// pushes is a way to push, under a key of its own.
func pushes(t *testing.T) deliver.Channel {
	t.Helper()
	key, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c, err := push.New(push.Config{Key: key, Subject: "mailto:ops@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// subscribed stands in for what a push service on the internet would say; everything else is the browser's own.
const subscribed = `PushManager.prototype.subscribe = async (o) => ({toJSON: () => ({endpoint: "https://push.example/" + (o.userVisibleOnly && o.applicationServerKey.length),
	keys: {p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg"}})}); true`

// worked runs the worker's own script with a screen that says what it was asked to show and open: a browser without one shows nothing.
const worked = `(() => {
	const on = {}, done = [];
	const self = {addEventListener: (name, f) => (on[name] = f), location, clients: {openWindow: (to) => done.push("opens " + to.replace(location.origin, ""))},
		registration: {showNotification: (title, o) => done.push([title, o.body, o.tag, o.data].join("|"))}};
	WORKER;
	const push = (data) => on.push({data, waitUntil: () => {}});
	push({json: () => ({title: "Callback · Acme", body: "Dana <b>waits</b>", tag: "d1", opens: "/conversations/1"})});
	push(null);
	for (const data of ["/conversations/1", "https://evil.example/", "//evil.example/", "javascript:alert(1)"]) {
		on.notificationclick({notification: {data, close: () => {}}, waitUntil: () => {}});
	}
	return done.join("\n");
})()`

// hasAlertsPushed asks for alerts on the screen, and has had enough.
func hasAlertsPushed(t *testing.T, b browser, k *desk) {
	tab := b.open(t, "light", 1280)
	tab.run(chromium.Command(cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{Permission: &cdpbrowser.PermissionDescriptor{Name: "notifications"}, Setting: "granted", Origin: b.url}),
		chromedp.Navigate(b.url+"/alerts"))
	until(tab, `document.querySelector("form[data-on]").checkVisibility() && !document.querySelector("[data-why]").checkVisibility()`)
	evaluate[bool](tab, subscribed)
	evaluate[bool](tab, `document.querySelector("form[data-on] button").click() ?? true`)
	settles(tab, `document.querySelector("#push")?.innerText.includes("1 of yours does")`)
	if n, err := k.d.store.PushBrowsers(t.Context(), store.Actor{}); n != 1 || err != nil {
		t.Errorf("%d browsers, %v", n, err)
	}
	if !evaluate[bool](tab, `navigator.serviceWorker.ready.then((r) => r.scope === location.origin + "/" && r.active.scriptURL.endsWith("/push-worker.js"))`) {
		t.Error("another script waits for pushes")
	}
	script, err := assetFiles.ReadFile("assets" + pushWorkerPath)
	if err != nil {
		t.Fatal(err)
	}
	want := "Callback · Acme|Dana <b>waits</b>|d1|/conversations/1\nTeam alert|Open Aftercall to read it.|alert|/alerts\n" +
		"opens /conversations/1\nopens /alerts\nopens /alerts\nopens /alerts"
	if got := evaluate[string](tab, strings.Replace(worked, "WORKER", string(script), 1)); got != want {
		t.Errorf("the worker does\n%s\nwant\n%s", got, want)
	}
	evaluate[bool](tab, `document.querySelector('form[action="/alerts/push/off"] button').click() ?? true`)
	settles(tab, `!document.querySelector("#push")?.innerText.includes("of yours")`)
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}
