package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"aftercall/internal/store"
)

// How long a session lasts.
const (
	lifetime   = 7 * 24 * time.Hour // at most, from signing in
	idleTime   = 12 * time.Hour     // without a request that a person made
	renewAfter = time.Hour          // the token is replaced
	renewAgain = time.Minute        // if the new one did not arrive
	lateAnswer = time.Minute        // a request with the token before may still be under way
	seenEvery  = time.Minute        // how exactly idling is measured
)

// ErrSignedOut is returned for a token that no session has, or none that is still good.
var ErrSignedOut = errors.New("not signed in")

// newToken makes what a browser holds.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashToken is what is kept of it. It has 256 bits of chance, so a fast hash will do.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// open begins a session with a token that nobody has seen before.
func (d *Desk) open(ctx context.Context, p store.Person, from, way string) (token string, err error) {
	token = newToken()
	at := d.now()
	act := store.Act{By: store.Actor{PersonID: p.ID, Name: p.Email, Address: from}, What: store.ActSignedIn, Target: p.ID,
		Detail: map[string]string{"by": way}}
	if err := d.store.OpenSession(ctx, p.ID, hashToken(token), at, at.Add(lifetime), act); err != nil {
		return "", err
	}
	return token, nil
}

// Visit is a request that says who it comes from.
type Visit struct {
	Token   string
	Address string // where it came from
	Alive   bool   // a person made it, not a page that looks whether it is still the newest
}

// Who finds out who asks; ErrSignedOut if nobody does. renewed is what the browser is to hold from now on, "" for what it has.
//
// A token is replaced every hour, so that a copy of it soon is worth nothing. The new one counts when it is shown for the
// first time: an answer that never arrived costs nothing. The old one, shown again after that, was copied, or somebody has
// gone on with a copy: the session ends for both.
func (d *Desk) Who(ctx context.Context, v Visit) (p Person, renewed string, err error) {
	token, at := hashToken(v.Token), d.now()
	s, err := d.store.FindSession(ctx, token, at, at.Add(-idleTime))
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, "", ErrSignedOut
	}
	if err != nil {
		return Person{}, "", err
	}
	p = personOf(s, v.Address)
	switch {
	case s.Shown == store.ShownLast && at.Sub(s.TokenAt) > lateAnswer:
		act := store.Act{By: p.Actor(), What: store.ActSessionCopied, Target: s.ID}
		return Person{}, "", errors.Join(ErrSignedOut, d.store.EndSession(ctx, s.ID, act))
	case s.Shown == store.ShownNext:
		err = d.store.TakeToken(ctx, s.ID, token, at)
	case s.Shown == store.ShownCurrent && at.Sub(s.TokenAt) > renewAfter:
		renewed, err = d.renew(ctx, s.ID, token, at)
	}
	if err == nil && v.Alive && at.Sub(s.SeenAt) > seenEvery {
		err = d.store.SeeSession(ctx, s.ID, at)
	}
	if err != nil {
		return Person{}, "", fmt.Errorf("find out who asks: %w", err)
	}
	return p, renewed, nil
}

func (d *Desk) renew(ctx context.Context, session string, token []byte, at time.Time) (string, error) {
	next := newToken()
	offered, err := d.store.OfferToken(ctx, session, token, hashToken(next), at, at.Add(-renewAgain))
	if err != nil || !offered {
		return "", err
	}
	return next, nil
}

// Leave signs a person out here.
func (d *Desk) Leave(ctx context.Context, p Person) error {
	if p.Session == "" {
		return nil
	}
	return d.store.EndSession(ctx, p.Session, store.Act{By: p.Actor(), What: store.ActSignedOut, Target: p.ID})
}
