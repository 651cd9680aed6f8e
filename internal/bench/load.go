package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"aftercall/internal/chaos/bed"
)

// atOnce is how many clients post in the closed loop: each posts its next call when the last one was answered.
const atOnce = 16

// posted is what the sender of a load saw.
type posted struct {
	mu       sync.Mutex
	accepted map[string]time.Time // when the post of each call that was taken began
	took     []time.Duration      // of each answer 200
	refused  int                  // posts with another answer, or none
	first    time.Time
}

func (p *posted) note(id string, status int, begun time.Time, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if status != http.StatusOK {
		p.refused++
		return
	}
	p.accepted[id] = begun
	p.took = append(p.took, took)
}

// sender posts calls to one source of one bed.
type sender struct {
	bed    *bed.Bed
	source string
	client *http.Client
}

func newSender(b *bed.Bed, source string) *sender {
	return &sender{b, source, &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
	}}
}

func (s *sender) post(ctx context.Context, c call, to *posted) {
	w := c.webhook(s.source)
	begun := time.Now()
	status := s.bed.Send(ctx, s.client, w)
	to.note(c.id, status, begun, time.Since(begun))
}

// closed posts all calls, so many at once.
func (s *sender) closed(ctx context.Context, all []call, clients int) *posted {
	out := &posted{accepted: make(map[string]time.Time, len(all)), first: time.Now()}
	in := make(chan call)
	var done sync.WaitGroup
	for range clients {
		done.Go(func() {
			for c := range in {
				s.post(ctx, c, out)
			}
		})
	}
	for _, c := range all {
		in <- c
	}
	close(in)
	done.Wait()
	slices.Sort(out.took)
	return out
}

// open posts calls at a rate, whether or not the earlier ones were answered, until all are posted or stop is closed.
func (s *sender) open(ctx context.Context, all []call, perS float64, stop <-chan struct{}) *posted {
	out := &posted{accepted: make(map[string]time.Time, len(all)), first: time.Now()}
	var done sync.WaitGroup
	for i, c := range all {
		if !bed.Wait(ctx, time.Until(out.first.Add(time.Duration(float64(i)/perS*float64(time.Second))))) || over(stop) {
			break
		}
		done.Go(func() { s.post(ctx, c, out) })
	}
	done.Wait()
	slices.Sort(out.took)
	return out
}

func over(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}
