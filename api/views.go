package api

import (
	"time"

	"aftercall/conversation"
	"aftercall/internal/store"
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
	Reported   string    `json:"reported,omitempty" doc:"What the provider reported last, afterwards: sent (it has it), delivered or failed."`
	ReportedAt time.Time `json:"reported_at,omitzero"`
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
	Audience       string    `json:"audience" doc:"Whom it is for: all, or person: and a key of the config."`
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

type automationList struct {
	Items []automationRow `json:"items"`
}

type automationRow struct {
	ID          string    `json:"id"`
	Name        string    `json:"name,omitempty"`
	Enabled     bool      `json:"enabled"`
	Evaluated   int       `json:"evaluated" doc:"Calls it was decided for in the last seven days; the next figures are of these."`
	Fired       int       `json:"fired"`
	Unsure      int       `json:"unsure"`
	Held        int       `json:"held" doc:"It fired, and something of it was held."`
	Failed      int       `json:"failed" doc:"It could not be judged, or could not be written out."`
	Marked      int       `json:"marked" doc:"Decisions that people marked in the last four weeks."`
	Wrong       int       `json:"wrong" doc:"Of these, as wrong."`
	LastFiredAt time.Time `json:"last_fired_at,omitzero"`
	Mute        *mute     `json:"mute,omitempty"`
	Breaker     *breaker  `json:"breaker,omitempty" doc:"One that is open, or has left something held."`
}

type breaker struct {
	Open      bool      `json:"open"`
	Fired     int       `json:"fired" doc:"In the hour, or the day, when it opened."`
	Allowed   int       `json:"allowed"`
	OpenedAt  time.Time `json:"opened_at"`
	Until     time.Time `json:"until,omitzero" doc:"It closes by itself then; none: somebody closes it."`
	Held      int       `json:"held" doc:"Messages and tasks that it holds; release or cancel them in bulk, by the reason breaker_open."`
	More      bool      `json:"more,omitempty" doc:"It holds more than that."`
	HeldSince time.Time `json:"held_since,omitzero" doc:"The oldest of them."`
}

type muteList struct {
	Items []mute `json:"items"`
}

type mute struct {
	Automation string    `json:"automation"`
	Until      time.Time `json:"until"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	At         time.Time `json:"at"`
}

type usageList struct {
	Zone  string  `json:"zone" doc:"Whose days these are."`
	Items []usage `json:"items"`
}

type usage struct {
	Day          string `json:"day" doc:"Such as 2026-11-21."`
	Automation   string `json:"automation,omitempty" doc:"None: nobody's in particular. What a call took is split among those that it asked for."`
	Model        string `json:"model"`
	TokensIn     int    `json:"tokens_in"`
	TokensCached int    `json:"tokens_cached" doc:"Part of tokens_in."`
	TokensOut    int    `json:"tokens_out"`
}

type bulkPage struct {
	Items []bulk `json:"items"`
	Next  string `json:"next,omitempty"`
}

type bulk struct {
	ID      string          `json:"id"`
	Request bulkWish        `json:"request"`
	Says    string          `json:"says" doc:"The same in a line."`
	State   store.BulkState `json:"state" words:"bulk_states"`
	Counted int             `json:"counted" doc:"What the filter found when it was asked for."`
	More    bool            `json:"more,omitempty" doc:"It was more than that."`
	Done    int             `json:"done" doc:"Items so far."`
	Refused int             `json:"refused" doc:"Items so far that could not be done, each with its sentence."`
	Failed  int             `json:"failed" doc:"Items so far that something went wrong with; the log has the fault."`
	By      string          `json:"by"`
	AskedAt time.Time       `json:"asked_at"`
	EndedAt time.Time       `json:"ended_at,omitzero"`
	EndedBy string          `json:"ended_by,omitempty" doc:"Who aborted it."`
}

type bulkCount struct {
	Request bulkWish `json:"request" doc:"Start the job with exactly this."`
	Says    string   `json:"says" doc:"The same in a line."`
	Count   int      `json:"count" doc:"What the filter finds now."`
	More    bool     `json:"more,omitempty" doc:"It is more than that."`
}

type bulkItemPage struct {
	Items []bulkItem `json:"items"`
	Next  string     `json:"next,omitempty" doc:"Where the next page begins; a job that runs may have more later."`
}

type bulkItem struct {
	ID             string    `json:"id" doc:"A delivery's; of a replay, a call's."`
	ConversationID string    `json:"conversation_id,omitempty" doc:"None: the call was erased meanwhile."`
	Result         string    `json:"result" words:"bulk_results"`
	Detail         string    `json:"detail,omitempty" doc:"The sentence that refused it."`
	Made           string    `json:"made,omitempty" doc:"The new delivery, or the number of the new run."`
	At             time.Time `json:"at"`
}

type erasurePage struct {
	Items []erasure `json:"items"`
	Next  string    `json:"next,omitempty"`
}

type erasure struct {
	ID            string             `json:"id"`
	State         string             `json:"state" words:"erasure_states" doc:"running: a worker is at it, or will be. open: one of retention or of the command line that goes on, or broke off."`
	Cause         store.ErasureCause `json:"cause" words:"erasure_causes"`
	Found         int                `json:"found,omitempty" doc:"Conversations when a program asked for it."`
	Conversations int                `json:"conversations" doc:"Erased so far."`
	Events        int                `json:"events" doc:"Erased so far of those that belonged to no conversation."`
	By            string             `json:"by,omitempty"`
	BeganAt       time.Time          `json:"began_at"`
	FinishedAt    time.Time          `json:"finished_at,omitzero"`
}

type erasureCount struct {
	Conversations int `json:"conversations"`
	Events        int `json:"events" doc:"Of these. Events of the customer that belong to no call are erased, too; they are looked for then."`
	ModelCalls    int `json:"model_calls"`
	Decisions     int `json:"decisions"`
	Tasks         int `json:"tasks"`
	Deliveries    int `json:"deliveries"`
	GoneOut       int `json:"gone_out" doc:"Deliveries that are with their provider, where they stay."`
	Waiting       int `json:"waiting" doc:"Still to be sent, which will not be."`
	UnderWay      int `json:"under_way" doc:"Being sent at this moment, which is waited for."`
	Searches      int `json:"searches" doc:"That people keep and that name the customer."`
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

type callCancelled struct {
	ConversationID string `json:"conversation_id"`
	Cancelled      int    `json:"cancelled" doc:"Messages that were called off by this."`
	More           bool   `json:"more" doc:"More waits: ask again."`
}

type bulkMade struct {
	BulkID string `json:"bulk_id"`
}

type erasureMade struct {
	ErasureID string `json:"erasure_id"`
}

type taskMade struct {
	TaskID  string `json:"task_id"`
	Version int    `json:"version"`
}
