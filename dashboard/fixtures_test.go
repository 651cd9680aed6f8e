package dashboard

import (
	"strconv"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// The fixtures tell one afternoon at a clinic: a caller who wants to be called back, with everything that can go well and
// wrong behind it. text writes every free text, so that one story serves for reading and for payloads.

var began = time.Date(2026, time.November, 20, 14, 2, 31, 0, time.UTC)

func plain(s string) string { return s }

func fixtureNames() names {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	rev := &automation.Revision{AccountID: "acme", Name: "Acme Clinic", Location: london}
	for i, a := range [][2]string{
		{"callback-requested", "Callback requested"}, {"complaint", "Complaint"}, {"summary-mail", "Summary for the team"},
		{"address-changed", "Address changed"}, {"sales-lead", "Sales lead"}, {"after-hours", "After hours"}, {"confirmation", "Confirmation to the customer"},
	} {
		rev.Automations = append(rev.Automations, automation.Automation{ID: a[0], Name: a[1], File: "account.yaml", Line: 20 + 14*i, Trigger: triggers.Trigger{Enabled: a[0] != "after-hours"}})
	}
	return names{rev}
}

func fixtureStory(text func(string) string) store.Story {
	return store.Story{
		AccountID: "acme", RevisionID: "7b1f5f0e-6c1c-4c56-8d1a-0f3d3b1c9a10", Digest: "9f2b71c0a4dd8b12f7e0",
		Conversation: fixtureConversation(text), State: store.StateDecided, Simulated: true,
		AcceptedAt: began.Add(5 * time.Minute), DecidedAt: began.Add(5*time.Minute + 2*time.Second),
		Summary:    text("Dana Whitfield asked to move her physiotherapy appointment and to be called back after five. She was unhappy about an earlier missed call back."),
		Events:     fixtureEvents(text),
		Decisions:  fixtureDecisions(text),
		Values:     fixtureValues(text),
		Deliveries: fixtureDeliveries(text),
		Tasks: []store.StoryTask{{Run: 1, State: tasks.Open, Task: store.Task{
			ID: "t1", Automation: "callback-requested", Action: 1,
			Task: tasks.Task{Title: text("Call back +44 7700 900123"), Description: text("Dana Whitfield\nafter five today"), Priority: tasks.High, Assignee: "group:support", DueAt: began.Add(4 * time.Hour)},
		}}},
		Calls: fixtureCalls(text),
	}
}

func fixtureConversation(text func(string) string) *conversation.Conversation {
	c := &conversation.Conversation{
		ID: "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", AccountID: "acme", Source: "itellico", ExternalID: text("conv_01JD3Z7Q4"),
		Agent:   conversation.Agent{ID: text("reception"), Name: text("Robin")},
		Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
		StartedAt: began, EndedAt: began.Add(4*time.Minute + 5*time.Second), Timezone: "Europe/London",
		FromNumber: "+447700900123", ToNumber: "+442071838750",
		Customer: conversation.Customer{Name: text("Dana Whitfield"), Email: text("dana@whitfield.example"), Number: "+447700900123", CRMRecordID: text("003Qy00000AbCdE")},
		URL:      "https://platform.example/conversations/conv_01JD3Z7Q4", Queue: text("front desk"), Note: text("second call today"),
		Metadata: map[string]any{"campaign": text("autumn"), "attempt": 2},
	}
	for i, t := range []struct {
		role conversation.Role
		said string
	}{
		{conversation.RoleAgent, "Acme Clinic, Robin speaking. How can I help?"},
		{conversation.RoleCustomer, "Hi, it's Dana Whitfield. I need to move my appointment with the physiotherapist on Thursday."},
		{conversation.RoleTool, "calendar.lookup: 2026-11-26 10:30, physiotherapy, Dr Osei"},
		{conversation.RoleAgent, "I can see it, Thursday the twenty-sixth at half past ten. The diary for next week is not open yet, I'm afraid."},
		{conversation.RoleCustomer, "Then could somebody call me back today, after five? On this number is fine."},
		{conversation.RoleAgent, "Of course. I'll ask the team to call you back after five."},
		{conversation.RoleCustomer, "And please do, because last week you promised and nobody rang me."},
		{conversation.RoleAgent, "I am sorry about that. I have put it at the top of the list. Anything else?"},
		{conversation.RoleCustomer, "No, that's all. Thanks, bye."},
	} {
		c.Turns = append(c.Turns, conversation.Turn{Role: t.role, Text: text(t.said), AtMS: int64(i) * 26_000})
	}
	return c
}

func fixtureEvents(text func(string) string) []store.StoryEvent {
	body := []byte(`{"caller": ` + strconv.Quote(text("Dana Whitfield")) + `, "from": "+447700900123"}`)
	received := began.Add(5*time.Minute - 2100*time.Millisecond)
	return []store.StoryEvent{
		{ID: "e-1", Type: "conversation.ended", Source: "itellico", ContentType: "application/json", ReceivedAt: received, AcceptedAt: received.Add(6 * time.Millisecond),
			Bytes: 8231, Head: body, Cut: true},
		{ID: "e-2", Type: text("analysis.completed"), Source: "itellico", ReceivedAt: began.Add(6 * time.Minute), AcceptedAt: began.Add(6*time.Minute + 4*time.Millisecond),
			Bytes: len(body), Head: body, Conflicts: 1},
	}
}

func fixtureDecisions(text func(string) string) []store.StoryDecision {
	decided := began.Add(5*time.Minute + 2*time.Second)
	decision := func(id string, v triggers.Verdict, c reason.Code, detail string, evidence ...interview.Evidence) store.StoryDecision {
		return store.StoryDecision{Run: 1, DecidedAt: decided, Decision: triggers.Decision{
			Automation: id, Verdict: v, Reason: c, Detail: detail, Evidence: evidence, Review: v == triggers.Unsure,
		}}
	}
	return []store.StoryDecision{
		decision("callback-requested", triggers.Fires, reason.Fired, "", interview.Evidence{Turn: 5, Quote: text("could somebody call me back today, after five")}),
		decision("summary-mail", triggers.Fires, reason.Always, ""),
		decision("confirmation", triggers.Fires, reason.Always, ""),
		decision("complaint", triggers.Unsure, reason.Unsure, text("The caller mentions an earlier failure but asks for nothing."), interview.Evidence{Turn: 7, Quote: text("last week you promised and nobody rang me")}),
		decision("address-changed", triggers.No, reason.ConditionNotMet, ""),
		decision("sales-lead", triggers.Skipped, reason.FilteredAgent, ""),
		decision("after-hours", triggers.Skipped, reason.FilteredTime, text("The call began at 14:02; the automation asks for 18:00 to 08:00.")),
	}
}

func fixtureValues(text func(string) string) (values []store.StoryValue) {
	for _, v := range []variables.Value{
		{Name: "dyn_callback_when", Type: variables.Text, Status: variables.Stated, Raw: text("today, after five"), Value: text("today, after five"), Evidence: interview.Evidence{Turn: 5, Quote: text("today, after five")}},
		{Name: "dyn_appointment_date", Type: variables.Date, Status: variables.Stated, Raw: text("Thursday the 26th"), Value: "2026-11-26", Evidence: interview.Evidence{Turn: 4, Quote: text("Thursday the twenty-sixth")}},
		{Name: "dyn_amount", Type: variables.Money, Status: variables.Rejected, Raw: text("129"), Problem: text("The amount does not stand in its quote.")},
		{Name: "dyn_severity", Type: variables.Enum, Status: variables.Defaulted, Value: "low"},
		{Name: "dyn_new_address", Type: variables.Text, Status: variables.NotStated},
		{Name: "dyn_room", Type: variables.Number, Status: variables.Conflict, Evidence: interview.Evidence{Turn: 99, Quote: text("room twelve")}},
	} {
		values = append(values, store.StoryValue{Run: 1, Is: v})
	}
	return values
}

const fixtureHTML = `<!doctype html><html><head><style>body{font-family:sans-serif;margin:24px;color:#222}h1{font-size:18px}</style></head>
<body><h1>Call back Dana Whitfield</h1><p>When: <strong>today, after five</strong></p><p>Number: +44 7700 900123</p>
<script>document.body.textContent = "ran"</script><img src="https://tracker.example/p.gif" alt=""></body></html>`

func fixtureDeliveries(text func(string) string) []store.StoryDelivery {
	content := store.Content{
		Subject: text("Callback - +447700900123"), Text: text("Call back Dana Whitfield\n\nWhen: today, after five\nNumber: +44 7700 900123\n"), HTML: fixtureHTML,
		From: deliver.Address{Name: text("Acme Clinic"), Address: "calls@acme.example"}, To: []string{"email:support@acme.example"}, ReplyTo: []string{"person:maria"},
	}
	delivery := func(id, automation string, action int, channel, recipient string, state store.DeliveryState, code reason.Code) store.StoryDelivery {
		return store.StoryDelivery{Run: 1, HasHTML: true, CreatedAt: began.Add(5 * time.Minute), UpdatedAt: began.Add(5*time.Minute + 4*time.Second), Delivery: store.Delivery{
			ID: id, Automation: automation, Action: action, Channel: channel, Recipient: recipient, State: state, Reason: code,
			DueAt: began.Add(5 * time.Minute), DeadlineAt: began.Add(24 * time.Hour), Content: content,
		}}
	}
	sent := delivery("d-0001", "callback-requested", 0, deliver.Email, "email:support@acme.example", store.Sent, "")
	sent.Address, sent.Provider, sent.ProviderID = "support@acme.example", "sendgrid", text("14c5d75ce93.dfd.64b469")
	sent.Reported, sent.ReportedAt = deliver.Taken, began.Add(time.Minute)
	sent.Claims, sent.WorkerID, sent.ClaimedAt, sent.TextBytes = 2, "w-4f1", began.Add(5*time.Minute+2990*time.Millisecond), 90_000
	sent.Attempts = []store.StoryAttempt{
		{Attempt: 1, State: store.Retrying, Class: "rate_limited", Status: 429, Detail: text("too many requests"), StartedAt: began.Add(5 * time.Minute), FinishedAt: began.Add(5*time.Minute + 180*time.Millisecond)},
		{Attempt: 2, State: store.Sent, Status: 202, StartedAt: began.Add(5*time.Minute + 3*time.Second), FinishedAt: began.Add(5*time.Minute + 3412*time.Millisecond)},
	}
	task := delivery("d-0002", "callback-requested", 1, deliver.Task, "group:support", store.Sent, "")
	task.Content, task.HasHTML = store.Content{}, false
	alert := delivery("d-0003", "callback-requested", 2, deliver.TeamAlert, "all", store.Sent, "")
	alert.HasHTML, alert.Content = false, store.Content{Text: text("Callback wanted: today, after five")}
	sms := delivery("d-0004", "callback-requested", 3, deliver.SMS, "phone:+447700900456", store.Planned, reason.Waiting)
	sms.HasHTML, sms.DueAt = false, began.Add(15*time.Minute)
	sms.Content = store.Content{Text: text("Dana Whitfield wants a call back today, after five."), Fields: map[string]string{"topic": text("callbacks")}}
	failed := delivery("d-0005", "summary-mail", 0, deliver.Email, "person:maria", store.Failed, "")
	failed.Attempts = []store.StoryAttempt{{Attempt: 1, State: store.Failed, Class: "auth", Status: 401, Detail: text("the provided authorization grant is invalid"), StartedAt: began.Add(5 * time.Minute), FinishedAt: began.Add(5*time.Minute + 90*time.Millisecond)}}
	unknown := delivery("d-0006", "summary-mail", 1, deliver.Email, "together", store.Unknown, "")
	unknown.Attempts = []store.StoryAttempt{{Attempt: 1, State: store.Unknown, Class: "timeout", StartedAt: began.Add(5 * time.Minute), FinishedAt: began.Add(5*time.Minute + 30*time.Second)}}
	held := delivery("d-0007", "confirmation", 0, deliver.Email, "contact:customer_email", store.Held, reason.VariableMissingForCustomer)
	held.Detail, held.Customer = text("dyn_new_address would print as “not stated”."), true
	skipped := delivery("d-0008", "confirmation", 1, deliver.SMS, "-", store.Skipped, reason.RecipientsEmpty)
	skipped.Content, skipped.HasHTML = store.Content{}, false
	kept := delivery("d-0009", "confirmation", 2, deliver.Chatter, "person:maria", store.Sent, "")
	kept.Provider, kept.Test, kept.HasHTML = "capture", true, false
	kept.Content = store.Content{Text: text("Dana Whitfield called."), Fields: map[string]string{"visibility": "internal"}}
	again := delivery("d-0010", "summary-mail", 0, deliver.Email, "person:maria", store.Delivered, "")
	again.Copy, again.ResendOf, again.UpdatedAt = 1, "d-0005", began.Add(9*time.Minute)
	return []store.StoryDelivery{kept, sent, task, alert, sms, failed, unknown, held, skipped, again}
}

func fixtureJobs(text func(string) string) []store.StoryJob {
	due := began.Add(5*time.Minute - 2*time.Second)
	return []store.StoryJob{
		{ID: 8, Kind: "delivery.send", Queue: "deliver_sms", State: "scheduled", Channel: deliver.SMS, MaxAttempts: 25, CreatedAt: due, ScheduledAt: began.Add(15 * time.Minute)},
		{ID: 7, Kind: "conversation.decide", Queue: "decide", State: "completed", Run: 1, Attempt: 2, MaxAttempts: 25, CreatedAt: due, ScheduledAt: due,
			AttemptedAt: due.Add(300 * time.Millisecond), FinishedAt: due.Add(2900 * time.Millisecond), Fault: text("the database was away")},
	}
}

// fixturePage is the page of a story.
func fixturePage(s store.Story, n names, text func(string) string) conversationPage {
	return telling{story: s, jobs: fixtureJobs(text), pinned: n, queue: true}.page()
}

func fixtureCalls(text func(string) string) []interview.Call {
	reply := llm.Reply{Model: text("simulated-1"), Endpoint: "127.0.0.1:40123", Simulated: true, TokensIn: 2210, TokensCached: 1408, TokensOut: 96, Latency: 412 * time.Millisecond}
	const id = "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77"
	return []interview.Call{
		{ID: "m-1", ConversationID: id, Part: "agent:reception/0", Purpose: "interview", PromptHash: "5be0c3b8f1d24a77", ErrorKind: "answer_invalid", Reply: reply, At: began.Add(5*time.Minute - time.Second)},
		{ID: "m-2", ConversationID: id, Part: "agent:reception/0/repair", Purpose: "repair", PromptHash: "c08f7712aa01bd3e", Valid: true, Reply: reply, At: began.Add(5*time.Minute - 200*time.Millisecond)},
		{ID: "m-3", ConversationID: id, Part: "agent:reception/0", Purpose: "interview", ErrorKind: "rate_limited", Status: 429, At: began.Add(5*time.Minute - 1500*time.Millisecond)},
	}
}

func fixtureRows(text func(string) string) []store.ConversationRow {
	row := func(id, customer, number string, state store.ConversationState, fired ...string) store.ConversationRow {
		return store.ConversationRow{
			ID: id, AccountID: "acme", ExternalID: text("conv_" + id), AgentName: text("Robin"), Channel: "phone", Status: "completed", Direction: "inbound",
			CustomerName: text(customer), CustomerNumber: number, StartedAt: began, AcceptedAt: began.Add(5 * time.Minute),
			Duration: 245 * time.Second, State: state, Fired: fired,
		}
	}
	trouble := row("3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", "Dana Whitfield", "+447700900123", store.StateDecided, "callback-requested", "summary-mail", "confirmation")
	trouble.Outcomes = store.Outcomes{Sent: 1, Captured: 1, Tasks: 1, Alerts: 1, Open: 1, Held: 1, Failed: 1, Unknown: 1}
	trouble.Unsure, trouble.Test, trouble.Simulated = 1, true, true
	fine := row("b2", "Priya Nair", "+447700900888", store.StateDecided, "summary-mail")
	fine.Outcomes.Sent = 2
	quiet := row("c3", "", "+442079460321", store.StateDecided)
	waiting := row("d4", "Jonas Weber", "+4930901820", store.StateWaiting, "summary-mail")
	waiting.Outcomes.Tasks, waiting.AgentName = 2, ""
	fresh := row("e5", "", "", store.StateAccepted)
	skipped := row("f6", "María-José Carreño Quiñones de la Vega", "", store.StateDecided, "complaint")
	fresh.StartedAt = time.Time{}
	return []store.ConversationRow{fresh, waiting, trouble, fine, skipped, quiet}
}

// fixtureListed is a list that was asked for like this, by somebody who keeps that search.
func fixtureListed(typed, account, before string) listed {
	l := listed{typed: typed, account: account, before: before, search: readSearch(typed, began, time.UTC), place: place{zone: time.UTC}}
	if typed != "" {
		l.saved, l.automations = []store.View{{ID: typed, Name: typed, Query: typed}}, []string{typed}
	}
	return l
}

// fixtureDeliveryRows are the deliveries of the story as a list has them.
func fixtureDeliveryRows(text func(string) string) (rows []store.DeliveryRow) {
	for _, d := range fixtureDeliveries(text) {
		row := store.DeliveryRow{ID: d.ID, AccountID: "acme", ConversationID: "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", Run: 1, Automation: text(d.Automation),
			Channel: d.Channel, Recipient: text(d.Recipient), Address: text(d.Address), State: d.State, Reason: d.Reason, Detail: text(d.Detail),
			Provider: d.Provider, Test: d.Test, UpdatedAt: d.UpdatedAt, Attempts: len(d.Attempts)}
		if row.Attempts > 0 {
			row.Class = text(d.Attempts[0].Class)
		}
		rows = append(rows, row)
	}
	return rows
}

// fixtureDeliveriesAsked is a list that was asked for like this.
func fixtureDeliveriesAsked(state store.DeliveryState, typed string) deliveriesAsked {
	a := deliveriesAsked{place: place{zone: time.UTC, automations: []string{typed}}, after: "7d", DeliveryQuery: store.DeliveryQuery{State: state}}
	if typed != "" {
		a.Class, a.Domain, a.Automation, a.AccountID = typed, typed, typed, typed
	}
	return a
}

func fixtureCaptured(text func(string) string) []store.Captured {
	return []store.Captured{
		{ID: "9a", AccountID: "acme", ConversationID: "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77", ExternalID: text("conv_01JD3Z7Q4"), Automation: "callback-requested", Channel: deliver.Email,
			To: text("support@acme.example"), Subject: text("Callback - +447700900123"), Text: text("Call back Dana Whitfield\n\nWhen: today, after five\n"), HTML: fixtureHTML,
			Fields: map[string]string{"from": text("Acme Clinic <calls@acme.example>"), "reply_to": text("maria@acme.example")}, CapturedAt: began.Add(5 * time.Minute)},
		{ID: "9b", AccountID: "acme", Automation: "complaint", Channel: deliver.SMS, To: text("+447700900456"), Text: text("A caller is unhappy.\nPlease look."), Test: true, CapturedAt: began.Add(6 * time.Minute)},
		{ID: "9c", AccountID: "elsewhere", Channel: deliver.CTI, CapturedAt: began.Add(7 * time.Minute)},
	}
}

func fixtureStops() []store.Stop {
	return []store.Stop{{AccountID: "acme", Day: "2026-11-20", Spent: 1_985_412, Limit: 2_000_000, At: began}}
}

func fixtureRule() answer {
	rule, _ := automation.RuleOf("AC201")
	a, err := ruleAnswer(rule)
	if err != nil {
		panic(err)
	}
	return a
}

// fixtureTroubles are a folder with errors and one that could not be applied; said is what an author's file may hold.
func fixtureTroubles(said string) []store.Attempt {
	return []store.Attempt{
		{AccountID: "acme", Folder: "/etc/aftercall/" + said, Host: "web-1", State: store.AttemptInvalid, Problems: 2,
			FirstProblem: "account.yaml:9:81: error[AC201]: unknown variable " + said, Since: began},
		{AccountID: "umbra", Folder: "/etc/aftercall/umbra", Host: "web-1", State: store.AttemptFailed, FirstProblem: said, Since: began},
	}
}

// fixtureCall is the page of a model call, with everything free written by the story's author.
func fixtureCall(s store.Story) answer {
	c := interview.Call{Part: s.Digest, Purpose: s.Digest, PromptHash: s.Digest, Reply: llm.Reply{Model: s.Digest, FinishReason: s.Digest, RequestID: s.Digest, Fingerprint: s.Digest, Endpoint: s.Digest, Simulated: true}}
	if len(s.Calls) > 0 {
		c.ID, c.ConversationID = s.Calls[0].ID, s.Calls[0].ConversationID
	}
	said := s.Digest
	p := interview.Prompt{Rules: said, Sheet: said, Facts: said, Transcript: said, Reminder: said, Hash: said}
	view := modelCallView(c, p, said != "", []byte(said), or(said, "Nobody"), time.UTC)
	return answer{Template: "model_call", Title: "Model call", Section: "conversations", View: view}
}

// fixtureAct is the page of an action with all that such a page can have.
func fixtureAct(s store.Story, n names) answer {
	said, zone := s.Digest, time.UTC
	l := ledger{story: s, names: n, zone: zone}
	p := actPage{Back: conversationPath("x"), Heading: or(said, "Nobody"), Crumb: "Put right", Title: "Send this message again?", Says: "It goes again.",
		Automation: said, Action: conversationPath("x") + "/replay", Buttons: []buttonView{{"do", "it", "Do it"}}, Carried: []fact{{"which", said}},
		Replay: &replayForm{Which: []choice{{"same", or(said, "the config of then"), true}}, Sandbox: true}}
	if len(s.Deliveries) > 1 {
		about := l.delivery(s.Deliveries[1])
		p.About = &about
		p.Waits = &waitsView{More: true, Rows: []waitingView{{Path: conversationPath("x"), To: said, Channel: said, State: deliveryBadge(store.Held), Why: said, Automation: said,
			Event: true, Due: at(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), zone), Test: true}}}
		p.Preview = &previewView{Config: said, Told: said, Goes: []deliveryView{l.delivery(s.Deliveries[2])}, Left: []deliveryView{l.delivery(s.Deliveries[3])},
			Changed: []foreseenView{{Name: said, Detail: said, Before: badge{"skipped", "dash", "quiet"}, Now: badge{"would fire", "check", "good"}}}}
		for _, list := range [][]deliveryView{p.Preview.Goes, p.Preview.Left} {
			wouldGo(&list[0], nil)
		}
	}
	return answer{Template: "act", Title: "Put right", Section: "conversations", View: p, Draft: true}
}
