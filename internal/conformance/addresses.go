package main

import (
	"context"
	"strconv"
	"strings"
	"unicode"

	"aftercall/internal/chaos/corpus"
	"aftercall/recipients"
)

// addresses are e-mail addresses, valid and not.
func addresses() suite {
	return suite{
		name: "isemail", try: tryAddresses,
		how: "Every address is given to `recipients.Email`, which every address passes that a mail is sent to. Addresses that are errors by the corpus, and any with a " +
			"control character, must be refused. All others are valid by some RFC: those that we refuse all the same are listed.",
	}
}

func tryAddresses(_ context.Context, h *hall) (o outcome, err error) {
	rows, err := corpus.Read[struct {
		ID                 int
		Address, Category  string
		Diagnosis, Comment string
	}](h.data.Data("isemail", "tests.json"))
	for _, a := range rows {
		r := row{id: strconv.Itoa(a.ID), detail: a.Diagnosis}
		_, p := recipients.Email(a.Address)
		never := a.Category == "ISEMAIL_ERR" || strings.ContainsFunc(a.Address, unicode.IsControl)
		switch {
		case never && p == nil:
			r.kind, r.wrong = "accepted", true
		case !never && p != nil:
			r.kind = "refused"
		}
		o.add(r)
	}
	return o, err
}
