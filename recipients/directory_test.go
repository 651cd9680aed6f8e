package recipients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/recipients"
)

func fixed(a string) recipients.Target  { return recipients.Target{Kind: recipients.Fixed, Value: a} }
func person(k string) recipients.Target { return recipients.Target{Kind: recipients.Person, Value: k} }
func group(k string) recipients.Target  { return recipients.Target{Kind: recipients.Group, Value: k} }

func contact(field string) recipients.Target {
	return recipients.Target{Kind: recipients.Contact, Value: field}
}

func byRoute() recipients.Target { return recipients.Target{Kind: recipients.ByRoute} }

func clinic() recipients.Directory {
	return recipients.Directory{
		People: map[string]recipients.PersonEntry{
			"maria": {Key: "maria", Name: "Maria Lopez", Email: "maria@acme.example", Phone: "+447700900123", User: "005A"},
			"jon":   {Key: "jon", Name: "Jon Ash", Email: "jon@acme.example"},
			"gone":  {Key: "gone", Name: "Gone Away", Email: "gone@elsewhere.example"},
		},
		Groups: map[string][]recipients.Target{
			"support": {person("maria"), fixed("support@acme.example")},
			"oncall":  {fixed("+447700900124"), fixed("oncall@acme.example")},
			"both":    {group("support"), group("oncall"), person("maria")},
			"loop":    {group("pool")},
			"pool":    {group("loop"), person("jon")},
			"empty":   {},
		},
		Allow:  recipients.Allow{Domains: []string{"acme.example", "*.partner.example"}, Contacts: true},
		Region: "GB",
	}
}

var ana = recipients.ContactRecord{Name: "Ana\nRuiz", Email: "ana@customer.example", Number: "07700 900555"}

func TestParseTarget(t *testing.T) {
	t.Parallel()
	closed := clinic()
	closed.Allow.Contacts = false
	for _, tt := range []struct {
		name, in, channel string
		d                 recipients.Directory
		want              recipients.Target // zero: refused
	}{
		{"person", "maria", deliver.Email, clinic(), person("maria")},
		{"group", "support", deliver.Email, clinic(), group("support")},
		{"route", "route", deliver.Email, clinic(), byRoute()},
		{"address", "team@acme.example", deliver.Email, clinic(), fixed("team@acme.example")},
		{"address below a wildcard", "x@eu.partner.example", deliver.Email, clinic(), fixed("x@eu.partner.example")},
		{"wildcard is not the domain itself", "x@partner.example", deliver.Email, clinic(), recipients.Target{}},
		{"suffix is not a sub-domain", "x@evilacme.example", deliver.Email, clinic(), recipients.Target{}},
		{"address outside the allow-list", "eve@evil.example", deliver.Email, clinic(), recipients.Target{}},
		{"invalid address", "support@", deliver.Email, clinic(), recipients.Target{}},
		{"unknown key", "suport", deliver.Email, clinic(), recipients.Target{}},
		{"contact", "{{customer_email}}", deliver.Email, clinic(), contact("customer_email")},
		{"contact with spaces", "{{ customer_number }}", deliver.SMS, clinic(), contact("customer_number")},
		{"contact on the wrong channel", "{{customer_number}}", deliver.Email, clinic(), recipients.Target{}},
		{"contact not allowed", "{{customer_email}}", deliver.Email, closed, recipients.Target{}},
		{"spoken value", "{{dyn_email}}", deliver.Email, clinic(), recipients.Target{}},
		{"metadata", "{{metadata.email}}", deliver.Email, clinic(), recipients.Target{}},
		{"number of a group", "+44 7700 900124", deliver.SMS, clinic(), fixed("+447700900124")},
		{"number that stands nowhere", "+447700900199", deliver.SMS, clinic(), recipients.Target{}},
		{"number for e-mail", "+447700900124", deliver.Email, clinic(), recipients.Target{}},
		{"address for a text", "team@acme.example", deliver.SMS, clinic(), recipients.Target{}},
		{"person without a phone", "jon", deliver.SMS, clinic(), recipients.Target{}},
		{"person outside the allow-list", "gone", deliver.Email, clinic(), recipients.Target{}},
		{"group with one phone", "oncall", deliver.SMS, clinic(), group("oncall")},
		{"group that is empty", "empty", deliver.Email, clinic(), recipients.Target{}},
		{"all, alert", "all", deliver.TeamAlert, clinic(), recipients.Target{Kind: recipients.All, Value: "all"}},
		{"all, e-mail", "all", deliver.Email, clinic(), recipients.Target{}},
		{"address for an alert", "team@acme.example", deliver.TeamAlert, clinic(), recipients.Target{}},
		{"person with a user", "maria", deliver.CTI, clinic(), person("maria")},
		{"person without a user", "jon", deliver.CTI, clinic(), recipients.Target{}},
		{"member of a group, any channel", "+447700900130", "", clinic(), fixed("+447700900130")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, p := tt.d.ParseTarget(tt.in, tt.channel)
			if diff := cmp.Diff(tt.want, got); diff != "" || (p != nil) != (tt.want == recipients.Target{}) {
				t.Errorf("ParseTarget(%q, %q): problem %+v (-want +got)\n%s", tt.in, tt.channel, p, diff)
			}
			if p != nil && (p.Message == "" || p.Help == "") {
				t.Errorf("problem without message or help: %+v", p)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	maria := recipients.Recipient{Key: "person:maria", Name: "Maria Lopez", Address: "maria@acme.example"}
	support := recipients.Recipient{Key: "email:support@acme.example", Address: "support@acme.example"}
	customer := recipients.Recipient{Key: "contact:customer_email", Name: "Ana Ruiz", Address: "ana@customer.example", Customer: true}
	for _, tt := range []struct {
		name       string
		ts, routed []recipients.Target
		channel    string
		contact    recipients.ContactRecord
		want       []recipients.Recipient
		rejected   []recipients.Rejection
	}{
		{"group of a person and an address", []recipients.Target{group("support")}, nil, deliver.Email, ana,
			[]recipients.Recipient{maria, support}, nil},
		{"everybody once", []recipients.Target{person("maria"), group("support"), fixed("maria@acme.example")}, nil, deliver.Email, ana,
			[]recipients.Recipient{maria, support}, nil},
		{"groups of groups, by text", []recipients.Target{group("both")}, nil, deliver.SMS, ana,
			[]recipients.Recipient{{Key: "person:maria", Name: "Maria Lopez", Address: "+447700900123"},
				{Key: "phone:+447700900124", Address: "+447700900124"}}, nil},
		{"a loop ends", []recipients.Target{group("loop")}, nil, deliver.Email, ana,
			[]recipients.Recipient{{Key: "person:jon", Name: "Jon Ash", Address: "jon@acme.example"}}, nil},
		{"route", []recipients.Target{byRoute()}, []recipients.Target{group("support")}, deliver.Email, ana,
			[]recipients.Recipient{maria, support}, nil},
		{"route that chose nobody", []recipients.Target{byRoute()}, nil, deliver.Email, ana, nil,
			[]recipients.Rejection{{Key: "-", Reason: reason.RecipientsEmpty}}},
		{"customer and team", []recipients.Target{contact("customer_email"), fixed("support@acme.example")}, nil, deliver.Email, ana,
			[]recipients.Recipient{customer, support}, nil},
		{"customer's number in national form", []recipients.Target{contact("customer_number")}, nil, deliver.SMS, ana,
			[]recipients.Recipient{{Key: "contact:customer_number", Name: "Ana Ruiz", Address: "+447700900555", Customer: true}}, nil},
		{"name that turns the text around", []recipients.Target{contact("customer_email")}, nil, deliver.Email,
			recipients.ContactRecord{Name: "\u2067Ana\u202e\u2069\u2028\u200eRuiz\u061c\u2029\x1b", Email: ana.Email},
			[]recipients.Recipient{customer}, nil},
		{"name that a mail reader would decode", []recipients.Target{contact("customer_email")}, nil, deliver.Email,
			recipients.ContactRecord{Name: "=?utf-8?q?Eve?=", Email: ana.Email},
			[]recipients.Recipient{{Key: customer.Key, Name: "= ?utf-8?q?Eve?=", Address: customer.Address, Customer: true}}, nil},
		{"name of nothing but directions", []recipients.Target{contact("customer_email")}, nil, deliver.Email,
			recipients.ContactRecord{Name: "\u202e\u2066\u2028", Email: ana.Email},
			[]recipients.Recipient{{Key: customer.Key, Address: customer.Address, Customer: true}}, nil},
		{"no contact record", []recipients.Target{contact("customer_email"), fixed("support@acme.example")}, nil, deliver.Email,
			recipients.ContactRecord{}, []recipients.Recipient{support},
			[]recipients.Rejection{{Key: "contact:customer_email", Reason: reason.RecipientsEmpty}}},
		{"contact record with nonsense", []recipients.Target{contact("customer_email")}, nil, deliver.Email,
			recipients.ContactRecord{Email: "a@b.example\r\nBcc: eve@evil.example"}, nil,
			[]recipients.Rejection{{Key: "contact:customer_email", Reason: reason.RecipientInvalid}}},
		{"the customer is also a fixed address", []recipients.Target{fixed("support@acme.example"), contact("customer_email")}, nil, deliver.Email,
			recipients.ContactRecord{Email: "support@acme.example"},
			[]recipients.Recipient{{Key: "email:support@acme.example", Address: "support@acme.example", Customer: true}}, nil},
		{"outside the allow-list", []recipients.Target{person("gone")}, nil, deliver.Email, ana, nil,
			[]recipients.Rejection{{Key: "person:gone", Reason: reason.RecipientNotAllowed}}},
		{"empty group", []recipients.Target{group("empty")}, nil, deliver.Email, ana, nil,
			[]recipients.Rejection{{Key: "-", Reason: reason.RecipientsEmpty}}},
		{"everybody", []recipients.Target{{Kind: recipients.All, Value: "all"}}, nil, deliver.TeamAlert, ana,
			[]recipients.Recipient{{Key: "all", Address: "all"}}, nil},
		{"alert to people of a group", []recipients.Target{group("support")}, nil, deliver.TeamAlert, ana,
			[]recipients.Recipient{{Key: "person:maria", Name: "Maria Lopez", Address: "maria"}}, nil},
		{"chatter post to its target", nil, nil, deliver.Chatter, ana, []recipients.Recipient{{Key: "target", Address: ""}}, nil},
		{"pop-up by user id", []recipients.Target{person("maria"), person("jon")}, nil, deliver.CTI, ana,
			[]recipients.Recipient{{Key: "person:maria", Name: "Maria Lopez", Address: "005A"}},
			[]recipients.Rejection{{Key: "person:jon", Reason: reason.RecipientInvalid}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, rejected := clinic().Resolve(tt.ts, tt.routed, tt.channel, tt.contact)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("recipients (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.rejected, rejected); diff != "" {
				t.Errorf("rejections (-want +got)\n%s", diff)
			}
		})
	}
}

func TestAddressAtTheSend(t *testing.T) {
	t.Parallel()
	moved := clinic()
	moved.People["maria"] = recipients.PersonEntry{Key: "maria", Name: "Maria Lopez", Email: "m.lopez@acme.example"}
	narrowed := clinic()
	narrowed.Allow = recipients.Allow{}
	removed := clinic()
	delete(removed.People, "maria")
	delete(removed.Groups, "oncall")
	for _, tt := range []struct {
		name, key, channel string
		d                  recipients.Directory
		want               string
		why                reason.Code
	}{
		{"a person who moved", "person:maria", deliver.Email, moved, "m.lopez@acme.example", ""},
		{"a person who was removed", "person:maria", deliver.Email, removed, "", reason.RecipientInvalid},
		{"a person without a phone any more", "person:maria", deliver.SMS, moved, "", reason.RecipientInvalid},
		{"a domain no longer allowed", "email:support@acme.example", deliver.Email, narrowed, "", reason.RecipientNotAllowed},
		{"a number that was taken out", "phone:+447700900124", deliver.SMS, removed, "", reason.RecipientNotAllowed},
		{"contacts no longer allowed", "contact:customer_email", deliver.Email, narrowed, "", reason.RecipientNotAllowed},
		{"a forged key", "email:eve@evil.example", deliver.Email, clinic(), "", reason.RecipientNotAllowed},
		{"an address on a channel without addresses", "email:support@acme.example", deliver.TeamAlert, clinic(), "", reason.RecipientInvalid},
		{"nonsense", "maria", deliver.Email, clinic(), "", reason.RecipientInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, why := tt.d.Address(tt.key, tt.channel, ana)
			if got.Address != tt.want || why != tt.why {
				t.Errorf("Address(%q) = %q, %q, want %q, %q", tt.key, got.Address, why, tt.want, tt.why)
			}
		})
	}
}

func TestCycle(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"loop", "pool", "loop"}, clinic().Cycle("loop")); diff != "" {
		t.Errorf("Cycle (-want +got)\n%s", diff)
	}
	if got := clinic().Cycle("both"); got != nil {
		t.Errorf("Cycle(both) = %v, want none", got)
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	r := &recipients.Route{To: map[string][]recipients.Target{"high": {group("support")}}, Otherwise: []recipients.Target{person("jon")}}
	for value, want := range map[string]string{"high": "high", "low": interview.Otherwise, "": interview.Otherwise} {
		if got, targets := r.Pick(value); got != want || len(targets) != 1 {
			t.Errorf("Pick(%q) = %q, %v, want %q", value, got, targets, want)
		}
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"ACME.example": "acme.example", "*.acme.example": "*.acme.example", "müller.example": "xn--mller-kva.example",
		"*": "", "*.example": "", "acme.example/x": "", "": "", "a@b.example": ""} {
		if got, p := recipients.ParseDomain(in); got != want || (p == nil) != (want != "") {
			t.Errorf("ParseDomain(%q) = %q, %v, want %q", in, got, p, want)
		}
	}
}
