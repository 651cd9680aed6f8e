package main

import (
	"strings"

	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/internal/store"
)

// whom says who a delivery goes to: the address where one is known, else its recipient's key as a reader would say it.
func whom(x store.StoryDelivery) string {
	key := x.Recipient
	switch _, name, cut := strings.Cut(key, ":"); {
	case key == "all": // its address is no more than the same word
		return "everybody"
	case x.Address != "":
		key = x.Address
	case key == "" || key == "-":
		return "nobody"
	case key == "together" || name == "together":
		return "several people together"
	case strings.HasPrefix(key, "contact:"):
		return "the customer"
	case cut:
		key = name
	}
	return plain(key)
}

// outcome says what became of a delivery, in the word for what it is: a task is written, an alert is posted, and what was
// captured went nowhere. Everything else is said by its state.
func outcome(x store.StoryDelivery) string {
	switch {
	case x.State != store.Sent:
		return string(x.State)
	case x.Provider == capture.Provider:
		return "captured"
	case x.Channel == deliver.Task:
		return "written"
	case x.Channel == deliver.TeamAlert:
		return "posted"
	}
	return string(x.State)
}
