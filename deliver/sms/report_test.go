package sms_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/sms"
	"aftercall/reason"
)

const page = "https://calls.acme.example/callbacks/twilio/acme/status?delivery=0190-a"

func posted(status, code string) url.Values {
	form := url.Values{"SmsSid": {"SM9"}, "MessageSid": {"SM9"}, "SmsStatus": {status}, "MessageStatus": {status}, "To": {to}, "From": {from},
		"AccountSid": {sid}, "ApiVersion": {"2010-04-01"}}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	return form
}

// The fields of the example in Twilio's manual. Signatures that Twilio or its libraries made are tried by `make conformance`.
func TestGenuine(t *testing.T) {
	t.Parallel()
	const address, token = "https://example.com/myapp?foo=1&bar=2", "12345"
	body := []byte("CallSid=CA123&Digits=1234&From=%2B14158675309&To=%2B18005551212")
	form, _ := url.ParseQuery(string(body))
	signature := sms.Sign(token, address, form)
	for name, c := range map[string]struct {
		tokens             []string
		address, signature string
		body               string
		want               bool
	}{
		"as signed":                  {[]string{token}, address, signature, string(body), true},
		"the second token":           {[]string{"old", token}, address, signature, string(body), true},
		"seen with the usual port":   {[]string{token}, "https://example.com:443/myapp?foo=1&bar=2", signature, string(body), true},
		"in another order":           {[]string{token}, address, signature, "To=%2B18005551212&From=%2B14158675309&Digits=1234&CallSid=CA123", true},
		"spelt otherwise":            {[]string{token}, address, signature, "CallSid=CA123&Digits=%31234&From=%2b14158675309&To=%2B18005551212", true},
		"a value twice":              {[]string{token}, address, signature, string(body) + "&Digits=1234", true},
		"a second value":             {[]string{token}, address, signature, string(body) + "&Digits=99", false},
		"a field more":               {[]string{token}, address, signature, string(body) + "&x=", false},
		"a field changed":            {[]string{token}, address, signature, strings.Replace(string(body), "1234", "1235", 1), false},
		"another address":            {[]string{token}, address + "3", signature, string(body), false},
		"another scheme":             {[]string{token}, "http://example.com/myapp?foo=1&bar=2", signature, string(body), false},
		"another token":              {[]string{"54321"}, address, signature, string(body), false},
		"no token":                   {nil, address, signature, string(body), false},
		"an empty token":             {[]string{""}, address, sms.Sign("", address, form), string(body), false},
		"no signature":               {[]string{token}, address, "", string(body), false},
		"a form that cannot be read": {[]string{token}, address, signature, "%zz", false},
		"no address":                 {[]string{token}, "://", signature, string(body), false},
	} {
		if got := sms.Genuine(c.tokens, c.address, []byte(c.body), c.signature); got != c.want {
			t.Errorf("%s: genuine %v, want %v", name, got, c.want)
		}
	}
	signed := address + "&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	signature = sms.Sign(token, signed, nil)
	if !sms.Genuine([]string{token}, signed, []byte("{}"), signature) || sms.Genuine([]string{token}, signed, []byte("{ }"), signature) {
		t.Error("a body that is no form is known by its hash in the address")
	}
}

func TestReportOf(t *testing.T) {
	t.Parallel()
	report := func(f deliver.Fact) deliver.Report {
		return deliver.Report{Provider: "twilio", ProviderID: "SM9", Fact: f}
	}
	lost := func(class string, code int) deliver.Report {
		r := report(deliver.Lost)
		r.Class, r.Status = class, code
		return r
	}
	optedOut := lost("opted_out", 21610)
	optedOut.Suppress, optedOut.Address = reason.OptedOut, to
	for _, c := range []struct {
		status, code string
		want         deliver.Report
	}{
		{"queued", "", report(deliver.Taken)}, {"accepted", "", report(deliver.Taken)}, {"scheduled", "", report(deliver.Taken)},
		{"sending", "", report(deliver.Taken)}, {"sent", "", report(deliver.Taken)}, {"delivered", "", report(deliver.Arrived)},
		{"read", "", report(deliver.Arrived)}, {"undelivered", "30003", lost("unreachable", 30003)}, {"failed", "30034", lost("unregistered", 30034)},
		{"failed", "", lost("undelivered", 0)}, {"canceled", "", lost("undelivered", 0)}, {"failed", "39999", lost("undelivered", 39999)},
		{"failed", "x", lost("undelivered", 0)}, {"undelivered", "21610", optedOut},
	} {
		got, ok := sms.ReportOf(posted(c.status, c.code))
		if (got.Detail != "") != (got.Fact == deliver.Lost) || strings.Contains(got.Detail, to) {
			t.Errorf("%s %s: the sentence is %q", c.status, c.code, got.Detail)
		}
		got.Detail = ""
		if diff := cmp.Diff(c.want, got); diff != "" || !ok {
			t.Errorf("%s %s: %v (-want +got):\n%s", c.status, c.code, ok, diff)
		}
	}
	for _, nothing := range []string{"", "received", "receiving", "partially_delivered", "brand_new"} {
		if r, ok := sms.ReportOf(posted(nothing, "")); ok {
			t.Errorf("%q says %+v", nothing, r)
		}
	}
}

func TestWishOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body, matched string
		want          sms.Wish
	}{
		{"STOP", "", sms.Stop}, {" stop.\n", "", sms.Stop}, {"StopAll", "", sms.Stop}, {"“Unsubscribe”", "", sms.Stop}, {"quit", "", sms.Stop},
		{"START", "", sms.Start}, {"yes", "", sms.Start}, {"Help!", "", sms.Help}, {"info", "", sms.Help},
		{"Please do not stop", "", sms.None}, {"stop it", "", sms.None}, {"", "", sms.None}, {"5", "", sms.None},
		{"ARRÊT", "STOP", sms.Stop}, {"oui", "START", sms.Start}, {"aide", "HELP", sms.Help}, {"STOP", "START", sms.Start},
	} {
		w, number := sms.WishOf(url.Values{"From": {to}, "To": {from}, "Body": {c.body}, "OptOutType": {c.matched}})
		if w != c.want || number != to {
			t.Errorf("%q, which Twilio calls %q: %q by %q, want %q", c.body, c.matched, w, number, c.want)
		}
	}
	for _, other := range []string{"whatsapp:" + to, "12345", "ACME", ""} {
		if w, number := sms.WishOf(url.Values{"From": {other}, "Body": {"STOP"}}); w != sms.Stop || number != "" {
			t.Errorf("from %q: %q by %q", other, w, number)
		}
	}
}

func FuzzGenuine(f *testing.F) {
	f.Add(page, "a=b&c=d", "x")
	f.Add("https://[::1]:8080/?bodySHA256=00", "{}", "")
	f.Fuzz(func(t *testing.T, address, body, signature string) {
		if sms.Genuine([]string{token}, address, []byte(body), signature) {
			t.Errorf("%q to %q by %q is taken", body, address, signature)
		}
	})
}
