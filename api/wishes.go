package api

import (
	"time"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/reason"
	"aftercall/tasks"
)

// The bodies of requests.

type replayWish struct {
	Revision ops.Revision `json:"revision" words:"which" doc:"same: by the config it was first decided by; active: by the account's active one."`
	Sandbox  bool         `json:"sandbox,omitempty" doc:"Everything is captured, and no later run takes notice."`
}

type fixWish struct {
	Values map[string]string `json:"values" doc:"By name, such as dyn_when."`
}

type markWish struct {
	Wrong bool   `json:"wrong"`
	Note  string `json:"note,omitempty" doc:"At most 500 characters."`
}

type settleWish struct {
	As store.DeliveryState `json:"as" words:"settled"`
}

type taskWish struct {
	ConversationID string         `json:"conversation_id" doc:"Ours, or the platform's."`
	Title          string         `json:"title" doc:"At most 200 characters."`
	Description    string         `json:"description,omitempty" doc:"At most 5000 characters."`
	Priority       tasks.Priority `json:"priority,omitempty" words:"priorities" doc:"medium, if it is left out."`
	Assignee       string         `json:"assignee,omitempty" doc:"person: or group: and a key of the account's directory."`
	DueAt          time.Time      `json:"due_at,omitzero"`
}

type taskChange struct {
	Version  int            `json:"version" doc:"Of the task as it was read."`
	State    tasks.State    `json:"state,omitempty" words:"task_states"`
	Priority tasks.Priority `json:"priority,omitempty" words:"priorities"`
	Assignee *string        `json:"assignee,omitempty" doc:"An empty one: nobody."`
}

type readWish struct {
	UpTo string `json:"up_to" doc:"The id of the newest alert that was read."`
}

type muteWish struct {
	Until  time.Time `json:"until" doc:"Within 90 days: what is to be silent for good is switched off in its file."`
	Reason string    `json:"reason" doc:"At most 200 characters: whoever looks next wants to know."`
}

type bulkWish struct {
	Action  store.BulkAction `json:"action" words:"bulk_actions"`
	Sandbox bool             `json:"sandbox,omitempty" doc:"Of a replay: everything is captured."`
	Filter  bulkFilter       `json:"filter" doc:"What has to fit, all of it."`
}

type bulkFilter struct {
	Since      time.Time           `json:"since" doc:"Planned at this time or later; a call: accepted."`
	Until      time.Time           `json:"until"`
	Channel    string              `json:"channel,omitempty"`
	State      store.DeliveryState `json:"state,omitempty" words:"delivery_states"`
	Class      string              `json:"class,omitempty" doc:"Of the last attempt's error."`
	Automation string              `json:"automation,omitempty"`
	Reason     reason.Code         `json:"reason,omitempty" doc:"Of the message; of a replay: of a decision."`
	Domain     string              `json:"domain,omitempty" doc:"Of an address they go to."`
}

type erasureWish struct {
	Conversations []string `json:"conversations,omitempty" doc:"Ids, ours or the platform's; at most 200."`
	Customer      string   `json:"customer,omitempty" doc:"Instead: everything of one customer, by a phone number with its country code, in any format, or an e-mail address."`
}
