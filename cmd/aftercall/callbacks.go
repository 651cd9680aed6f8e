package main

import (
	"aftercall/callbacks"
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
	if s.TwilioToken != "" {
		doors = append(doors, callbacks.Twilio(string(s.TwilioToken), string(s.TwilioSecond))...)
	}
	switch {
	case len(doors) == 0:
		return nil, nil
	case s.PublicURL == "":
		a.log.Warn("AFTERCALL_PUBLIC_URL is not set: providers cannot report what became of messages, nor who has opted out")
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
