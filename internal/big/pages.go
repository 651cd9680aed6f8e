package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// page is one page of the dashboard, or one way to ask for it.
type page struct {
	name string
	most time.Duration // the goal for 95 of 100 views
	path func(call) string
}

// call is a call of the quarter, by which pages are asked for. Each view is about another.
type call struct{ id, account, external, number, email, captured string }

// The goals of issue 6.
const (
	ofList   = 150 * time.Millisecond
	ofCall   = 100 * time.Millisecond
	ofSearch = 100 * time.Millisecond
)

// pages are all there are. A page that is new gets a line here.
func pages() []page {
	all := []page{fixed("overview", "/")}
	all = append(all, lists()...)
	all = append(all, searches()...)
	all = append(all, work()...)
	return append(all,
		page{"conversation", ofCall, func(c call) string { return "/conversations/" + c.id }},
		fixed("captured messages", "/captured"),
		page{"captured messages, far back", ofList, func(c call) string { return "/captured?before=" + c.captured }},
		fixed("captured messages, of a channel", "/captured?channel=sms"),
		page{"captured message", ofCall, func(c call) string { return "/captured/" + c.captured }},
		fixed("settings: sources", "/settings"),
		fixed("settings: channels", "/settings/channels"),
		fixed("settings: people", "/settings/people"),
		fixed("settings: audit log", "/settings/log"),
	)
}

func fixed(name, path string) page { return page{name, ofList, func(call) string { return path }} }

func listed(name string, most time.Duration, query func(call) url.Values) page {
	return page{name, most, func(c call) string { return "/conversations?" + query(c).Encode() }}
}

// lists are the ways to narrow the list of conversations: by default to a day, and here to all there are, so that what is rare
// has to be found among a million.
func lists() []page {
	all := []page{
		fixed("conversations", "/conversations"),
		listed("conversations, of an account", ofList, func(c call) url.Values { return url.Values{"account": {c.account}} }),
		listed("conversations, far back", ofList, func(c call) url.Values { return url.Values{"q": {"after:any"}, "before": {c.id}} }),
		{"conversations, how many are new", ofList, func(c call) string { return "/news/conversations?above=" + c.id }},
	}
	for _, q := range []string{"automation:customer-complaint", "outcome:failed", "outcome:held", "outcome:unsure", "outcome:unknown", "outcome:fired", "agent:agent-7",
		"agent:nobody", "channel:chat", "state:waiting", "automation:billing-inquiry outcome:failed"} {
		all = append(all, listed("conversations, "+q+" after:any", ofList, func(call) url.Values { return url.Values{"q": {q + " after:any"}} }))
	}
	return all
}

// work are the pages on which people work through what there is.
func work() []page {
	return []page{
		fixed("deliveries", "/deliveries"),
		fixed("deliveries, all that failed", "/deliveries?state=failed&after=any"),
		fixed("deliveries, to a domain", "/deliveries?domain=clinic.example&after=any"),
		fixed("deliveries, to a domain that is not there", "/deliveries?domain=nowhere.example&after=any"),
		fixed("deliveries, of a channel and a class", "/deliveries?channel=email&class=refused&after=any"),
		fixed("needs review", "/review"),
		fixed("tasks", "/tasks"),
		fixed("tasks, done", "/tasks?state=done"),
		fixed("team alerts", "/alerts"),
		fixed("automations", "/automations"),
		{"automation", ofList, func(c call) string { return "/automations/" + c.account + "/callback-requested" }},
		fixed("usage", "/usage"),
		fixed("bulk jobs", "/bulk"),
		fixed("config", "/config"),
		fixed("activations", "/config/activations"),
		fixed("queue", "/queue"),
	}
}

// searches are the ways to find a call by something of it.
func searches() (all []page) {
	for _, s := range []struct {
		what string
		by   func(call) string
	}{
		{"phone number", func(c call) string { return c.number }},
		{"number without its country", func(c call) string { return "0" + strings.TrimPrefix(c.number, "+999") }},
		{"e-mail", func(c call) string { return c.email }},
		{"our id", func(c call) string { return c.id }},
		{"the platform's id", func(c call) string { return c.external }},
		{"what is not there", func(c call) string { return "none-" + c.external }},
	} {
		all = append(all, listed("search by "+s.what, ofSearch, func(c call) url.Values { return url.Values{"q": {s.by(c)}} }))
	}
	return all
}

// chosen are the pages whose names have a text in them.
func chosen(only string) ([]page, error) {
	var some []page
	for _, p := range pages() {
		if strings.Contains(p.name, only) {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("no page has %q in its name", only)
	}
	return some, nil
}
