package dashboard

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"aftercall/conversation"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/worker"
)

// livePages are the pages on a database of their own with two calls.
func livePages(t *testing.T) (url string, ring func(id, number string)) {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{Pool: 4, Ingest: -1, Pages: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	queue, err := river.NewClient(riverpgxv5.New(s.Pool()), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	d, err := New(Config{Store: s, River: queue, Revisions: worker.NewRevisions(s, log), Logger: log, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	revision, err := s.SaveRevision(t.Context(), store.RevisionFiles{AccountID: "acme", Digest: "d", Format: 1, Files: map[string][]byte{"account.yaml": []byte("account: acme\n")}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Activate(t.Context(), store.Activation{AccountID: "acme", RevisionID: revision, By: "test"}); err != nil {
		t.Fatal(err)
	}
	ingest := s.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil })
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	return server.URL, func(id, number string) {
		t.Helper()
		_, err := ingest.Accept(t.Context(), store.Arrival{RevisionID: revision, Final: true,
			Event: store.Event{AccountID: "acme", Source: "desk", Identity: id, Type: "ended", Body: []byte("{}"), ReceivedAt: time.Now()},
			Conversation: &conversation.Conversation{ExternalID: id, Channel: conversation.ChannelPhone, Direction: conversation.Inbound,
				Status: conversation.Completed, StartedAt: began, EndedAt: began, FromNumber: number, Customer: conversation.Customer{Name: id}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// searchWalk finds a call by its number typed three ways, with the keys alone, and hears of calls that come meanwhile.
func searchWalk(t *testing.T, b browser) {
	url, ring := livePages(t)
	ring("Dana Whitfield", "+447700900123")
	ring("Jonas Weber", "+4930901820")
	tab := b.open(t, "light", 1280)
	for _, typed := range []string{"+44 7700 900123", "07700 900 123", "0044 (0)7700-900123"} {
		tab.run(chromedp.Navigate(url + "/conversations"))
		tab.run(chromedp.KeyEvent("/"), chromedp.KeyEvent(typed))
		form := evaluate[string](tab, `(f => f.action + "?" + new URLSearchParams(new FormData(f)))(document.activeElement.form)`)
		tab.run(chromedp.Navigate(form)) // as Enter does
		rows := evaluate[string](tab, `[...document.querySelectorAll(".rowlink")].map(a => a.textContent).join(", ")`)
		if rows != "Dana Whitfield" {
			t.Errorf("%q finds %q", typed, rows)
		}
	}
	tab.run(chromedp.Navigate(url + "/conversations"))
	ring("Priya Nair", "+447700900888")
	said := evaluate[string](tab, `new Promise(done => {
		const look = () => { const b = document.querySelector(".news button"); b ? done(b.textContent) : setTimeout(look, 50) };
		look();
	})`)
	if said != "1 new, show" || evaluate[int](tab, `document.querySelectorAll("[data-row]").length`) != 2 {
		t.Errorf("an open list says %q, or moved", said)
	}
	tab.run(chromedp.KeyEvent("?"))
	if !evaluate[bool](tab, `document.querySelector("#keys").open`) {
		t.Error("? shows no keys")
	}
	if got := strings.Join(tab.complaints(), "\n"); got != "" {
		t.Error(got)
	}
}
