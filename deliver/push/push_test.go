package push_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/push"
)

// addressed is the channel with what the suite's messages lack: a browser to go to.
type addressed struct {
	*push.Channel
	endpoint string
	browser  *delivertest.Browser
}

func (a addressed) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	m.To = []deliver.Address{{Address: a.endpoint}}
	m.Fields = map[string]string{push.FieldP256dh: a.browser.P256dh(), push.FieldAuth: a.browser.Auth(), push.FieldOpens: "/conversations/1"}
	return a.Channel.Send(ctx, m)
}

// newRig is a channel in front of a push service with one browser.
func newRig(t *testing.T) (addressed, *delivertest.Push, string) {
	t.Helper()
	service := delivertest.NewPush()
	t.Cleanup(service.Close)
	endpoint, browser, err := service.Subscribe("/wpush/v2/canary-token")
	if err != nil {
		t.Fatal(err)
	}
	key, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c, err := push.New(push.Config{Key: key, Subject: "mailto:ops@acme.example", Client: service.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return addressed{c, endpoint, browser}, service, key
}

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(t *testing.T, s delivertest.Situation) delivertest.Rig {
		rig, service, key := newRig(t)
		faults := map[delivertest.Situation]delivertest.Fault{
			delivertest.Accepts:     {},
			delivertest.RateLimited: {Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"5"}}},
			delivertest.Failing:     {Status: http.StatusServiceUnavailable, Body: `{"errno":201,"message":"Use exponential back-off"}`},
			delivertest.Refuses:     {Status: http.StatusBadRequest},
			delivertest.NoAccess:    {Status: http.StatusUnauthorized},
			delivertest.Silent:      {Silent: true},
			delivertest.Cut:         {Cut: true},
			delivertest.LateAnswer:  {Late: time.Minute},
			delivertest.HugeAnswer:  {Status: http.StatusBadRequest, Body: strings.Repeat("canary ", 1<<20)},
			delivertest.EchoesInput: {Status: http.StatusRequestEntityTooLarge, Body: "canary " + rig.endpoint + key},
		}
		if s == delivertest.Unreachable {
			rig.Channel = unreachable(t, key)
		}
		service.Fail(func(int, delivertest.Notice) delivertest.Fault { return faults[s] })
		return delivertest.Rig{Channel: rig, Huge: delivertest.Shortened, Secrets: []string{key, "push.example"}, Received: func() (all []delivertest.Copy) {
			for _, n := range service.Notices() {
				all = append(all, delivertest.Copy{Delivery: n.Tag, Key: n.Topic, Text: n.Body})
			}
			return all
		}}
	})
}

// unreachable is a channel whose service is not there any more.
func unreachable(t *testing.T, key string) *push.Channel {
	t.Helper()
	gone := delivertest.NewPush()
	client := gone.Client()
	gone.Close()
	c, err := push.New(push.Config{Key: key, Subject: "mailto:ops@acme.example", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestABrowserReadsWhatIsMeantForIt: encrypted for one browser, under the ids of the alert, in one record however long it is.
func TestABrowserReadsWhatIsMeantForIt(t *testing.T) {
	t.Parallel()
	rig, service, _ := newRig(t)
	long := "a" + strings.Repeat("\u2028", 2000) + "b" // written as six bytes each
	for _, m := range []deliver.Message{
		{DeliveryID: "d1", Subject: "Team alert", Text: " Dana <b>waits</b>\nfor a \x00call "},
		{DeliveryID: "d2", Subject: long, Text: long},
		{DeliveryID: "d3", Subject: "\xff", Text: ""},
	} {
		if _, err := rig.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	got := service.Notices()
	if len(got) != 3 || got[0].Topic == got[1].Topic || len(got[0].Topic) != 32 {
		t.Fatalf("%+v", got)
	}
	want := delivertest.Notice{Path: "/wpush/v2/canary-token", Title: "Team alert", Body: "Dana <b>waits</b> for a  call", Opens: "/conversations/1", Tag: "d1",
		Topic: got[0].Topic, TTL: "14400", Urgency: "high"}
	if d := cmp.Diff(want, got[0]); d != "" {
		t.Error(d)
	}
	if n := len([]rune(got[1].Body)); n != 500 || !strings.HasSuffix(got[1].Body, "…") {
		t.Errorf("%d characters of a long text are shown", n)
	}
}

func TestWhatTheServiceSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		verdict deliver.Verdict
		class   string
	}{
		{404, deliver.Refused, push.Gone}, {410, deliver.Refused, push.Gone}, {403, deliver.Refused, "auth"}, {401, deliver.Retry, "auth"},
		{406, deliver.Retry, "rate_limited"}, {429, deliver.Retry, "rate_limited"}, {500, deliver.Retry, "provider"}, {503, deliver.Retry, "provider"},
		{413, deliver.Refused, "bad_request"}, {307, deliver.Refused, "bad_request"},
	} {
		rig, service, _ := newRig(t)
		service.Fail(func(int, delivertest.Notice) delivertest.Fault {
			return delivertest.Fault{Status: c.status, Header: http.Header{"Location": {"https://inside.example/"}, "Retry-After": {"999999999999"}}}
		})
		_, err := rig.Send(t.Context(), deliver.Message{DeliveryID: "d1"})
		var e *deliver.Error
		if !errors.As(err, &e) || e.Verdict != c.verdict || e.Class != c.class || e.Status != c.status || e.After > time.Hour || service.Requests() != 1 {
			t.Errorf("%d: %+v after %d requests", c.status, err, service.Requests())
		}
	}
}

// TestVectors: what a browser opens here is what RFC 8291, appendix A, says.
func TestVectors(t *testing.T) {
	t.Parallel()
	browser, err := delivertest.ParseBrowser("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "BTBZMqHH6r4Tts7J_aSIgg")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := browser.P256dh(), "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"; got != want {
		t.Errorf("its public key is %s, want %s", got, want)
	}
	body, err := base64.RawURLEncoding.DecodeString("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_" +
		"yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := browser.Open(body); err != nil || string(plain) != "When I grow up, I want to be a watermelon" {
		t.Errorf("%q, %v", plain, err)
	}
	body[len(body)-1] ^= 1
	if plain, err := browser.Open(body); err == nil {
		t.Errorf("a changed byte is read as %q", plain)
	}
}

func TestBadKeysAreNamed(t *testing.T) {
	t.Parallel()
	good, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]push.Config{
		"no key": {Subject: "mailto:a@acme.example"}, "padded": {Key: good + "=", Subject: "mailto:a@acme.example"}, "short": {Key: good[:20], Subject: "mailto:a@acme.example"},
		"zero":       {Key: strings.Repeat("A", 43), Subject: "mailto:a@acme.example"},
		"no subject": {Key: good}, "bare address": {Key: good, Subject: "a@acme.example"}, "a name": {Key: good, Subject: "mailto:Ann <a@acme.example>"}, "http": {Key: good, Subject: "http://acme.example"},
	} {
		if _, err := push.New(c); err == nil || strings.Contains(err.Error(), good[:20]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := push.New(push.Config{Key: good, Subject: "https://acme.example/ops"}); err != nil {
		t.Error(err)
	}
}
