// Package worker is the line itself: River jobs that decide a conversation, deliver its messages and keep the house.
//
// It owns decide.go (one conversation from gates to plan), deliver.go (claim, call, receipt), verdict.go (the only place
// that knows River's answers) and maintenance.go (lease, sweep). Each is a short list of named calls into the rooms below.
//
// It promises the order: written down before it is done, decided once, sent at most once per key. Jobs carry ids, never
// transcripts, names or numbers.
package worker

// DecideArgs asks for a conversation to be decided.
type DecideArgs struct {
	ConversationID string `json:"conversation_id"`
	Run            int    `json:"run"`
}

// Kind names the job.
func (DecideArgs) Kind() string { return "conversation.decide" }

// DeliverArgs asks for the due deliveries of one conversation and channel to be sent.
type DeliverArgs struct {
	ConversationID string `json:"conversation_id"`
	Channel        string `json:"channel"`
}

// Kind names the job.
func (DeliverArgs) Kind() string { return "delivery.send" }
