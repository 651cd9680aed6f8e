package callbacks

import (
	"aftercall/deliver/email"
)

// SendGrid is the door at which SendGrid reports on e-mails, in batches over all accounts: a message is known by our id in it. keys are
// the verification keys of its event webhook, two while they are exchanged.
func SendGrid(keys ...email.Key) Door {
	return Door{Path: "sendgrid/events", ID: "sendGridEvents", Summary: "What became of e-mails, by SendGrid's event webhook",
		Describe: "An array of events, signed in X-Twilio-Email-Event-Webhook-Signature over the timestamp beside it and the body. Set it in SendGrid under " +
			"Settings, Mail Settings, Event Webhooks, with signature verification.",
		Unsigned: "Is SENDGRID_WEBHOOK_KEY the public key that SendGrid shows at this webhook, and is this machine's clock right?",
		Read: func(p Post) (Said, error) {
			if !email.Genuine(keys, p.Header.Get(email.TimestampHeader), p.Header.Get(email.SignatureHeader), p.Body, p.At) {
				return Said{}, ErrNotGenuine
			}
			reports, ok := email.EventsOf(p.Body, p.At)
			switch {
			case !ok:
				return Said{}, ErrUnreadable
			case len(reports) == 0:
				return Said{Word: "ignored"}, nil
			}
			return Said{Word: "events", Reports: reports}, nil
		}}
}
