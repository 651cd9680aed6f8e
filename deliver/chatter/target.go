package chatter

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// kind is what a target is, in the words of whoever reads an error.
type kind string

const (
	aRecord kind = "record"
	aUser   kind = "user"
	aGroup  kind = "group"
)

// target is whom a post is for, or who is mentioned: an id, or a name that Salesforce is asked about.
type target struct {
	kind  kind
	value string
}

// salesforceID is how an id looks: 15 characters, or 18 with the three that tell upper case from lower.
var salesforceID = regexp.MustCompile(`^[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?$`)

// isID reports whether the target says its id. Users' and groups' begin with what they are, so that a name is hardly taken
// for one.
func (t target) isID() bool {
	prefix := map[kind]string{aUser: "005", aGroup: "0F9"}[t.kind]
	return strings.HasPrefix(t.value, prefix) && salesforceID.MatchString(t.value)
}

// subjectOf reads whom a message is for: the one of its fields that says so, else the one person it goes to.
func subjectOf(m deliver.Message) (target, *deliver.Error) {
	var found []target
	for _, f := range []struct {
		name string
		kind kind
		id   bool
	}{
		{FieldRecord, aRecord, true}, {FieldUser, aUser, false}, {FieldUserID, aUser, true}, {FieldGroup, aGroup, false}, {FieldGroupID, aGroup, true},
	} {
		v := strings.TrimSpace(m.Fields[f.name])
		if v == "" {
			continue
		}
		t := target{f.kind, v}
		if f.id && !t.isID() {
			return t, bad("this is not the id of a " + string(f.kind) + " of Salesforce")
		}
		found = append(found, t)
	}
	for _, a := range m.To {
		found = append(found, target{aUser, a.Address})
	}
	if len(found) != 1 {
		return target{}, bad("a post is for exactly one record, user or group")
	}
	return found[0], nil
}

// keptNames bounds what is remembered of names, keptFor for how long: somebody who has left is soon not found any more.
const (
	keptNames = 1000
	keptFor   = 10 * time.Minute
)

// names remembers whose a name is.
type names struct {
	mu   sync.Mutex
	byID map[target]found
}

type found struct {
	id    string
	until time.Time
}

func (n *names) known(t target, now time.Time) (id string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f, ok := n.byID[t]
	return f.id, ok && now.Before(f.until)
}

func (n *names) keep(t target, id string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.byID) >= keptNames {
		clear(n.byID)
	}
	n.byID[t] = found{id, now.Add(keptFor)}
}

// find gives a target's id. A name that nobody has, or several have, is the author's to put right.
func (c *Channel) find(ctx context.Context, s *session, t target) (string, *deliver.Error) {
	if t.isID() {
		return t.value, nil
	}
	if id, ok := c.names.known(t, c.now()); ok {
		return id, nil
	}
	ids, no := c.query(ctx, s, t)
	if no != nil {
		return "", no
	}
	switch len(ids) {
	case 0:
		return "", refused(classNobody, "Salesforce has no active "+string(t.kind)+" of this name")
	case 1:
		c.names.keep(t, ids[0], c.now())
		return ids[0], nil
	}
	return "", refused(classAmbiguous, "Salesforce has several "+string(t.kind)+"s of this name ("+strings.Join(ids, ", ")+"); name one by its id")
}

// shown is how many of those that have the same name an error lists.
const shown = 5

// soql is the query for a name. SOQL has no parameters: the name is quoted, and what could end the quotation is escaped.
// A username belongs to one user only, so it helps where two have the same name.
func (t target) soql() string {
	name := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(t.value) + "'"
	if t.kind == aGroup {
		return "SELECT Id FROM CollaborationGroup WHERE Name = " + name + " AND IsArchived = false ORDER BY Id LIMIT 5"
	}
	return "SELECT Id FROM User WHERE (Name = " + name + " OR Username = " + name + ") AND IsActive = true ORDER BY Id LIMIT 5"
}

// query asks Salesforce who has a name. Asking changes nothing, so that whatever goes wrong may be tried again.
func (c *Channel) query(ctx context.Context, s *session, t target) ([]string, *deliver.Error) {
	if len(t.value) > 255 || strings.ContainsFunc(t.value, unicode.IsControl) {
		return nil, bad("this is not the name of a " + string(t.kind))
	}
	var far wire.Progress
	r, err := http.NewRequestWithContext(far.Trace(ctx), http.MethodGet, s.instance+api+"/query?"+url.Values{"q": {t.soql()}}.Encode(), nil)
	if err != nil {
		return nil, bad("the request cannot be made")
	}
	s.sign(r)
	res, err := c.http.Do(r)
	if err != nil {
		return nil, unposted(far.Verdict(ctx, err))
	}
	if res.StatusCode != http.StatusOK {
		return nil, unposted(c.judge(res))
	}
	var answer struct{ Records []struct{ ID string } }
	if json.NewDecoder(res.Body).Decode(&answer) != nil || answer.Records == nil {
		return nil, unposted(odd())
	}
	var ids []string
	for _, one := range answer.Records[:min(shown, len(answer.Records))] {
		if !(target{t.kind, one.ID}).isID() {
			return nil, unposted(odd())
		}
		ids = append(ids, one.ID)
	}
	return ids, nil
}

// unposted is an error before the post was made: what is in doubt about the question is no doubt about the post.
func unposted(e *deliver.Error) *deliver.Error {
	if e.Verdict == deliver.Unknown {
		e.Verdict, e.Detail = deliver.Retry, "Salesforce did not say whose the name is"
	}
	return e
}
