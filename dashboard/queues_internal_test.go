package dashboard

import (
	"time"

	"aftercall/internal/store"
	"aftercall/worker"
)

// queuePages lays out the page of the queue.
func queuePages(text func(string) string) map[string]answer {
	sums := []store.QueueSum{
		{Queue: worker.QueueDecide, Waiting: 10_000, Running: 8, PutOff: 3, Retrying: 2, GivenUp: 1, Oldest: 12 * time.Minute, Faults: []store.QueueFault{
			{Kind: text("conversation.decide"), Jobs: 2, Attempts: 4, LastAt: began}, {Kind: "conversation.decide", GivenUp: true, Jobs: 1, Attempts: 25, LastAt: began}}},
		{Queue: "deliver_email"}, {Queue: text("deliver_fax")},
	}
	page := func(v queuesView) answer {
		return answer{Template: "queues", Title: "Queue", Section: "queue", View: v}
	}
	return map[string]answer{"queue": page(queuesOf(sums, map[string]time.Time{worker.QueueDecide: began, "deliver_email": {}})), "queue, nothing known": page(queuesView{Jobs: queuePrefix + "/", Log: logPath})}
}
