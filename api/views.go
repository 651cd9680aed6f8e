package api

import (
	"time"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/tasks"
	"aftercall/triggers"
)

// The bodies of answers. The tag doc becomes the description of a member, words names what may stand there.

type callPage struct {
	Items []call    `json:"items"`
	Next  string    `json:"next,omitempty" doc:"Where the next page begins; none: this is the last."`
	Since time.Time `json:"since,omitzero" doc:"Nothing older was looked for."`
}

type call struct {
	ID             string                  `json:"id" doc:"Ours."`
	ExternalID     string                  `json:"external_id" doc:"The platform's."`
	State          store.ConversationState `json:"state" words:"conversation_states"`
	Agent          string                  `json:"agent"`
	Channel        string                  `json:"channel"`
	Direction      string                  `json:"direction,omitempty"`
	Status         string                  `json:"status"`
	CustomerName   string                  `json:"customer_name,omitempty"`
	CustomerNumber string                  `json:"customer_number,omitempty"`
	StartedAt      time.Time               `json:"started_at"`
	AcceptedAt     time.Time               `json:"accepted_at"`
	Seconds        int                     `json:"seconds" doc:"How long it lasted."`
	Fired          []string                `json:"fired,omitempty" doc:"Automations that fired."`
	Unsure         int                     `json:"unsure" doc:"Decisions that wait for a person."`
	Deliveries     outcomes                `json:"deliveries"`
	Test           bool                    `json:"test,omitempty" doc:"Everything of it is captured."`
	Simulated      bool                    `json:"simulated,omitempty" doc:"The simulated model answered."`
}

type outcomes struct {
	Sent     int `json:"sent"`
	Captured int `json:"captured"`
	Tasks    int `json:"tasks"`
	Alerts   int `json:"alerts"`
	Open     int `json:"open" doc:"Planned, sending or retrying."`
	Held     int `json:"held"`
	Failed   int `json:"failed"`
	Unknown  int `json:"unknown"`
}

type callStory struct {
	ID           string                     `json:"id"`
	State        store.ConversationState    `json:"state" words:"conversation_states"`
	RevisionID   string                     `json:"revision_id" doc:"That it was first decided by."`
	AcceptedAt   time.Time                  `json:"accepted_at"`
	DecidedAt    time.Time                  `json:"decided_at,omitzero"`
	Summary      string                     `json:"summary,omitempty"`
	Simulated    bool                       `json:"simulated,omitempty"`
	Conversation *conversation.Conversation `json:"conversation" ref:"Conversation"`
	Decisions    []decision                 `json:"decisions"`
	Values       []value                    `json:"values"`
	Deliveries   []delivery                 `json:"deliveries"`
	Tasks        []storyTask                `json:"tasks"`
	Runs         []run                      `json:"runs" doc:"Beside the first decision, the newest first."`
	Cut          []string                   `json:"cut,omitempty" doc:"What is longer than is read: there is more of it."`
}

type decisionList struct {
	Items []decision `json:"items"`
}

type decision struct {
	Run        int              `json:"run"`
	Automation string           `json:"automation"`
	Verdict    triggers.Verdict `json:"verdict" words:"verdicts"`
	Reason     string           `json:"reason" doc:"A code; docs/operations/reasons.md explains each."`
	Detail     string           `json:"detail,omitempty"`
	Evidence   []evidence       `json:"evidence,omitempty"`
	Review     bool             `json:"review,omitempty" doc:"A person should look."`
	DecidedAt  time.Time        `json:"decided_at"`
	Settled    *settled         `json:"settled,omitempty"`
	Mark       *marked          `json:"mark,omitempty"`
}

type evidence struct {
	Turn  int    `json:"turn" doc:"From 1; 0: none."`
	Quote string `json:"quote"`
}

type settled struct {
	As  string    `json:"as"`
	Run int       `json:"run,omitempty" doc:"The run that took over."`
	By  string    `json:"by"`
	At  time.Time `json:"at"`
}

type marked struct {
	Wrong bool      `json:"wrong"`
	Note  string    `json:"note,omitempty"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

type value struct {
	Run     int    `json:"run"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Value   string `json:"value,omitempty"`
	Problem string `json:"problem,omitempty"`
}

type run struct {
	Run        int            `json:"run"`
	Cause      store.RunCause `json:"cause" words:"run_causes"`
	OfRun      int            `json:"of_run"`
	Automation string         `json:"automation,omitempty" doc:"None: all of them."`
	Sandbox    bool           `json:"sandbox,omitempty"`
	RevisionID string         `json:"revision_id"`
	State      store.RunState `json:"state" words:"run_states"`
	Problem    string         `json:"problem,omitempty"`
	By         string         `json:"by"`
	AskedAt    time.Time      `json:"asked_at"`
	DoneAt     time.Time      `json:"done_at,omitzero"`
}

type deliveryPage struct {
	Items []delivery `json:"items"`
	Next  string     `json:"next,omitempty"`
	Since time.Time  `json:"since,omitzero" doc:"Nothing older was looked for."`
}

type delivery struct {
	ID             string              `json:"id"`
	ConversationID string              `json:"conversation_id"`
	Run            int                 `json:"run"`
	Automation     string              `json:"automation"`
	Channel        string              `json:"channel"`
	Recipient      string              `json:"recipient" doc:"A key of the directory, not an address."`
	Address        string              `json:"address,omitempty" doc:"Where it went, if it did."`
	Customer       bool                `json:"customer,omitempty"`
	State          store.DeliveryState `json:"state" words:"delivery_states"`
	Reason         string              `json:"reason,omitempty"`
	Detail         string              `json:"detail,omitempty"`
	Attempts       int                 `json:"attempts"`
	Provider       string              `json:"provider,omitempty"`
	Test           bool                `json:"test,omitempty"`
	DueAt          time.Time           `json:"due_at,omitzero"`
	CreatedAt      time.Time           `json:"created_at"`
	UpdatedAt      time.Time           `json:"updated_at"`
}

type deliveryStory struct {
	Delivery   delivery  `json:"delivery"`
	ProviderID string    `json:"provider_id,omitempty" doc:"The provider's id of the message."`
	ResendOf   string    `json:"resend_of,omitempty" doc:"The delivery that it was sent again for."`
	Message    message   `json:"message"`
	Attempts   []attempt `json:"attempts"`
	Settled    []settled `json:"settled" doc:"What people did, in order."`
}

type message struct {
	Subject string            `json:"subject,omitempty"`
	Text    string            `json:"text,omitempty"`
	HTML    string            `json:"html,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	To      []string          `json:"to" doc:"Keys of the directory."`
	CC      []string          `json:"cc,omitempty"`
}

type attempt struct {
	Attempt    int                 `json:"attempt"`
	State      store.DeliveryState `json:"state" words:"delivery_states"`
	Class      string              `json:"class,omitempty" doc:"Of its error."`
	Detail     string              `json:"detail,omitempty"`
	Status     int                 `json:"status,omitempty" doc:"That the provider answered with."`
	StartedAt  time.Time           `json:"started_at,omitzero"`
	FinishedAt time.Time           `json:"finished_at,omitzero"`
}

type storyTask struct {
	Run        int            `json:"run"`
	ID         string         `json:"id"`
	Automation string         `json:"automation,omitempty" doc:"None: a program wrote it."`
	Title      string         `json:"title"`
	Priority   tasks.Priority `json:"priority" words:"priorities"`
	Assignee   string         `json:"assignee,omitempty"`
	DueAt      time.Time      `json:"due_at,omitzero"`
	State      tasks.State    `json:"state" words:"task_states"`
}

type taskPage struct {
	Items []task `json:"items"`
	Next  string `json:"next,omitempty"`
}

type task struct {
	ID             string         `json:"id"`
	ConversationID string         `json:"conversation_id"`
	Automation     string         `json:"automation,omitempty" doc:"None: a program wrote it."`
	Title          string         `json:"title"`
	Description    string         `json:"description,omitempty"`
	Priority       tasks.Priority `json:"priority" words:"priorities"`
	Assignee       string         `json:"assignee,omitempty" doc:"A person's or group's key; none: nobody yet."`
	DueAt          time.Time      `json:"due_at,omitzero"`
	State          tasks.State    `json:"state" words:"task_states"`
	Version        int            `json:"version" doc:"Counts changes; send it with the next one."`
	ChangedBy      string         `json:"changed_by,omitempty"`
	CreatedAt      time.Time      `json:"created_at"`
	UpdatedAt      time.Time      `json:"updated_at"`
	CustomerName   string         `json:"customer_name,omitempty"`
	CustomerNumber string         `json:"customer_number,omitempty"`
}

type alertPage struct {
	Items []alert `json:"items"`
	Next  string  `json:"next,omitempty"`
}

type alert struct {
	ID             string    `json:"id"`
	ConversationID string    `json:"conversation_id"`
	DeliveryID     string    `json:"delivery_id"`
	Automation     string    `json:"automation"`
	Audience       string    `json:"audience" doc:"all, or a person's key."`
	Text           string    `json:"text"`
	Read           bool      `json:"read"`
	CreatedAt      time.Time `json:"created_at"`
}

type reviewPage struct {
	Items []review `json:"items"`
	Next  string   `json:"next,omitempty"`
}

type review struct {
	ConversationID string     `json:"conversation_id"`
	Decision       decision   `json:"decision"`
	Unsure         bool       `json:"unsure,omitempty" doc:"The decision itself waits."`
	Held           []delivery `json:"held" doc:"Messages that wait."`
	CustomerName   string     `json:"customer_name,omitempty"`
	CustomerNumber string     `json:"customer_number,omitempty"`
	StartedAt      time.Time  `json:"started_at"`
}

type revisionPage struct {
	Items []revision `json:"items"`
	Next  string     `json:"next,omitempty"`
}

type revision struct {
	ID          string    `json:"id"`
	Digest      string    `json:"digest" doc:"Of its files."`
	Message     string    `json:"message,omitempty"`
	GitSHA      string    `json:"git_sha,omitempty"`
	Format      int       `json:"format"`
	Origin      string    `json:"origin" doc:"The door it came in by."`
	CreatedBy   string    `json:"created_by,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	Active      bool      `json:"active"`
	ActivatedAt time.Time `json:"activated_at,omitzero" doc:"The last time."`
	ActivatedBy string    `json:"activated_by,omitempty"`
}

type revisionStory struct {
	ID        string            `json:"id"`
	Digest    string            `json:"digest"`
	Message   string            `json:"message,omitempty"`
	GitSHA    string            `json:"git_sha,omitempty"`
	Format    int               `json:"format"`
	CreatedAt time.Time         `json:"created_at"`
	Files     map[string]string `json:"files" doc:"By path; secrets stand there by name only."`
}

type rehearsal struct {
	RevisionID string     `json:"revision_id"`
	Digest     string     `json:"digest"`
	Open       bool       `json:"open,omitempty" doc:"A model would have to be asked first, and this process asks none: what it would decide is not known."`
	Decisions  []foreseen `json:"decisions"`
	Messages   []foretold `json:"messages"`
}

type foreseen struct {
	Automation string           `json:"automation"`
	Verdict    triggers.Verdict `json:"verdict" words:"verdicts"`
	Before     triggers.Verdict `json:"before,omitempty" words:"verdicts"`
	Reason     string           `json:"reason"`
}

type foretold struct {
	Automation string              `json:"automation"`
	Channel    string              `json:"channel"`
	Recipient  string              `json:"recipient"`
	State      store.DeliveryState `json:"state" words:"delivery_states" doc:"That it would be planned in."`
	Reason     string              `json:"reason,omitempty" doc:"sent_before: it does not go out again."`
	Message    message             `json:"message"`
}

// What was done is answered with ids: such an answer is kept for a day, for whoever asks again.

type done struct {
	Done bool `json:"done"`
}

type runMade struct {
	ConversationID string `json:"conversation_id"`
	Run            int    `json:"run"`
}

type deliveryMade struct {
	DeliveryID string `json:"delivery_id"`
}

type taskMade struct {
	TaskID  string `json:"task_id"`
	Version int    `json:"version"`
}

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
