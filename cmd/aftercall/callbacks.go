package main

import (
	"slices"

	"aftercall/callbacks"
	"aftercall/deliver/email"
	"aftercall/internal/openapi"
)

// reports says where Twilio reports what became of a text; nil if the outside cannot reach this installation.
func reports(s settings) func(accountID, deliveryID string) string {
	if s.PublicURL == "" {
		return nil
	}
	return callbacks.TwilioReports(s.PublicURL)
}

// callbacks are the addresses at which those providers report for which there are credentials.
func (a *app) callbacks(as assembly) ([]openapi.Route, error) {
	s := as.settings
	var doors []callbacks.Door
	switch {
	case s.TwilioToken != "" && s.PublicURL == "":
		a.log.Warn("AFTERCALL_PUBLIC_URL is not set: Twilio cannot report what became of texts, nor who has opted out")
	case s.TwilioToken != "":
		doors = append(doors, callbacks.Twilio(string(s.TwilioToken), string(s.TwilioSecond))...)
	}
	if keys := slices.DeleteFunc([]email.Key{s.WebhookKey, s.WebhookSecond}, func(k email.Key) bool { return k == nil }); len(keys) > 0 {
		doors = append(doors, callbacks.SendGrid(keys...))
	}
	if len(doors) == 0 {
		return nil, nil
	}
	known := func(account string) bool {
		_, ok := a.revisions.Active(account)
		return ok
	}
	desk, err := callbacks.New(callbacks.Config{Store: a.db, Known: known, PublicURL: s.PublicURL, Doors: doors, Logger: as.log, Signals: a.signals, Now: as.now})
	if err != nil {
		return nil, err
	}
	return desk.Routes(), nil
}
