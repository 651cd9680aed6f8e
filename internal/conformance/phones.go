package main

import (
	"context"
	"fmt"

	"aftercall/internal/chaos/corpus"
	"aftercall/recipients"
)

// phones are phone numbers of every region, valid and not.
func phones() suite {
	return suite{
		name: "phone-numbers", try: tryPhones,
		how: "Every number is given to `recipients.Phone`, which every number passes that is to be written to, twice: with its country code, and as it is dialled " +
			"in its own region. A valid number must come out as the corpus's E.164 form both times; one that is too short or too long, of premium rate or of " +
			"shared cost, must be refused both times. Numbers of no country (region 001) are only tried with their code.",
	}
}

// nowhere is the region of numbers that belong to no country: nobody dials them without their code.
const nowhere = "001"

func tryPhones(_ context.Context, h *hall) (o outcome, err error) {
	type number struct {
		Region, Type, E164 string
		Code               string `json:"country_code"`
		National           string `json:"national_number"`
		Valid              bool
	}
	rows, err := corpus.Read[number](h.data.Data("phone-numbers", "examples.jsonl"))
	for _, n := range rows {
		r := row{id: n.Region + " +" + n.Code + " " + n.Type}
		want := n.E164
		if !n.Valid || n.Type == "premiumRate" || n.Type == "sharedCost" {
			want = ""
		}
		whole, p := recipients.Phone(n.E164, "")
		dialled, q := whole, p
		if n.Region != nowhere {
			dialled, q = recipients.Phone(n.National, n.Region)
		}
		switch {
		case want == "" && (p == nil || q == nil):
			r.kind, r.wrong = "accepted", true
		case want != "" && p != nil:
			r.kind = "refused"
		case want != "" && q != nil:
			r.kind = "refused as dialled"
		case whole != want || dialled != want:
			r.kind, r.wrong = "another number", true
		}
		r.detail = fmt.Sprintf("%q and %q, want %q", whole, dialled, want)
		o.add(r)
	}
	return o, err
}
