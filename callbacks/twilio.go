package callbacks

import (
	"net/url"

	"aftercall/deliver"
	"aftercall/deliver/sms"
	"aftercall/reason"
)

// What stands in the addresses that Twilio posts to.
const (
	twilioName  = "twilio"
	statusPath  = "status"
	inboundPath = "messages"
	deliveryID  = "delivery"
)

const unsignedByTwilio = "Is AFTERCALL_PUBLIC_URL the address that was posted to, and TWILIO_AUTH_TOKEN the account's?"

// TwilioReports gives the address at which Twilio reports what became of a delivery. It names account and delivery, and the
// signature covers it.
func TwilioReports(publicURL string) func(accountID, deliveryID string) string {
	return func(account, id string) string {
		return address(publicURL, url.Values{deliveryID: {id}}, twilioName, account, statusPath)
	}
}

// Twilio are the doors at which Twilio reports on texts and hands over those that people send to an account's numbers. tokens
// are the account's auth tokens, two while they are exchanged.
func Twilio(tokens ...string) []Door {
	return []Door{
		{Path: twilioName + "/{account}/" + statusPath, ID: "twilioStatus", Summary: "What became of a text, by Twilio", Unsigned: unsignedByTwilio,
			Describe: "A form, signed in X-Twilio-Signature. Each text that is sent names this address to Twilio; nothing has to be set there.",
			Read: func(p Post) (Said, error) {
				form, err := twilioForm(tokens, p)
				if err != nil {
					return Said{}, err
				}
				return readStatus(p, form)
			}},
		{Path: twilioName + "/{account}/" + inboundPath, ID: "twilioMessages", Summary: "A text that somebody sent to one of the account's numbers, by Twilio", Unsigned: unsignedByTwilio,
			Describe: "A form, signed in X-Twilio-Signature. STOP and START are kept; anything else is of no interest. Set it in Twilio's console, at the number or the " +
				"messaging service, as what happens when a message comes in.",
			Read: func(p Post) (Said, error) {
				form, err := twilioForm(tokens, p)
				if err != nil {
					return Said{}, err
				}
				return readInbound(p, form), nil
			}},
	}
}

// twilioForm proves that Twilio posted a form, and reads it.
func twilioForm(tokens []string, p Post) (url.Values, error) {
	if !sms.Genuine(tokens, p.Address, p.Body, p.Header.Get(sms.SignatureHeader)) {
		return nil, ErrNotGenuine
	}
	form, err := url.ParseQuery(string(p.Body))
	if err != nil {
		return nil, ErrUnreadable
	}
	return form, nil
}

func readStatus(p Post, form url.Values) (Said, error) {
	u, err := url.Parse(p.Address)
	if err != nil {
		return Said{}, ErrUnreadable
	}
	r, ok := sms.ReportOf(form)
	if !ok {
		return Said{Word: "ignored"}, nil
	}
	r.AccountID, r.DeliveryID, r.At, r.Word = p.Account, u.Query().Get(deliveryID), p.At, r.ProviderID
	return Said{Word: string(r.Fact), Reports: []deliver.Report{r}}, nil
}

// readInbound takes notice of who wants no more texts, or wants them again. Nothing that Twilio signs says when they wrote, so a text
// counts once, by its id. Without one, which Twilio always gives, nobody knows whether it was posted before: such a START is not taken.
func readInbound(p Post, form url.Values) Said {
	wish, number := sms.WishOf(form)
	id := form.Get("MessageSid")
	if number == "" || wish != sms.Stop && wish != sms.Start || wish == sms.Start && id == "" {
		return Said{Word: "ignored"}
	}
	s := deliver.Suppression{AccountID: p.Account, Channel: deliver.SMS, Address: number, Source: deliver.FromRecipient, Word: id}
	if wish == sms.Stop {
		s.Reason = reason.OptedOut
	}
	return Said{Word: string(wish), Suppressions: []deliver.Suppression{s}}
}
