package dashboard

import (
	"fmt"
	"strconv"
	"strings"

	"aftercall/internal/store"
)

// queuedView is one job of the queue.
type queuedView struct {
	Name, Queue, Tries   string
	State                badge
	Due, Begun, Finished moment
	Fault                string // how its last attempt failed
	Path                 string // on River's own page; "" for a reader who may not see that
}

// jobs lists the queue's jobs.
func (l ledger) jobs(js []store.StoryJob, queue bool) []queuedView {
	var out []queuedView
	for _, j := range js {
		v := queuedView{Name: jobName(j), Queue: j.Queue, Tries: fmt.Sprintf("%d of %d", j.Attempt, j.MaxAttempts), State: jobBadge(j.State),
			Due: at(j.ScheduledAt, l.zone), Begun: at(j.AttemptedAt, l.zone), Finished: at(j.FinishedAt, l.zone), Fault: firstLine(j.Fault)}
		if queue {
			v.Path = queuePrefix + "/jobs/" + strconv.FormatInt(j.ID, 10)
		}
		out = append(out, v)
	}
	return out
}

// jobName says what a job does.
func jobName(j store.StoryJob) string {
	switch {
	case j.Kind == "conversation.decide" && j.Run > 1:
		return fmt.Sprintf("Decide, run %d", j.Run)
	case j.Kind == "conversation.decide":
		return "Decide"
	case j.Channel != "":
		return "Send, " + strings.ToLower(channelWord(j.Channel))
	}
	return words(j.Kind)
}

func jobBadge(state string) badge {
	switch state {
	case "completed":
		return badge{state, "check", "good"}
	case "running":
		return badge{state, "clock", "info"}
	case "retryable":
		return badge{"to be tried again", "again", "warn"}
	case "discarded", "cancelled":
		return badge{state, "cross", "bad"}
	}
	return badge{words(state), "clock", "info"}
}

func maskJobs(js []store.StoryJob) {
	for i := range js {
		maskTexts(&js[i].Fault)
	}
}
