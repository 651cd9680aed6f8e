package chatter

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// Classes of errors, as recorded and grouped.
const (
	classBadMessage  = "bad_message" // ours: it never left
	classNobody      = "no_such_name"
	classAmbiguous   = "ambiguous_name"
	classEnded       = "session_ended"
	classAuth        = "auth"
	classForbidden   = "forbidden"
	classQuota       = "quota"
	classRateLimited = "rate_limited"
	classBadRequest  = "bad_request"
	classTooLarge    = "too_large"
	classConflict    = "conflict"
	classServer      = "server_error"
	classWrongURL    = "wrong_url"
	classProtocol    = "protocol"
)

// While an operator mends a key or a permission, posts wait instead of failing.
const (
	afterOperator = 10 * time.Minute
	afterQuota    = time.Hour
)

// posted turns the answer to a post into a receipt or an error. A page where somebody logs in is 200, too.
func (c *Channel) posted(res *http.Response) (deliver.Receipt, *deliver.Error) {
	created := res.StatusCode == http.StatusCreated
	if !created && res.StatusCode != http.StatusOK {
		return deliver.Receipt{}, c.judge(res)
	}
	r := deliver.Receipt{Provider: Provider}
	var answer struct{ ID string }
	if json.NewDecoder(res.Body).Decode(&answer) == nil && salesforceID.MatchString(answer.ID) {
		r.ProviderID = answer.ID
	}
	if !created && r.ProviderID == "" {
		return deliver.Receipt{}, odd()
	}
	return r, nil
}

// judge is the table of Salesforce's answers (design of the wire protocols, C4). A 500 rolls back what was begun. A 502 or
// 504 comes from what stands before Salesforce and says nothing about what stands behind.
func (c *Channel) judge(res *http.Response) *deliver.Error {
	f := faultOf(res)
	e := &deliver.Error{Verdict: deliver.Retry, Status: res.StatusCode, After: wire.After(res.Header, c.now())}
	operator := max(e.After, afterOperator)
	switch status := res.StatusCode; {
	case status == http.StatusUnauthorized && strings.Contains(f.Message, "not valid for use with the REST API"):
		e.Class, e.After, e.Detail = classAuth, operator, "Salesforce does not let this user use the REST API"
	case status == http.StatusUnauthorized:
		e.Class, e.After, e.Detail = classEnded, operator, "Salesforce ends each session as soon as it has begun"
	case f.Code == "REQUEST_LIMIT_EXCEEDED" && status == http.StatusForbidden:
		e.Class, e.After, e.Detail = classQuota, max(e.After, afterQuota), "the Salesforce organization has made all the requests it may make in a day"
	case f.Code == "REQUEST_LIMIT_EXCEEDED", status == http.StatusTooManyRequests:
		e.Class, e.After = classRateLimited, operator
	case status == http.StatusForbidden:
		e.Class, e.After, e.Detail = classForbidden, operator, "Salesforce does not allow this user to post there"
	case status == http.StatusConflict:
		e.Class = classConflict
	case status == http.StatusRequestTimeout, status == http.StatusInternalServerError, status == http.StatusServiceUnavailable:
		e.Class = classServer
	case status >= 500:
		e.Verdict, e.Class, e.Detail = deliver.Unknown, classServer, "a gateway gave no answer of Salesforce's"
	case status >= 400:
		e.Verdict, e.Class, e.After = deliver.Refused, classBadRequest, 0
	case status >= 300:
		e.Class, e.After, e.Detail = classWrongURL, operator, "Salesforce has another address now"
	default:
		return odd()
	}
	return f.explain(e)
}

// fault is the first of an answer's errors.
type fault struct {
	Code    string `json:"errorCode"`
	Message string // may quote the post: it is compared, never kept
}

// faultOf reads an answer's errors: a list, in rare cases one by itself, or a page of something in between.
func faultOf(res *http.Response) (f fault) {
	var raw json.RawMessage
	var list []fault
	if json.NewDecoder(res.Body).Decode(&raw) != nil {
		return f
	}
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0]
	}
	_ = json.Unmarshal(raw, &f)
	return f
}

// errorCode is how Salesforce's own words for errors look; anything else in their place is not kept.
var errorCode = regexp.MustCompile(`^[A-Z][A-Z_]{2,60}$`)

func (f fault) explain(e *deliver.Error) *deliver.Error {
	if e.Detail == "" && errorCode.MatchString(f.Code) {
		e.Detail = "Salesforce answers " + f.Code
	}
	return e
}

// odd is an answer that Salesforce does not give.
func odd() *deliver.Error {
	return &deliver.Error{Verdict: deliver.Unknown, Class: classProtocol, Detail: "the answer is none that Salesforce gives"}
}

func refused(class, detail string) *deliver.Error {
	return &deliver.Error{Verdict: deliver.Refused, Class: class, Detail: detail}
}
