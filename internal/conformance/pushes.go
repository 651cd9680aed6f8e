package main

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/push"
)

// pushes are encrypted messages and what push services say.
func pushes() suite {
	return suite{
		name: "webpush-ece", try: tryPushes,
		how: "The library that encrypts cannot decrypt, nor be told which salt and key to take. So what judges our pushes is judged first: the browser of our tests has to read, or " +
			"refuse, every message of the corpus as it says (those that a sender is to write are read with the sender's key). Then such a browser has to read a push of the " +
			"product with each of their texts.",
	}
}

// ece is a row of the corpus. Its bytes are in base64 with padding, so that Go decodes them.
type ece struct {
	ID, Plaintext, Err                          string
	IKM, Payload, RecvPrivKey, AuthSecret, Salt []byte
	SenderPrivKey, RecvPubKey                   []byte
}

// read opens the row's message with whichever keys the row has.
func (e ece) read() ([]byte, error) {
	switch {
	case e.IKM != nil:
		return delivertest.Decrypt(e.IKM, e.Payload)
	case e.RecvPrivKey != nil:
		encoded := base64.RawURLEncoding
		b, err := delivertest.ParseBrowser(encoded.EncodeToString(e.RecvPrivKey), encoded.EncodeToString(e.AuthSecret))
		if err != nil {
			return nil, err
		}
		return b.Open(e.Payload)
	}
	sender, err := ecdh.P256().NewPrivateKey(e.SenderPrivKey)
	if err != nil {
		return nil, err
	}
	browser, err := ecdh.P256().NewPublicKey(e.RecvPubKey)
	if err != nil {
		return nil, err
	}
	ikm, err := delivertest.Agreed(sender, browser, browser, sender.PublicKey(), e.AuthSecret)
	if err != nil {
		return nil, err
	}
	return delivertest.Decrypt(ikm, e.Payload)
}

func tryPushes(ctx context.Context, h *hall) (o outcome, err error) {
	raw, err := os.ReadFile(h.data.Data("webpush-ece", "vectors.json"))
	if err != nil {
		return o, err
	}
	var rows []ece
	if err := json.Unmarshal(raw, &rows); err != nil {
		return o, fmt.Errorf("read the vectors: %w", err)
	}
	for _, e := range rows {
		r := row{id: e.ID}
		text, err := e.read()
		switch {
		case e.Err != "" && err == nil:
			r.kind, r.wrong = "read", true
		case e.Err == "" && (err != nil || string(text) != e.Plaintext):
			r.kind, r.wrong, r.detail = "not read", true, fmt.Sprint(err)
		}
		o.add(r)
		if e.Plaintext == "" {
			continue
		}
		r = row{id: "our push with the text of " + e.ID}
		if err := arrives(ctx, e.Plaintext); err != nil {
			r.kind, r.wrong, r.detail = "not read", true, err.Error()
		}
		o.add(r)
	}
	return o, nil
}

// sender is the product's channel in front of a push service, with a message to a browser there.
func sender(service *delivertest.Push) (c *push.Channel, m deliver.Message, err error) {
	endpoint, browser, err := service.Subscribe("/b")
	if err != nil {
		return nil, m, err
	}
	key, err := push.NewKey()
	if err != nil {
		return nil, m, err
	}
	c, err = push.New(push.Config{Key: key, Subject: "mailto:ops@acme.example", Client: service.Client()})
	return c, deliver.Message{DeliveryID: "d", To: []deliver.Address{{Address: endpoint}},
		Fields: map[string]string{push.FieldP256dh: browser.P256dh(), push.FieldAuth: browser.Auth()}}, err
}

func arrives(ctx context.Context, text string) error {
	service := delivertest.NewPush()
	defer service.Close()
	c, m, err := sender(service)
	if err != nil {
		return err
	}
	m.Text = text
	if _, err := c.Send(ctx, m); err != nil {
		return err
	}
	if got := service.Notices(); len(got) != 1 || got[0].Body != text {
		return fmt.Errorf("the browser reads %+v", got)
	}
	return nil
}

// encrypted is a message with the keys of the browser that it is for, however a file calls them.
type encrypted struct {
	Plaintext, Body, Private, Auth string
}

func (e encrypted) opened() (outcome string, err error) {
	b, err := delivertest.ParseBrowser(e.Private, e.Auth)
	if err != nil {
		return "", err
	}
	raw, err := base64.RawURLEncoding.DecodeString(e.Body)
	if err != nil {
		return "", err
	}
	switch text, err := b.Open(raw); {
	case err != nil:
		return "not read: " + err.Error(), nil
	case string(text) != e.Plaintext:
		return "read as another text", nil
	}
	return "read", nil
}

// vectorOpened reads the message of the RFC.
func vectorOpened() door {
	return door{try: func(_ context.Context, _ *hall, f fixture) (string, error) {
		var v struct {
			Plaintext, Body string
			Private         string `json:"ua_private"`
			Auth            string `json:"auth_secret"`
		}
		if err := json.Unmarshal(f.body, &v); err != nil {
			return "", err
		}
		return encrypted{Plaintext: v.Plaintext, Body: v.Body, Private: v.Private, Auth: v.Auth}.opened()
	}}
}

// requestOpened reads what another client has sent, and checks its signature.
func requestOpened() door {
	return door{try: func(_ context.Context, _ *hall, f fixture) (string, error) {
		var v struct {
			Plaintext    string
			Body         string `json:"body_base64url"`
			Private      string `json:"ua_private_key"`
			Headers      struct{ Authorization string }
			Subscription struct{ Keys struct{ Auth string } }
		}
		if err := json.Unmarshal(f.body, &v); err != nil {
			return "", err
		}
		outcome, err := encrypted{Plaintext: v.Plaintext, Body: v.Body, Private: v.Private, Auth: v.Subscription.Keys.Auth}.opened()
		return outcome + ", " + signedFor(v.Headers.Authorization, "https://updates.push.example"), err
	}}
}

// headersSigned checks the signature of a recorded request.
func headersSigned() door {
	return door{try: func(_ context.Context, _ *hall, f fixture) (string, error) {
		_, authorization, _ := strings.Cut(string(f.body), "Authorization: ")
		authorization, _, _ = strings.Cut(authorization, "\n")
		return signedFor(strings.TrimSpace(authorization), "http://127.0.0.1:40341"), nil
	}}
}

func signedFor(authorization, origin string) string {
	if _, _, err := delivertest.Signed(authorization, origin); err != nil {
		return err.Error()
	}
	return "signed"
}

// subscribed gives the product what a browser says.
func subscribed() door {
	return door{try: func(_ context.Context, _ *hall, f fixture) (string, error) {
		var v struct {
			Endpoint string
			Keys     struct{ P256dh, Auth string }
		}
		if err := json.Unmarshal(f.body, &v); err != nil {
			return "", err
		}
		if err := (push.Subscription{Endpoint: v.Endpoint, P256dh: v.Keys.P256dh, Auth: v.Keys.Auth}).Check(); err != nil {
			return "refused: " + err.Error(), nil
		}
		return "a subscription", nil
	}}
}

// pushAnswered has the product told each answer of a push service in turn.
func pushAnswered() door {
	return door{try: func(ctx context.Context, _ *hall, f fixture) (string, error) {
		var answers []struct {
			Status  int
			Headers map[string]string
			Body    json.RawMessage
		}
		if err := json.Unmarshal(f.body, &answers); err != nil {
			return "", err
		}
		all := make([]string, len(answers))
		for i, a := range answers {
			header := http.Header{}
			for k, v := range a.Headers {
				header.Set(k, v)
			}
			came, err := answered(ctx, delivertest.Fault{Status: a.Status, Header: header, Body: string(a.Body)})
			if err != nil {
				return "", err
			}
			all[i] = fmt.Sprintf("%d %s", a.Status, came)
		}
		return strings.Join(all, ", "), nil
	}}
}

func answered(ctx context.Context, f delivertest.Fault) (came string, err error) {
	service := delivertest.NewPush()
	defer service.Close()
	c, m, err := sender(service)
	if err != nil {
		return "", err
	}
	service.Fail(func(int, delivertest.Notice) delivertest.Fault { return f })
	_, err = c.Send(ctx, m)
	var e *deliver.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s (%s)", e.Verdict, e.Class), nil
	}
	return "sent", err
}
