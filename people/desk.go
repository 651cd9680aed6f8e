package people

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"aftercall/internal/store"
)

// How often signing in may be tried, under one name and from one address: five times at once, ten times in any minute.
const (
	tryEach = 12 * time.Second
	tryRoom = time.Minute
)

// hashesAtOnce bounds the memory that checking passwords takes.
const hashesAtOnce = 2

// What somebody who is not let in is told. Why stands in the log.
var (
	ErrRefused = errors.New("the name or the password is not right")
	ErrTooMany = errors.New("signing in was tried too often")
)

// Config is what a Desk is built on. Store and Logger are required.
type Config struct {
	Store  *store.Store
	Logger *slog.Logger
	OIDC   *OIDC            // nil: nobody signs in elsewhere
	Now    func() time.Time // the clock; default time.Now
}

// Desk is where people sign in and show that they did. It is safe for concurrent use, and any number of processes may have
// one.
type Desk struct {
	store  *store.Store
	log    *slog.Logger
	oidc   *OIDC
	now    func() time.Time
	places chan struct{} // one for each password that is being checked
	decoy  string
}

// NewDesk opens a desk. It touches neither the network nor the database.
func NewDesk(c Config) *Desk {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Desk{store: c.Store, log: c.Logger, oidc: c.OIDC, now: c.Now, places: make(chan struct{}, hashesAtOnce), decoy: decoy()}
}

// Elsewhere reports whether people may sign in by OIDC.
func (d *Desk) Elsewhere() bool { return d.oidc != nil }

// Enter signs a person in by password, and gives what the browser is to hold. ErrRefused and ErrTooMany are the answers for
// whoever is outside.
func (d *Desk) Enter(ctx context.Context, email, password, from string) (token string, err error) {
	if err := d.try(ctx, email, from); err != nil {
		return "", err
	}
	p, err := d.store.PersonByEmail(ctx, email)
	known := err == nil && p.Password != "" && !p.Disabled
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	hashed := d.decoy
	if known {
		hashed = p.Password
	}
	right, err := d.check(ctx, hashed, password)
	switch {
	case err != nil:
		return "", err
	case known && right:
		return d.open(ctx, p, from, "password")
	}
	return "", d.refuse(ctx, p, from, "password")
}

// refuse writes down that somebody was not let in as p, who is nobody if the name is nobody's; that takes as long. Such a name
// is not kept: it may be a password in the wrong field. Who tried is not known, whoever's name it was.
func (d *Desk) refuse(ctx context.Context, p store.Person, from, way string) error {
	act := store.Act{By: store.Actor{Address: from}, What: store.ActSignInRefused, Target: p.ID, Detail: map[string]string{"by": way}}
	return errors.Join(ErrRefused, d.store.LogAct(ctx, act))
}

// check compares, a few at a time.
func (d *Desk) check(ctx context.Context, hashed, password string) (bool, error) {
	select {
	case d.places <- struct{}{}:
		defer func() { <-d.places }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return matches(hashed, password)
}

// try counts a try by address and, if it gives one, by name. Names and addresses are kept as hashes.
func (d *Desk) try(ctx context.Context, name, from string) error {
	buckets := [][]byte{bucket("address", network(from))}
	if name != "" {
		buckets = append(buckets, bucket("name", strings.ToLower(strings.TrimSpace(name))))
	}
	room, err := d.store.TrySignIn(ctx, d.now(), tryEach, tryRoom, buckets...)
	switch {
	case err != nil:
		return err
	case !room:
		d.log.WarnContext(ctx, "sign-in refused: tried too often")
		return ErrTooMany
	}
	return nil
}

func bucket(kind, key string) []byte {
	sum := sha256.Sum256([]byte(kind + "\x00" + key))
	return sum[:]
}

// network is what one visitor can choose addresses from: of IPv6 they have a whole /64.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
