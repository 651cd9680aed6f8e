package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"aftercall/internal/chaos/bed"
)

// replayed is S6b: a genuine webhook posted again, by the platform or by whoever saw it, changes nothing.
func replayed() property {
	return property{id: "S6b", title: "replayed webhooks", try: tryReplayed, weak: []weakness{
		{"no-signature-age", "outside the window, not answered 401"},
		{"no-identity", "rows after all replays"},
	}}
}

func tryReplayed(ctx context.Context, t *trial) error {
	config, env := sources(nil)
	b, c, err := t.bed(ctx, bed.Options{Variants: []string{"callers-clock"}, Config: config, Env: env})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()

	n := t.size(1000, 60)
	hooks := make([]bed.Webhook, n)
	for i := range hooks {
		id := fmt.Sprintf("s6b-%d", i)
		if i%3 == 0 {
			hooks[i] = labs(id, labsSecret, time.Now())
		} else if hooks[i], err = genuine(id, ourSecret, time.Now()); err != nil {
			return err
		}
	}
	const rows = `SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM conversations)`
	first := postAll(ctx, b, client, hooks, 0)
	stored, err := c.Count(ctx, rows)
	if err != nil {
		return err
	}
	t.equal("genuine webhooks accepted", first[http.StatusOK], n)
	t.equal("rows: an event and a conversation of each", stored, 2*n)
	inside := postAll(ctx, b, client, hooks, 200*time.Second)
	outside := postAll(ctx, b, client, hooks, 310*time.Second)
	again, err := c.Count(ctx, rows)
	if err != nil {
		return err
	}
	t.equal("again within five minutes, answered 200", inside[http.StatusOK], n)
	t.equal("outside the window, not answered 401", n-outside[http.StatusUnauthorized], 0)
	t.equal("rows after all replays", again, stored)
	return nil
}

// postAll posts the webhooks, 8 at once, to a receiver whose clock is that much ahead, and counts the answers.
func postAll(ctx context.Context, b *bed.Bed, client *http.Client, hooks []bed.Webhook, ahead time.Duration) map[int]int {
	statuses := map[int]int{}
	var mu sync.Mutex
	inParallel(ctx, 8, hooks, func(w bed.Webhook) {
		w.Header = w.Header.Clone()
		w.Header.Set("X-Chaos-Now", strconv.FormatInt(time.Now().Add(ahead).Unix(), 10))
		s := b.Send(ctx, client, w)
		mu.Lock()
		defer mu.Unlock()
		statuses[s]++
	})
	return statuses
}
