package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/reason"
)

// AddressesOf gives the addresses that a claimed delivery would go to now; nil means that nobody looks.
type AddressesOf func(Claimed) []string

// Suppress keeps that addresses are not to be written to any more, or lifts it. In whatever order words on one address
// are heard, the later one counts, and none counts twice.
func (s *Store) Suppress(ctx context.Context, all ...deliver.Suppression) error {
	for _, one := range all {
		err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
			_, err := s.suppress(ctx, q, one)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Unsuppress is how somebody of ours has an address written to again; ErrNotFound if it is not suppressed.
func (s *Store) Unsuppress(ctx context.Context, by Actor, accountID, channel, address string) error {
	one := deliver.Suppression{AccountID: accountID, Channel: channel, Address: address, Source: deliver.FromPerson}
	err := s.change(ctx, Act{AccountID: accountID, By: by, What: ActUnsuppressed, Target: channel}, func(q *db.Queries) error {
		lifted, err := s.suppress(ctx, q, one)
		if err == nil && !lifted {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("have an address of account %s written to again by %s: %w", accountID, channel, err)
	}
	return nil
}

// suppress reports whether it lifted something. It runs in a transaction: a word is heard if it counts.
func (s *Store) suppress(ctx context.Context, q *db.Queries, one deliver.Suppression) (lifted bool, err error) {
	key, at := s.hashes.suppressed(one.AccountID, one.Channel, one.Address), orNow(one.At, time.Now())
	if one.Word != "" {
		heard, err := q.HearWord(ctx, db.HearWordParams{AccountID: one.AccountID, Word: s.hashes.of("word", one.AccountID, one.Channel, one.Word), HeardAt: at})
		if err != nil {
			return false, fmt.Errorf("hear a word on an address of account %s: %w", one.AccountID, err)
		}
		if heard == 0 {
			return false, nil
		}
	}
	if one.Reason != "" && one.Reason != reason.OptedOut && one.Reason != reason.Bounced {
		return false, fmt.Errorf("suppress an address of account %s: %s is no reason for it", one.AccountID, one.Reason)
	}
	was, err := q.KeepWord(ctx, db.KeepWordParams{AccountID: one.AccountID, Channel: one.Channel, Address: key, Word: string(one.Reason),
		Source: clean(one.Source), At: at})
	if err == nil {
		err = q.JudgeAddress(ctx, db.JudgeAddressParams{AccountID: one.AccountID, Channel: one.Channel, Address: key})
	}
	if err != nil {
		return false, fmt.Errorf("suppress an address of account %s: %w", one.AccountID, err)
	}
	return one.Reason == "" && was != "", nil
}

// suppressed is the hash by which an address is known that is not written to. Mailboxes are told apart by no more than their
// letters; a number is in E.164 form.
func (h hashes) suppressed(account, channel, address string) []byte {
	return h.of("suppressed", account, channel, strings.ToLower(strings.TrimSpace(address)))
}

// leaveOut takes back, in the transaction of their claims, what would go to nobody but suppressed addresses, and tells of the
// rest which of its addresses to leave out. claimed is one list for each of to.
func (h hashes) leaveOut(ctx context.Context, q *db.Queries, claimed [][]Claimed, to []AddressesOf) error {
	var asked db.SuppressedAmongParams
	var places []destination
	for n := range claimed {
		for i, c := range claimed[n] {
			if to[n] == nil || c.Channel != deliver.Email && c.Channel != deliver.SMS {
				continue
			}
			for _, address := range to[n](c) {
				asked.Refs, asked.AccountIds = append(asked.Refs, int32(len(places))), append(asked.AccountIds, c.AccountID)
				asked.Channels, asked.Addresses = append(asked.Channels, c.Channel), append(asked.Addresses, h.suppressed(c.AccountID, c.Channel, address))
				places = append(places, destination{n, i, address})
			}
		}
	}
	if len(places) == 0 {
		return nil
	}
	found, err := q.SuppressedAmong(ctx, asked)
	if err != nil {
		return fmt.Errorf("look for suppressed addresses: %w", err)
	}
	for _, f := range found {
		p := places[f.Ref]
		c := &claimed[p.ask][p.claim]
		if c.LeaveOut == nil {
			c.LeaveOut = map[string]reason.Code{}
		}
		c.LeaveOut[p.address] = reason.Code(f.Reason)
	}
	if len(found) == 0 {
		return nil
	}
	return skipSuppressed(ctx, q, claimed, places)
}

// destination is one address of one claim.
type destination struct {
	ask, claim int
	address    string
}

// skipSuppressed drops the claims of which every address is left out.
func skipSuppressed(ctx context.Context, q *db.Queries, claimed [][]Claimed, places []destination) error {
	left := map[string]bool{} // by delivery: an address is left
	for _, p := range places {
		c := claimed[p.ask][p.claim]
		left[c.ID] = left[c.ID] || c.LeaveOut[p.address] == ""
	}
	var skip db.SkipClaimedParams
	for n := range claimed {
		claimed[n] = slices.DeleteFunc(claimed[n], func(c Claimed) bool {
			if len(c.LeaveOut) == 0 || left[c.ID] {
				return false
			}
			why := slices.Min(slices.Collect(maps.Values(c.LeaveOut)))
			skip.Ids, skip.AccountIds, skip.Reasons = append(skip.Ids, c.ID), append(skip.AccountIds, c.AccountID), append(skip.Reasons, string(why))
			return true
		})
	}
	if len(skip.Ids) == 0 {
		return nil
	}
	if err := q.SkipClaimed(ctx, skip); err != nil {
		return fmt.Errorf("skip what would go to suppressed addresses: %w", err)
	}
	return nil
}
