package sms

import (
	"encoding/json"
	"net/http"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// answer is what is to be concluded from one of Twilio's error codes.
type answer struct {
	verdict deliver.Verdict
	class   string
	after   time.Duration
	detail  string
}

// answers is the table of the codes that the Messages API gives (design of the wire protocols, C3). What the operator has
// to mend waits; what is wrong with the message or the recipient is final.
func answers() map[int]answer {
	return map[int]answer{
		20003: {deliver.Retry, classAuth, afterOperator, "Twilio does not accept the account and its auth token"},
		70004: {deliver.Retry, classForbidden, afterOperator, "the Twilio key may not send messages"},
		20404: {deliver.Refused, classWrongURL, 0, "there is no Messages API of this account at the configured base URL"},
		20429: {deliver.Retry, classRateLimited, 0, ""},
		21211: {deliver.Refused, classBadNumber, 0, "Twilio says that the recipient's number is not a valid one"},
		21217: {deliver.Refused, classBadNumber, 0, "Twilio says that the recipient's number is not a valid one"},
		21614: {deliver.Refused, classBadNumber, 0, "Twilio says that the recipient's number takes no texts"},
		21265: {deliver.Refused, classBadNumber, 0, "Twilio says that the recipient's number is a short code, which takes no texts"},
		21408: {deliver.Retry, classForbidden, afterOperator, "the Twilio account may not send to this country"},
		21212: {deliver.Retry, classSender, afterOperator, "Twilio does not know the sender's number as one of the account's"},
		21603: {deliver.Retry, classSender, afterOperator, "Twilio wants a sender"},
		21606: {deliver.Retry, classSender, afterOperator, "Twilio does not know the sender's number as one of the account's that sends texts"},
		21612: {deliver.Refused, classBadNumber, 0, "Twilio has no way from this sender to the recipient"},
		21610: {deliver.Refused, deliver.ClassOptedOut, 0, "Twilio says that the recipient has opted out"},
		21611: {deliver.Retry, classRateLimited, time.Minute, "the sender's queue at Twilio is full"},
		21617: {deliver.Refused, classTooLong, 0, "Twilio says that the text is too long"},
		21609: {deliver.Refused, classBadRequest, 0, "Twilio cannot reach AFTERCALL_PUBLIC_URL, or takes it for no address"},
	}
}

// judge turns an answer that is no receipt into an error. Twilio's own sentences may quote a number, so only the code is
// read of them.
func judge(res *http.Response, now time.Time) *deliver.Error {
	var body struct {
		Code int `json:"code"`
	}
	_ = json.NewDecoder(res.Body).Decode(&body) // a gateway in between answers with a page of its own
	e := byStatus(res.StatusCode)
	if a, known := answers()[body.Code]; known && res.StatusCode >= 400 && res.StatusCode < 500 {
		e = deliver.Error{Verdict: a.verdict, Class: a.class, After: a.after, Detail: a.detail}
	}
	e.Status = res.StatusCode
	if e.Verdict == deliver.Retry {
		e.After = max(e.After, wire.After(res.Header, now))
	}
	return &e
}

// byStatus judges an answer without a known code. A 5xx means that the message was not taken.
func byStatus(status int) deliver.Error {
	switch {
	case status == http.StatusUnauthorized:
		return deliver.Error{Verdict: deliver.Retry, Class: classAuth, After: afterOperator, Detail: "Twilio does not accept the account and its auth token"}
	case status == http.StatusForbidden:
		return deliver.Error{Verdict: deliver.Retry, Class: classForbidden, After: afterOperator, Detail: "Twilio does not allow this account to send"}
	case status == http.StatusTooManyRequests:
		return deliver.Error{Verdict: deliver.Retry, Class: classRateLimited}
	case status == http.StatusRequestTimeout, status >= 500:
		return deliver.Error{Verdict: deliver.Retry, Class: classServer}
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status >= 300 && status < 400:
		return deliver.Error{Verdict: deliver.Refused, Class: classWrongURL, Detail: "there is no Messages API of this account at the configured base URL"}
	case status < 300:
		return deliver.Error{Verdict: deliver.Unknown, Class: classProtocol, Detail: "the answer is none that Twilio gives"}
	}
	return deliver.Error{Verdict: deliver.Refused, Class: classBadRequest}
}
