package api

import (
	"net/http"

	"aftercall/internal/openapi"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/tasks"
	"aftercall/triggers"
)

// routes is the table of everything that is answered here: what is not in it is neither answered nor described.
func routes() []route {
	var all []route
	for _, some := range [][]route{callRoutes(), reviewRoutes(), rehearsalRoutes(), deliveryRoutes(), capturedRoutes(), taskRoutes(), alertRoutes(), softphoneRoutes(), revisionRoutes(),
		automationRoutes(), bulkRoutes(), erasureRoutes()} {
		all = append(all, some...)
	}
	return all
}

// Words are what may stand in those members of bodies that have a tag words of that name.
func Words() map[string][]string {
	return map[string][]string{
		"conversation_states": words(store.ConversationStates()),
		"delivery_states":     words(store.DeliveryStates()),
		"verdicts":            words([]triggers.Verdict{triggers.Fires, triggers.No, triggers.Unsure, triggers.Skipped, triggers.Waiting}),
		"task_states":         words(tasks.States()),
		"priorities":          words(tasks.Priorities()),
		"run_causes":          words([]store.RunCause{store.CauseReplay, store.CauseFix, store.CauseApprove}),
		"run_states":          words([]store.RunState{store.RunAsked, store.RunDone, store.RunFailed}),
		"which":               words([]ops.Revision{ops.Same, ops.Active}),
		"bulk_actions":        words(store.BulkActions()),
		"bulk_states":         words([]store.BulkState{store.BulkRunning, store.BulkEnded, store.BulkAborted}),
		"bulk_results":        {store.BulkDone, store.BulkRefused, store.BulkFailed},
		"erasure_states":      {"running", "open", "done"},
		"erasure_causes":      words([]store.ErasureCause{store.CauseConversation, store.CauseCustomer, store.CauseRetention}),
		"settled":             words([]store.DeliveryState{store.Sent, store.Failed}),
	}
}

func words[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(w)
	}
	return out
}

// page are the parameters of every list.
func page(cursor string) []openapi.Param {
	return []openapi.Param{
		{Name: cursor, In: "query", Says: "The next of the page before; left out: the first page."},
		{Name: "limit", In: "query", Number: true, Says: "How many at most; 50 if it is left out, never more than 200."},
	}
}

// window are the parameters of a list of what came when.
func window(of string) []openapi.Param {
	return []openapi.Param{
		{Name: "since", In: "query", Time: true, Says: of + " at this time or later; left out, and with no search: in the last 24 hours."},
		{Name: "until", In: "query", Time: true, Says: of + " before this time."},
	}
}

func text(name, says string) openapi.Param { return openapi.Param{Name: name, In: "query", Says: says} }

func oneOf[T ~string](name, says string, all []T) openapi.Param {
	return openapi.Param{Name: name, In: "query", Says: says, Words: words(all)}
}

func join(lists ...[]openapi.Param) (all []openapi.Param) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func callRoutes() []route {
	about := "An id is ours, or the platform's; of several calls with the platform's id it is the newest."
	return []route{
		{scope: store.ScopeRead, serve: listCalls, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/conversations", ID: "listConversations", Tag: "conversations",
			Summary: "Calls, the last accepted first", Description: "A page may have fewer rows than were asked for, or none, and a next one all the same.",
			Params: join([]openapi.Param{
				text("search", "One exact thing: an id of ours or the platform's, a delivery's, a provider's id of a message, a phone number in any format, an e-mail address, an automation that fired."),
				text("automation", "An automation that fired; with an outcome, what the outcome is about."),
				oneOf("outcome", "What became of them.", store.ConversationOutcomes()),
				oneOf("state", "Where they stand.", store.ConversationStates()),
				text("agent", "An agent's id or name."), text("channel", "phone, web, chat, sms or test."),
			}, window("Accepted"), page("before")),
			Answer: openapi.Answer{Says: "A page of calls.", Body: callPage{}}}},
		{scope: store.ScopeRead, serve: oneCall, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/conversations/{id}", ID: "readConversation", Tag: "conversations",
			Summary: "Everything about one call", Description: about,
			Answer: openapi.Answer{Says: "The call, what was decided and what became of it. The texts of messages are read one by one.", Body: callStory{}}, Fails: []int{404}}},
		{scope: store.ScopeRead, serve: callDecisions, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/conversations/{id}/decisions", ID: "listDecisions", Tag: "decisions",
			Summary: "Why each automation fired or did not, the last run first", Description: about,
			Answer: openapi.Answer{Says: "All decisions of the call.", Body: decisionList{}}, Fails: []int{404}}},
		{scope: store.ScopeOperate, serve: rehearse, looks: true, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/conversations/{id}/rehearsals", ID: "rehearse", Tag: "conversations",
			Summary: "What a replay would decide and send", Description: "Nothing is sent and nothing is kept but the model's answers, which the replay then finds. " + about,
			Body: replayWish{}, Answer: openapi.Answer{Says: "What the replay would lead to.", Body: rehearsal{}}, Fails: []int{404}}},
		{scope: store.ScopeOperate, serve: replay, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/conversations/{id}/replays", ID: "replay", Tag: "conversations",
			Summary: "Decide a call anew, in a run of its own", Description: "What was sent, or may have been, is not sent again. In a sandbox everything is captured. " + about,
			Body: replayWish{}, Answer: openapi.Answer{Status: http.StatusAccepted, Says: "The run that a worker takes up; the call shows when it is done.", Body: runMade{}}, Fails: []int{404}}},
		{scope: store.ScopeOperate, serve: cancelCall, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/conversations/{id}/cancel", ID: "cancelCall", Tag: "conversations",
			Summary:     "Call off everything that waits of a call",
			Description: "Of the call and of its events, which are conversations of their own; asked about an event, of its call as well. Some hundred at once. What comes in later for the call, or is decided later, is not hindered. " + about,
			Answer:      openapi.Answer{Says: "It is so.", Body: callCancelled{}}, Fails: []int{404}}},
	}
}

func reviewRoutes() []route {
	const at = "/v1/conversations/{id}/runs/{run}/decisions/{automation}/"
	act := func(path, id, summary string, body any, made openapi.Answer, serve func(*exchange) (any, error)) route {
		return route{scope: store.ScopeOperate, serve: serve, Route: openapi.Route{Method: http.MethodPost, Path: at + path, ID: id, Tag: "decisions",
			Summary: summary, Body: body, Answer: made, Fails: []int{404}}}
	}
	run := openapi.Answer{Says: "The run that took over.", Body: runMade{}}
	done := openapi.Answer{Says: "It is so.", Body: done{}}
	return []route{
		{scope: store.ScopeRead, serve: listReviews, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/reviews", ID: "listReviews", Tag: "decisions",
			Summary: "What waits for a person, the newest calls first", Params: join([]openapi.Param{oneOf("kind", "Only calls with a decision that is unsure, with a message that is held, or with one that is held as `suspicious`.", reviewKinds())}, page("before")),
			Answer: openapi.Answer{Says: "A page of decisions, whole calls at a time.", Body: reviewPage{}}}},
		act("approve", "approve", "An unsure decision fires, after all", nil, run, approve),
		act("fix", "fix", "Give values that are missing, and send what waited for them", fixWish{}, run, fix),
		act("dismiss", "dismiss", "Nothing more goes out, and what was held is cancelled", nil, done, dismiss),
		act("mark", "mark", "Say that a decision was right or wrong", markWish{}, done, mark),
	}
}

func deliveryRoutes() []route {
	act := func(path, summary string, body any, made openapi.Answer, serve func(*exchange) (any, error)) route {
		return route{scope: store.ScopeOperate, serve: serve, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/deliveries/{id}/" + path, ID: path, Tag: "deliveries",
			Summary: summary, Body: body, Answer: made, Fails: []int{404}}}
	}
	done := openapi.Answer{Says: "It is so.", Body: done{}}
	return []route{
		{scope: store.ScopeRead, serve: listDeliveries, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/deliveries", ID: "listDeliveries", Tag: "deliveries",
			Summary:     "Messages by what became of them",
			Description: "What is retrying, held, failed or unknown is listed by when it came to be so, the last first; anything else by its call. A page may have fewer rows than were asked for, and a next one all the same.",
			Params: join([]openapi.Param{oneOf("state", "What became of them.", store.DeliveryStates()), text("channel", "Such as email or team_alert."),
				text("automation", "An automation's id."), text("domain", "Of an address they go to."), text("class", "Of the last attempt's error.")},
				window("Came to be so, or its call was accepted,"), page("before")),
			Answer: openapi.Answer{Says: "A page of messages.", Body: deliveryPage{}}}},
		{scope: store.ScopeRead, serve: oneDelivery, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/deliveries/{id}", ID: "readDelivery", Tag: "deliveries",
			Summary: "One message: what it says, each try, and what people did", Answer: openapi.Answer{Says: "The message.", Body: deliveryStory{}}, Fails: []int{404}}},
		act("resend", "Send a message again, as a delivery of its own", nil, openapi.Answer{Status: http.StatusCreated, Says: "The new delivery.", Body: deliveryMade{}}, resend),
		act("settle", "Say what became of an unknown message", settleWish{}, done, settle),
		act("cancel", "Call off what waits", nil, done, cancel),
		act("release", "Let a held message go out as it stands", nil, done, release),
	}
}

func taskRoutes() []route {
	made := openapi.Answer{Says: "The task as it is now: its id and version.", Body: taskMade{}}
	return []route{
		{scope: store.ScopeRead, serve: listTasks, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/tasks", ID: "listTasks", Tag: "tasks",
			Summary: "Tasks: those to be done, the soonest due first, or those that are finished, the last one first",
			Params: join([]openapi.Param{oneOf("state", "In one state; left out: those to be done.", tasks.States()), oneOf("priority", "Of one priority.", tasks.Priorities()),
				text("assignee", "A person's or group's key, such as person:maria; nobody for those that nobody has."),
				{Name: "due_before", In: "query", Time: true, Says: "Of those to be done: due before this time."}}, page("after")),
			Answer: openapi.Answer{Says: "A page of tasks.", Body: taskPage{}}}},
		{scope: store.ScopeRead, serve: oneTask, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/tasks/{id}", ID: "readTask", Tag: "tasks",
			Summary: "One task", Answer: openapi.Answer{Says: "The task.", Body: task{}}, Fails: []int{404}}},
		{scope: store.ScopeTasks, serve: addTask, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/tasks", ID: "addTask", Tag: "tasks",
			Summary: "Add a task about a call", Body: taskWish{}, Answer: openapi.Answer{Status: http.StatusCreated, Says: made.Says, Body: made.Body}, Fails: []int{404}}},
		{scope: store.ScopeTasks, serve: changeTask, Route: openapi.Route{Method: http.MethodPatch, Path: "/v1/tasks/{id}", ID: "changeTask", Tag: "tasks",
			Summary: "Change a task: its state, priority or assignee", Description: "The version says which task it was made for: 409 if somebody changed it since.",
			Body: taskChange{}, Answer: made, Fails: []int{404}}},
		{scope: store.ScopeTasks, serve: completeTask, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/tasks/{id}/complete", ID: "completeTask", Tag: "tasks",
			Summary: "A task is done", Description: "One that is done already stays so.", Answer: made, Fails: []int{404}}},
	}
}

func alertRoutes() []route {
	const own = "To whomever they are; audience says it. Each key has read what it has read, as each person has."
	return []route{
		{scope: store.ScopeRead, serve: listAlerts, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/alerts", ID: "listAlerts", Tag: "alerts",
			Summary: "Team alerts, newest first", Description: own,
			Params: join([]openapi.Param{oneOf("show", "Only those that this key has not read, of the last 30 days: one page, 100 at most.", []string{"unread"})}, page("before")),
			Answer: openapi.Answer{Says: "A page of alerts.", Body: alertPage{}}}},
		{scope: store.ScopeRead, stream: streamAlerts, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/alerts/stream", ID: "streamAlerts", Tag: "alerts",
			Summary: "Team alerts as they come, as server-sent events",
			Description: "Each event alert has an Alert as its data and its id as the event's id; send the last one as Last-Event-ID when you come back. " +
				"A comment comes every 15 seconds. The list is the record: what was missed for longer stands there.",
			Params: []openapi.Param{{Name: "Last-Event-ID", In: "header", Says: "The id of the last event that was heard; left out: only what comes from now on."}},
			Answer: openapi.Answer{Says: "Events, until either side ends it.", Type: "text/event-stream", Body: ""}}},
		{scope: store.ScopeTasks, serve: readAlert, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/alerts/{id}/read", ID: "markAlertRead", Tag: "alerts",
			Summary: "An alert is read", Description: own, Answer: openapi.Answer{Says: "It is so.", Body: done{}}, Fails: []int{404}}},
		{scope: store.ScopeTasks, serve: readAlerts, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/alerts/read", ID: "markAlertsRead", Tag: "alerts",
			Summary: "All alerts up to one are read", Description: own, Body: readWish{}, Answer: openapi.Answer{Says: "It is so.", Body: done{}}, Fails: []int{404}}},
	}
}

func softphoneRoutes() []route {
	return []route{{scope: store.ScopeCTI, stream: streamPopUps, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/agents/{id}/cti", ID: "streamPopUps", Tag: "agents",
		Summary: "What is to pop up in an agent's softphone, as server-sent events",
		Description: "The id is the platform's id of the agent who has or had the call, or the user id of a person of the config. Each event popup has a PopUp as its data; " +
			"what is passed on counts as sent. Send the last event's id as Last-Event-ID when you come back: each comes once, while it lasts. A comment comes every 15 seconds.",
		Params: []openapi.Param{{Name: "Last-Event-ID", In: "header", Says: "The id of the last event that was heard; left out: all that last."}},
		Answer: openapi.Answer{Says: "Events, until either side ends it.", Type: "text/event-stream", Body: ""}}}}
}

func revisionRoutes() []route {
	return []route{
		{scope: store.ScopeRead, serve: listRevisions, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/revisions", ID: "listRevisions", Tag: "revisions",
			Summary: "The account's config, the newest revision first", Params: page("before"), Answer: openapi.Answer{Says: "A page of revisions.", Body: revisionPage{}}}},
		{scope: store.ScopeRead, serve: oneRevision, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/revisions/{id}", ID: "readRevision", Tag: "revisions",
			Summary: "One revision with its files", Description: "By its id, or at least six characters of its digest.",
			Answer: openapi.Answer{Says: "The revision.", Body: revisionStory{}}, Fails: []int{404}}},
	}
}

func automationRoutes() []route {
	act := func(path, id, summary string, body any, serve func(*exchange) (any, error)) route {
		return route{scope: store.ScopeOperate, serve: serve, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/automations/{automation}/" + path, ID: id,
			Tag: "automations", Summary: summary, Body: body, Answer: openapi.Answer{Says: "It is so.", Body: done{}}, Fails: []int{404}}}
	}
	return []route{
		{scope: store.ScopeRead, serve: listAutomations, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/automations", ID: "listAutomations", Tag: "automations",
			Summary: "The automations of the active config: what each did lately, and what keeps it from going on",
			Answer:  openapi.Answer{Says: "All of them, in their order.", Body: automationList{}}}},
		{scope: store.ScopeRead, serve: listMutes, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/mutes", ID: "listMutes", Tag: "automations",
			Summary: "The mutes that hold", Answer: openapi.Answer{Says: "All of them.", Body: muteList{}}}},
		act("mute", "mute", "An automation is not evaluated for a while; instead of a mute that it has", muteWish{}, muteAutomation),
		act("unmute", "unmute", "It is evaluated again, from the next call on", nil, unmute),
		act("close", "closeBreaker", "It goes on; what its breaker held stays held, until it is released or cancelled in bulk", nil, closeBreaker),
		{scope: store.ScopeRead, serve: readUsage, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/usage", ID: "readUsage", Tag: "usage",
			Summary: "Tokens of models by day, automation and model",
			Params:  []openapi.Param{{Name: "days", In: "query", Number: true, Says: "How many days, today among them; 30 if it is left out, at most 90."}},
			Answer:  openapi.Answer{Says: "What was used.", Body: usageList{}}}},
	}
}

func bulkRoutes() []route {
	const counted = "The answer has the request with what its action says of the filter filled in."
	return []route{
		{scope: store.ScopeOperate, serve: countBulk, looks: true, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/bulk/count", ID: "countBulk", Tag: "bulk",
			Summary: "What a bulk job would do: its filter and how many it finds", Description: "Nothing is done. " + counted,
			Body: bulkWish{}, Answer: openapi.Answer{Says: "What it finds, counted up to 10,000.", Body: bulkCount{}}}},
		{scope: store.ScopeOperate, serve: startBulk, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/bulk", ID: "startBulk", Tag: "bulk",
			Summary: "One action for everything that a filter finds, as a job", Description: "Count first. It does what was there when it was asked for; a filter that finds nothing is refused.",
			Body: bulkWish{}, Answer: openapi.Answer{Status: http.StatusAccepted, Says: "The job that a worker takes up.", Body: bulkMade{}}}},
		{scope: store.ScopeRead, serve: listBulk, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/bulk", ID: "listBulk", Tag: "bulk",
			Summary: "Bulk jobs, the newest first", Params: page("before"), Answer: openapi.Answer{Says: "A page of jobs.", Body: bulkPage{}}}},
		{scope: store.ScopeRead, serve: oneBulk, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/bulk/{id}", ID: "readBulk", Tag: "bulk",
			Summary: "How far a bulk job is", Answer: openapi.Answer{Says: "The job.", Body: bulk{}}, Fails: []int{404}}},
		{scope: store.ScopeRead, serve: bulkItems, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/bulk/{id}/items", ID: "listBulkItems", Tag: "bulk",
			Summary: "What became of each item of a bulk job, in the order in which they are done", Params: page("after"),
			Answer: openapi.Answer{Says: "A page of items.", Body: bulkItemPage{}}, Fails: []int{404}}},
		{scope: store.ScopeOperate, serve: abortBulk, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/bulk/{id}/abort", ID: "abortBulk", Tag: "bulk",
			Summary: "Stop a bulk job before its next item", Description: "What is done stays done.", Answer: openapi.Answer{Says: "It is so.", Body: done{}}, Fails: []int{404}}},
	}
}

func erasureRoutes() []route {
	return []route{
		{scope: store.ScopeErase, serve: countErasure, looks: true, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/erasures/count", ID: "countErasure", Tag: "erasures",
			Summary: "What an erasure would take away", Description: "Nothing is erased.",
			Body: erasureWish{}, Answer: openapi.Answer{Says: "How much there is now.", Body: erasureCount{}}}},
		{scope: store.ScopeErase, serve: startErasure, Route: openapi.Route{Method: http.MethodPost, Path: "/v1/erasures", ID: "startErasure", Tag: "erasures",
			Summary: "Erase calls, or everything of a customer, for good", Description: "What waits to be sent is cancelled; a message under way is waited for. A call that is posted again stays erased.",
			Body: erasureWish{}, Answer: openapi.Answer{Status: http.StatusAccepted, Says: "The erasure that a worker takes up.", Body: erasureMade{}}}},
		{scope: store.ScopeErase, serve: listErasures, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/erasures", ID: "listErasures", Tag: "erasures",
			Summary: "What was erased, by request and by retention, the newest first", Params: page("before"), Answer: openapi.Answer{Says: "A page of erasures.", Body: erasurePage{}}}},
		{scope: store.ScopeErase, serve: oneErasure, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/erasures/{id}", ID: "readErasure", Tag: "erasures",
			Summary: "How far an erasure is", Answer: openapi.Answer{Says: "The erasure.", Body: erasure{}}, Fails: []int{404}}},
	}
}
