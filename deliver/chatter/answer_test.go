package chatter_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/chatter"
	"aftercall/deliver/delivertest"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	const expired = `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`
	for name, tt := range map[string]struct {
		status int
		header http.Header
		body   string
		want   deliver.Error
	}{
		"400": {400, nil, `[{"message":"Required fields are missing: [Name]","errorCode":"REQUIRED_FIELD_MISSING","fields":["Name"]}]`,
			deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "Salesforce answers REQUIRED_FIELD_MISSING"}},
		"400, one by itself": {400, nil, `{"message":"no","errorCode":"INVALID_ID_FIELD"}`,
			deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "Salesforce answers INVALID_ID_FIELD"}},
		"400 from something else": {400, nil, `<html>`, deliver.Error{Verdict: deliver.Refused, Class: "bad_request"}},
		"401 again and again": {401, nil, expired,
			deliver.Error{Verdict: deliver.Retry, Class: "session_ended", After: 10 * time.Minute, Detail: "Salesforce ends each session as soon as it has begun"}},
		"401 no REST API": {401, nil, `[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]`,
			deliver.Error{Verdict: deliver.Retry, Class: "auth", After: 10 * time.Minute, Detail: "Salesforce does not let this user use the REST API"}},
		"403 day's limit": {403, nil, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`,
			deliver.Error{Verdict: deliver.Retry, Class: "quota", After: time.Hour, Detail: "the Salesforce organization has made all the requests it may make in a day"}},
		"403": {403, nil, `[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]`,
			deliver.Error{Verdict: deliver.Retry, Class: "forbidden", After: 10 * time.Minute, Detail: "Salesforce does not allow this user to post there"}},
		"404":                 {404, nil, `[{"errorCode":"NOT_FOUND","message":"no"}]`, deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "Salesforce answers NOT_FOUND"}},
		"409":                 {409, nil, `[{"errorCode":"CONFLICT","message":"no"}]`, deliver.Error{Verdict: deliver.Retry, Class: "conflict", Detail: "Salesforce answers CONFLICT"}},
		"503 hour's limit":    {503, nil, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"no"}]`, deliver.Error{Verdict: deliver.Retry, Class: "rate_limited", After: 10 * time.Minute, Detail: "Salesforce answers REQUEST_LIMIT_EXCEEDED"}},
		"503 says when":       {503, http.Header{"Retry-After": {"7"}}, ``, deliver.Error{Verdict: deliver.Retry, Class: "server_error", After: 7 * time.Second}},
		"500":                 {500, nil, `[{"errorCode":"UNKNOWN_EXCEPTION","message":"no"}]`, deliver.Error{Verdict: deliver.Retry, Class: "server_error", Detail: "Salesforce answers UNKNOWN_EXCEPTION"}},
		"502 from a gateway":  {502, nil, `<html>`, deliver.Error{Verdict: deliver.Unknown, Class: "server_error", Detail: "a gateway gave no answer of Salesforce's"}},
		"302 is not followed": {302, http.Header{"Location": {"https://elsewhere.example/"}}, ``, deliver.Error{Verdict: deliver.Retry, Class: "wrong_url", After: 10 * time.Minute, Detail: "Salesforce has another address now"}},
		"200, a page":         {200, nil, `<html>log in`, deliver.Error{Verdict: deliver.Unknown, Class: "protocol", Detail: "the answer is none that Salesforce gives"}},
		"204":                 {204, nil, ``, deliver.Error{Verdict: deliver.Unknown, Class: "protocol", Detail: "the answer is none that Salesforce gives"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			s.Fail(func(int, delivertest.Post) delivertest.Fault {
				return delivertest.Fault{Status: tt.status, Header: tt.header, Body: tt.body}
			})
			_, err := channel(t, s.URL, nil).Send(t.Context(), message(map[string]string{"record": contact}))
			var got *deliver.Error
			if !errors.As(err, &got) {
				t.Fatalf("Send: %v, want a *deliver.Error", err)
			}
			if tt.want.Class != "protocol" {
				tt.want.Status = tt.status
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			want := 1
			if tt.want.Class == "session_ended" {
				want = 2 // a session that has ended is renewed once
			}
			if s.Logins() != want {
				t.Errorf("%d log-ins, want %d", s.Logins(), want)
			}
		})
	}
}

// TestTheLongestPost: the answer repeats the post, and is read whole.
func TestTheLongestPost(t *testing.T) {
	t.Parallel()
	s := server(t)
	m := message(map[string]string{chatter.FieldRecord: contact})
	m.Text = strings.Repeat("<", 10_000)
	r, err := channel(t, s.URL, nil).Send(t.Context(), m)
	if err != nil || r.ProviderID == "" {
		t.Errorf("Send: %v, %v, want a receipt with an id", r, err)
	}
}
