package api

import (
	"errors"
	"fmt"
	"time"

	"aftercall/internal/store"
)

// sumDays is over how many days an automation's figures go, and countedDays how far back it is looked when it fired last; the
// pages say the same.
const (
	sumDays     = 7
	countedDays = 28
)

func listAutomations(x *exchange) (any, error) {
	list := automationList{Items: []automationRow{}}
	rev, ok := x.api.revisions.Active(x.account())
	if !ok {
		return list, nil
	}
	ids := make([]string, len(rev.Automations))
	for i, a := range rev.Automations {
		ids[i] = a.ID
	}
	now := x.api.now()
	sums, err := x.reader().AutomationSums(x.Context(), x.account(), ids, now.AddDate(0, 0, -countedDays), now.AddDate(0, 0, -sumDays))
	if err != nil {
		return nil, err
	}
	breakers, err := x.reader().Breakers(x.Context(), x.account())
	if err != nil {
		return nil, err
	}
	mutes, err := x.reader().Mutes(x.Context(), x.account())
	if err != nil {
		return nil, err
	}
	for _, a := range rev.Automations {
		s := sums[a.ID]
		list.Items = append(list.Items, automationRow{ID: a.ID, Name: a.Name, Enabled: a.Trigger.Enabled, Evaluated: s.Evaluated, Fired: s.Fired, Unsure: s.Unsure,
			Held: s.Held + s.Stopped, Failed: s.Failed, Marked: s.Marked, Wrong: s.Wrong, LastFiredAt: s.LastFired,
			Mute: muteAt(mutes, a.ID), Breaker: breakerAt(breakers, a.ID)})
	}
	return list, nil
}

func muteOf(m store.Mute) mute {
	return mute{Automation: m.Automation, Until: m.Until, Reason: m.Reason, By: m.By, At: m.At}
}

func muteAt(all []store.Mute, automation string) *mute {
	for _, m := range all {
		if m.Automation == automation {
			one := muteOf(m)
			return &one
		}
	}
	return nil
}

func breakerAt(all []store.Breaker, automation string) *breaker {
	for _, b := range all {
		if b.Automation == automation {
			return &breaker{Open: b.Open, Fired: b.Fired, Allowed: b.Allowed, OpenedAt: b.OpenedAt, Until: b.Until, Held: min(b.Stopped, store.MostStopped),
				More: b.Stopped > store.MostStopped, HeldSince: b.HeldSince}
		}
	}
	return nil
}

func listMutes(x *exchange) (any, error) {
	rows, err := x.reader().Mutes(x.Context(), x.account())
	list := muteList{Items: []mute{}}
	for _, m := range rows {
		list.Items = append(list.Items, muteOf(m))
	}
	return list, err
}

// automation is the one in the path, of the active config.
func (x *exchange) automation() (id string, err error) {
	if rev, ok := x.api.revisions.Active(x.account()); ok {
		if a := rev.Automation(x.PathValue("automation")); a != nil {
			return a.ID, nil
		}
	}
	return "", fmt.Errorf("find automation: %w", store.ErrNotFound)
}

func muteAutomation(x *exchange) (any, error) {
	var wish muteWish
	if err := x.decode(&wish); err != nil {
		return nil, err
	}
	id, err := x.automation()
	if err != nil {
		return nil, err
	}
	err = x.api.store.Mute(x.Context(), x.by, x.account(), id, wish.Until, wish.Reason)
	if errors.Is(err, store.ErrMute) {
		return nil, invalid(fault{"", fmt.Sprintf("A mute needs a reason of at most %d characters, and an until within %d days from now.",
			store.LongestMuteReason, store.LongestMute/(24*time.Hour))})
	}
	return done{true}, err
}

// already takes for done what somebody else has done a moment ago, as long as there is such an automation.
func (x *exchange) already(err error) (any, error) {
	if errors.Is(err, store.ErrNotFound) {
		_, err = x.automation()
	}
	return done{true}, err
}

// unmute lifts a mute, also of an automation that the config has no more.
func unmute(x *exchange) (any, error) {
	return x.already(x.api.store.Unmute(x.Context(), x.by, x.account(), x.PathValue("automation")))
}

func closeBreaker(x *exchange) (any, error) {
	return x.already(x.api.store.CloseBreaker(x.Context(), x.by, x.account(), x.PathValue("automation")))
}

// longestUsage is how many days of usage are answered at once.
const longestUsage = 90

func readUsage(x *exchange) (any, error) {
	days := x.number("days")
	switch {
	case days == 0:
		days = 30
	case days > longestUsage:
		return nil, invalid(fault{"?days", fmt.Sprintf("It is at most %d.", longestUsage)})
	}
	zone := time.UTC
	if rev, ok := x.api.revisions.Active(x.account()); ok && rev.Location != nil {
		zone = rev.Location
	}
	year, month, day := x.api.now().In(zone).Date()
	rows, err := x.reader().Usage(x.Context(), x.account(), time.Date(year, month, day-days+1, 0, 0, 0, 0, zone), zone)
	list := usageList{Zone: zone.String(), Items: []usage{}}
	for _, u := range rows {
		list.Items = append(list.Items, usage{Day: u.Day, Automation: u.Automation, Model: u.Model, TokensIn: u.In, TokensCached: u.Cached, TokensOut: u.Out})
	}
	return list, err
}
