package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// forged is S6: whoever does not hold a source's secret gets nothing in.
func forged() property {
	return property{id: "S6", title: "forged webhooks", try: tryForged, weak: []weakness{
		{"no-signature-check", "forged webhooks accepted"},
		{"no-signature-age", "forged webhooks accepted"},
	}}
}

// The secrets of the trial's sources; theirs is another account's.
const (
	ourSecret   = "whsec_Y2hhb3Mtb3VyLXN0YW5kYXJkLXNlY3JldC0x"
	theirSecret = "whsec_Y2hhb3MtdGhlaXItc3RhbmRhcmQtc2VjcmV0"
	labsSecret  = "wsec_chaos_eleven_labs"
	itelSecret  = "chaos-itellico-secret"
)

// sources is a config of two accounts with a source of each platform, and one native source more for each of secrets.
func sources(secrets []string) (config map[string]string, env []string) {
	env = []string{"OUR_SECRET=" + ourSecret, "THEIR_SECRET=" + theirSecret, "LABS_SECRET=" + labsSecret, "ITEL_SECRET=" + itelSecret}
	more, secret := corpus.Sources(secrets)
	one := strings.Replace(bed.Account()["account.yaml"], "variables:\n", `sources:
  - { id: ours, type: native, secret: "${ENV:OUR_SECRET}" }
  - { id: labs, type: elevenlabs, secret: "${ENV:LABS_SECRET}" }
  - { id: itel, type: itellico, secret: "${ENV:ITEL_SECRET}" }
`+more+"variables:\n", 1)
	two := "account: other\nname: Other Ltd\ntimezone: Europe/London\nlanguage: en\nsources:\n  - { id: theirs, type: native, secret: \"${ENV:THEIR_SECRET}\" }\n"
	return map[string]string{"chaos/account.yaml": one, "other/account.yaml": two}, append(env, secret...)
}

func tryForged(ctx context.Context, t *trial) error {
	rows, err := t.shared.Vectors()
	if err != nil {
		return err
	}
	rows = append(ownVectors(), rows...)
	secrets := corpus.Secrets(rows)
	config, env := sources(secrets)
	b, c, err := t.bed(ctx, bed.Options{Variants: []string{"callers-clock"}, Config: config, Env: env})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	web, err := b.WebProcess(ctx)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()

	if err := t.postForged(ctx, b, c, web, client); err != nil {
		return err
	}
	t.postLarge(ctx, b, web, client)
	t.postVectors(ctx, b, client, rows, secrets)
	stored, err := c.Count(ctx, `SELECT count(*) FROM conversations WHERE external_id LIKE 's6-%'`)
	if err != nil {
		return err
	}
	t.equal("conversations of forged webhooks", stored, 0)
	t.want("the web process lives", web.Alive(), "true", web.Alive())
	return nil
}

// postForged posts forged webhooks of every kind.
func (t *trial) postForged(ctx context.Context, b *bed.Bed, c *checker.Checker, web *bed.Process, client *http.Client) error {
	n := t.size(10_000, 240)
	r := rand.New(rand.NewPCG(t.seed, 6))
	kinds := slices.Sorted(maps.Keys(forgeries()))
	all := make([]bed.Webhook, n)
	for i := range all {
		w, err := forgeries()[kinds[i%len(kinds)]](r, fmt.Sprintf("s6-%d", i))
		if err != nil {
			return err
		}
		all[i] = w
	}
	before, memory := web.Processor(), web.Resident()
	statuses := map[int]int{}
	var mu sync.Mutex
	inParallel(ctx, 8, all, func(w bed.Webhook) {
		s := b.Send(ctx, client, w)
		mu.Lock()
		defer mu.Unlock()
		statuses[s]++
	})
	spent := web.Processor() - before
	t.exercised("forged webhooks", fmt.Sprintf("%d of %d kinds (%s)", n, len(kinds), strings.Join(kinds, ", ")))
	t.exercised("answers by status", statuses)
	t.equal("forged webhooks accepted", n-statuses[http.StatusUnauthorized], 0)
	stored, err := c.Count(ctx, `SELECT count(*) FROM events`)
	if err != nil {
		return err
	}
	t.equal("rows stored of them", stored, 0)
	each := spent / time.Duration(n)
	t.measured("processor time each", each.Round(time.Microsecond), "at most 1ms", each <= time.Millisecond)
	grown := (web.Resident() - memory) >> 20
	t.measured("memory grown", fmt.Sprintf("%d MB", grown), "at most 64 MB", grown <= 64)
	return nil
}

// forgery makes one forged webhook.
type forgery func(r *rand.Rand, id string) (bed.Webhook, error)

// forgeries are the ways in which a webhook can be forged, by name. Each starts from what a genuine sender would post.
func forgeries() map[string]forgery {
	signed := func(change func(r *rand.Rand, w *bed.Webhook)) forgery {
		return func(r *rand.Rand, id string) (bed.Webhook, error) {
			w, err := genuine(id, ourSecret, time.Now())
			if err == nil {
				change(r, &w)
			}
			return w, err
		}
	}
	at := func(off time.Duration) forgery {
		return func(_ *rand.Rand, id string) (bed.Webhook, error) { return genuine(id, ourSecret, time.Now().Add(off)) }
	}
	header := func(name, value string) forgery {
		return signed(func(_ *rand.Rand, w *bed.Webhook) { w.Header.Set(name, value) })
	}
	return map[string]forgery{
		"no signature": signed(func(_ *rand.Rand, w *bed.Webhook) { w.Header.Del("Webhook-Signature") }),
		"no headers":   signed(func(_ *rand.Rand, w *bed.Webhook) { w.Header = http.Header{} }),
		"other version": signed(func(_ *rand.Rand, w *bed.Webhook) {
			w.Header.Set("Webhook-Signature", "v2"+w.Header.Get("Webhook-Signature")[2:])
		}),
		"empty signature": header("Webhook-Signature", "v1,"),
		"garbage":         header("Webhook-Signature", "v1,!!!"),
		"one bit off":     signed(flipSignature),
		"body changed":    signed(func(r *rand.Rand, w *bed.Webhook) { w.Body[1+r.IntN(len(w.Body)-2)] ^= 1 << r.IntN(7) }),
		"signature short": signed(func(_ *rand.Rand, w *bed.Webhook) { cut(w, -5) }),
		"signature long": signed(func(_ *rand.Rand, w *bed.Webhook) {
			w.Header.Set("Webhook-Signature", w.Header.Get("Webhook-Signature")+"AAAA")
		}),
		"old":              at(-5*time.Minute - 2*time.Second),
		"very old":         at(-300 * time.Hour),
		"future":           at(5*time.Minute + 2*time.Second),
		"fraction of time": signed(func(_ *rand.Rand, w *bed.Webhook) { stamp(w, ".0") }),
		"letters in time":  signed(func(_ *rand.Rand, w *bed.Webhook) { stamp(w, "abc") }),
		"time moved to id": signed(func(_ *rand.Rand, w *bed.Webhook) {
			id, at := w.Header.Get("Webhook-Id"), w.Header.Get("Webhook-Timestamp")
			w.Header.Set("Webhook-Id", id+"."+at[:3])
			w.Header.Set("Webhook-Timestamp", at[3:])
		}),
		"other's secret":           func(_ *rand.Rand, id string) (bed.Webhook, error) { return genuine(id, theirSecret, time.Now()) },
		"own secret, other's door": signed(func(_ *rand.Rand, w *bed.Webhook) { w.Path = "/hooks/theirs" }),
		"unknown key": signed(func(_ *rand.Rand, w *bed.Webhook) {
			w.Path, w.Header = "/v1/conversations", http.Header{"Authorization": {"Bearer ac_not-a-key"}}
		}),
		"labs, other secret": func(_ *rand.Rand, id string) (bed.Webhook, error) {
			return labs(id, "wsec_other", time.Now()), nil
		},
		"labs, old": func(_ *rand.Rand, id string) (bed.Webhook, error) {
			return labs(id, labsSecret, time.Now().Add(-6*time.Minute)), nil
		},
		"itellico, other secret": func(_ *rand.Rand, id string) (bed.Webhook, error) {
			return itel(id, "other", time.Now()), nil
		},
		"itellico, old": func(_ *rand.Rand, id string) (bed.Webhook, error) {
			return itel(id, itelSecret, time.Now().Add(-6*time.Minute)), nil
		},
	}
}

// genuine is what the holder of a secret posts to the native source.
func genuine(id, secret string, at time.Time) (bed.Webhook, error) {
	body := bed.NewCall(id).Body
	h, err := bed.SignStandard(secret, "msg-"+id, strconv.FormatInt(at.Unix(), 10), body)
	return bed.Webhook{Path: "/hooks/ours", Header: h, Body: body}, err
}

func labs(id, secret string, at time.Time) bed.Webhook {
	body := []byte(`{"type":"post_call_transcription","event_timestamp":1763630000,"data":{"agent_id":"reception","conversation_id":"` + id +
		`","status":"done","transcript":[{"role":"agent","message":"Good morning","time_in_call_secs":0},` +
		`{"role":"user","message":"Please call me back about ref-` + id + ` tomorrow","time_in_call_secs":3}],` +
		`"metadata":{"start_time_unix_secs":1763629900,"call_duration_secs":60}}}`)
	return bed.Webhook{Path: "/hooks/labs", Header: bed.SignElevenLabs(secret, at, body), Body: body}
}

func itel(id, secret string, at time.Time) bed.Webhook {
	body := []byte(`{"event_id":"evt-` + id + `","event_type":"conversation.started","created":"2026-11-20T09:12:00Z",` +
		`"organization_uuid":"o-1","data":{"conversation_uuid":"` + id + `"}}`)
	return bed.Webhook{Path: "/hooks/itel", Header: bed.SignItellico(secret, at, body), Body: body}
}

func flipSignature(r *rand.Rand, w *bed.Webhook) {
	raw, err := base64.StdEncoding.DecodeString(w.Header.Get("Webhook-Signature")[3:])
	if err != nil {
		panic(err) // it was encoded a moment ago
	}
	raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
	w.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(raw))
}

func cut(w *bed.Webhook, by int) {
	s := w.Header.Get("Webhook-Signature")
	w.Header.Set("Webhook-Signature", s[:len(s)+by])
}

func stamp(w *bed.Webhook, more string) {
	w.Header.Set("Webhook-Timestamp", w.Header.Get("Webhook-Timestamp")+more)
}

// postLarge posts bodies that are too large, with and without saying so, and bodies that hardly come.
func (t *trial) postLarge(ctx context.Context, b *bed.Bed, web *bed.Process, client *http.Client) {
	large := bytes.Repeat([]byte(" "), 20<<20)
	n, memory := t.size(24, 4), web.Resident()
	statuses := map[int]int{}
	var mu sync.Mutex
	note := func(s int) {
		mu.Lock()
		defer mu.Unlock()
		statuses[s]++
	}
	inParallel(ctx, 4, make([]struct{}, n), func(struct{}) {
		w, err := genuine("s6-large", ourSecret, time.Now())
		if err == nil {
			w.Body = large
			note(b.Send(ctx, client, w))
			w.Stream = true
			note(b.Send(ctx, client, w))
		}
	})
	// A server that refuses before the body is read may cut the connection, and the sender sees no answer.
	t.exercised("bodies of 20 MB", fmt.Sprintf("%d, answers by status %v", 2*n, statuses))
	t.equal("of them accepted", statuses[http.StatusOK], 0)
	grown := (web.Resident() - memory) >> 20
	t.measured("memory grown by them", fmt.Sprintf("%d MB", grown), "at most 64 MB", grown <= 64)
	if !t.full {
		return // a slow body is given ten seconds
	}
	slow := map[int]int{}
	inParallel(ctx, 16, make([]struct{}, 16), func(struct{}) {
		w, err := genuine("s6-slow", ourSecret, time.Now())
		if err == nil {
			s := b.SendSlowly(ctx, client, w, 100*time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			slow[s]++
		}
	})
	t.want("slow bodies by status (408, or cut)", slow, "none accepted", slow[http.StatusOK] == 0 && slow[http.StatusRequestTimeout]+slow[0] == 16)
}

// inParallel calls f for each of all, n at once.
func inParallel[T any](ctx context.Context, n int, all []T, f func(T)) {
	in := make(chan T)
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for one := range in {
				f(one)
			}
		})
	}
	for _, one := range all {
		select {
		case in <- one:
		case <-ctx.Done():
		}
	}
	close(in)
	group.Wait()
}
