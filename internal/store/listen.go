package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// ListenActivations calls changed after every activation and every change of a mute anywhere, until ctx ends. It reconnects by itself;
// a missed notification is made up for by the caller's poll.
func (s *Store) ListenActivations(ctx context.Context, changed func()) {
	s.follow(ctx, "aftercall_activations", changed, func(string) { changed() })
}

// follow calls told with everything that is told on a channel, until ctx ends, on a new connection whenever one is lost. Each
// begins with a call of began: something may have been told while nobody listened.
func (s *Store) follow(ctx context.Context, channel string, began func(), told func(payload string)) {
	for wait := time.Duration(0); ; wait = min(2*wait+50*time.Millisecond, 5*time.Second) {
		if !pause(ctx, nil, wait) {
			return
		}
		if s.listen(ctx, channel, began, told) {
			wait = 0
		}
	}
}

// listen hears notifications on a connection of its own until something breaks. It reports whether it came to listen.
func (s *Store) listen(ctx context.Context, channel string, began func(), told func(payload string)) (listened bool) {
	opening, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := s.ownConnection(opening)
	if err != nil {
		return false
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing) // it is not used any more either way
	}()
	if _, err := conn.Exec(opening, "LISTEN "+channel); err != nil {
		return false
	}
	began()
	for {
		payload, heard, err := hear(ctx, conn)
		if err != nil {
			return true
		}
		if heard {
			told(payload)
		}
	}
}

// quiet is how long nothing may be heard before the line is tried: one that has gone silent would be waited on for ever.
const quiet = 20 * time.Second

// hear waits for what is told; heard is false if nothing was, and the line still stands.
func hear(ctx context.Context, conn *pgx.Conn) (payload string, heard bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	told, err := conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return told.Payload, true, nil
	case ctx.Err() != nil || waiting.Err() == nil:
		return "", false, err
	}
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return "", false, conn.Ping(asking)
}
