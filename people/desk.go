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

// HasPassword reports whether somebody who is signed in may do so by password.
func (d *Desk) HasPassword(ctx context.Context, p Person) (bool, error) {
	known, err := d.store.PersonByID(ctx, p.ID)
	return known.Password != "", err
}

// Change replaces the password of somebody who is signed in and says the one they have. All their sessions end; the browser
// they ask from gets the token of another. ErrWeak, ErrRefused and ErrTooMany are the answers for whoever asks.
func (d *Desk) Change(ctx context.Context, p Person, current, next string) (token string, err error) {
	if err := d.try(ctx, p.Name, p.Address); err != nil {
		return "", err
	}
	known, err := d.store.PersonByID(ctx, p.ID)
	if err != nil {
		return "", err
	}
	right := false
	if known.Password != "" {
		if right, err = d.check(ctx, known.Password, current); err != nil {
			return "", err
		}
	}
	if !right {
		return "", d.refuse(ctx, known, p.Address, "password")
	}
	hashed, err := d.hash(ctx, next)
	if err != nil {
		return "", err
	}
	err = d.store.ReplacePassword(ctx, p.ID, known.Password, hashed, p.Actor())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", ErrRefused // it is another one by now
	case err != nil:
		return "", err
	}
	return d.open(ctx, known, p.Address, "password")
}

// refuse writes down that somebody was not let in as p, who is nobody if the name is nobody's; that takes as long. Such a name
// is not kept: it may be a password in the wrong field. Who tried is not known, whoever's name it was.
func (d *Desk) refuse(ctx context.Context, p store.Person, from, way string) error {
	act := store.Act{By: store.Actor{Address: from}, What: store.ActSignInRefused, Target: p.ID, Detail: map[string]string{"by": way}}
	return errors.Join(ErrRefused, d.store.LogAct(ctx, act))
}

// check compares, a few at a time.
func (d *Desk) check(ctx context.Context, hashed, password string) (right bool, err error) {
	err = d.placed(ctx, func() error {
		right, err = matches(hashed, password)
		return err
	})
	return right, err
}

// hash is HashPassword, a few at a time.
func (d *Desk) hash(ctx context.Context, password string) (hashed string, err error) {
	err = d.placed(ctx, func() error {
		hashed, err = HashPassword(password)
		return err
	})
	return hashed, err
}

// placed does what takes much memory when there is a place for it.
func (d *Desk) placed(ctx context.Context, do func() error) error {
	select {
	case d.places <- struct{}{}:
		defer func() { <-d.places }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return do()
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
