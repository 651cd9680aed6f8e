package automation

import (
	"slices"

	"aftercall/deliver"
)

// actionTable is one action: a mapping of one key, the channel.
func actionTable() *mapping {
	return &mapping{
		name: "an action", path: "automations[].actions[]", doc: "One thing an automation does.", one: true,
		keys: []key{
			{name: deliver.Email, of: insideKind(emailTable()), doc: "An e-mail; one to each recipient unless there is cc or together.", example: `{ to: [support], subject: "Callback - {{customer_number}}" }`},
			{name: deliver.SMS, of: insideKind(smsTable()), doc: "A text message.", example: `{ to: [oncall], body: "{{dyn_issue}}" }`},
			{name: deliver.Chatter, of: insideKind(chatterTable()), doc: "A post in Salesforce Chatter.", example: `{ target: { record: "{{crm_record_id}}" }, message: "{{conversation_summary}}" }`},
			{name: deliver.CTI, of: insideKind(ctiTable()), doc: "A pop-up in the softphone.", example: `{ text: "{{customer_name}} is calling" }`},
			{name: deliver.TeamAlert, of: insideKind(alertTable()), doc: "An alert to all or some of the account's people.", example: `{ to: all, text: "Callback wanted" }`},
			{name: deliver.Task, of: insideKind(taskTable()), doc: "A to-do that stays until somebody does it.", example: `{ title: "Call back {{customer_number}}", due: { after: 4h } }`},
		},
	}
}

// timed are the keys that every action has, before those of its own.
func timed(own ...key) []key {
	window := eitherKind(listKind(hoursKind()), insideKind(windowTable())).called("hours of the week, or a mapping")
	return slices.Concat([]key{
		{name: "if", of: textKind().called("condition"), doc: "Goes out only if this holds: variables compared with ==, !=, in, and, or, not.", example: `dyn_severity == "critical"`},
		{name: "send", of: eitherKind(wordKind("now", "call_end"), insideKind(sendTable())).called("now, call_end, or a mapping"), otherwise: "call_end", doc: "When it goes out: at the end of the call, some time after, or now (only with on).", example: "{ after: 10m }"},
		{name: "window", of: window, doc: "The hours in which it may go out; outside of them it waits for the next.", example: `"Mon-Sat 08:00-20:00"`},
	}, own)
}

func sendTable() *mapping {
	return &mapping{
		name: "send", path: "automations[].actions[].*.send", doc: "When an action goes out.",
		keys: []key{{name: "after", of: durationKind(maxDelay), doc: "How long after the end of the call.", example: "10m"}},
	}
}

func windowTable() *mapping {
	return &mapping{
		name: "window", path: "automations[].actions[].*.window", doc: "The hours in which an action may go out, in a zone of their own.",
		keys: []key{
			{name: "hours", of: listKind(hoursKind()), required: true, doc: "Hours of the week, or a list of them.", example: `["Mon-Fri 08:00-20:00", "Sat 10:00-14:00"]`},
			{name: "timezone", of: lineKind(), doc: "The zone the hours are in; without it, that of the call. recipient is the recipient's own: a person's timezone, or that of a number all of whose places have the same one; where it is not known, that of the call.", example: "Europe/Berlin"},
		},
	}
}

func emailTable() *mapping {
	return &mapping{
		name: deliver.Email, path: "automations[].actions[].email", doc: "An e-mail.", not: [][]string{{"body", "body_file"}},
		keys: timed(
			key{name: "to", of: targetsKind().filled(), required: true, doc: "Who it goes to: people, groups, addresses, route, \"{{customer_email}}\".", example: "[support]"},
			key{name: "cc", of: targetsKind(), doc: "Who gets a copy; there is one message for all then.", example: "[managers]"},
			key{name: "reply_to", of: targetsKind(), doc: "The one person or address that answers go to.", example: "support@acme.example"},
			key{name: "together", of: booleanKind(), doc: "Whether all recipients get one message and see each other; without it, only with cc.", example: "true"},
			key{name: "subject", of: headerKind(), required: true, doc: "The subject.", example: `"Callback - {{customer_number}}"`},
			key{name: "body", of: textKind().called("template"), doc: "The text in Markdown; without it and body_file, one sentence saying that there was a call.", example: `"{{conversation_summary}}"`},
			key{name: "body_file", of: &kind{label: "name of a file", json: "string", pattern: `\.(md|html)\.hbs\s*$`}, doc: "The file with the text: Markdown in .md.hbs, HTML in .html.hbs, relative to this file.", example: "callback.md.hbs"},
		),
	}
}

func smsTable() *mapping {
	return &mapping{
		name: deliver.SMS, path: "automations[].actions[].sms", doc: "A text message.",
		keys: timed(
			key{name: "to", of: targetsKind().filled(), required: true, doc: "Who it goes to: people, groups, numbers, route, \"{{customer_number}}\".", example: "[oncall]"},
			key{name: "from", of: phoneKind(), doc: "The number it comes from, one of allow.senders; without it, the account's.", example: `"+442071838750"`},
			key{name: "topic", of: headerKind(), doc: "What it is filed under.", example: "appointments"},
			key{name: "body", of: templateKind(), required: true, doc: "The text. A long one is sent, and paid for, in segments; one of more than ten is held.", example: `"{{account_name}}: your visit is on {{date dyn_day}}"`},
		),
	}
}

func chatterTable() *mapping {
	target := &mapping{
		name: "target", path: "automations[].actions[].chatter.target", doc: "Where a post goes.", one: true,
		keys: []key{
			{name: "record", of: headerKind(), doc: "A record's id.", example: `"{{crm_record_id}}"`},
			{name: "user", of: headerKind(), doc: "A user's name, username or id.", example: "Maria Lopez"},
			{name: "user_id", of: crmKind("005"), doc: "A user's id.", example: "0055g00000A1b2C"},
			{name: "group", of: headerKind(), doc: "A group's name or id.", example: "Service desk"},
			{name: "group_id", of: crmKind("0F9"), doc: "A group's id.", example: "0F95g00000A1b2C"},
		},
	}
	return &mapping{
		name: deliver.Chatter, path: "automations[].actions[].chatter", doc: "A post in Salesforce Chatter.", any: [][]string{{"to", "target"}},
		keys: timed(
			key{name: "to", of: targetsKind(), doc: "People with a user id, instead of a target.", example: "[maria]"},
			key{name: "target", of: insideKind(target), doc: "The record, user or group it is posted to: one of these. What was said cannot choose it.", example: `{ record: "{{crm_record_id}}" }`},
			key{name: "mention", of: targetsKind(), doc: "People with a user id who are mentioned below the text, at most 25.", example: "[maria]"},
			key{name: "visibility", of: wordKind("all", "internal"), doc: "Who can read it: all who may see the record, or the company's own users only. Without it, as Salesforce is set up.", example: "internal"},
			key{name: "message", of: templateKind(), required: true, doc: "The text, at most 10,000 characters.", example: `"{{conversation_summary}}"`},
		),
	}
}

func ctiTable() *mapping {
	return &mapping{
		name: deliver.CTI, path: "automations[].actions[].cti", doc: "A pop-up in the softphone.",
		keys: timed(
			key{name: "to", of: targetsKind(), doc: "People with a user id; without it, whoever has the call.", example: "[maria]"},
			key{name: "text", of: templateKind(), required: true, doc: "The text.", example: `"{{customer_name}} is calling"`},
		),
	}
}

func alertTable() *mapping {
	return &mapping{
		name: deliver.TeamAlert, path: "automations[].actions[].team_alert", doc: "An alert to the account's people.",
		keys: timed(
			key{name: "to", of: targetsKind(), otherwise: "all", doc: "People and groups, or all.", example: "all"},
			key{name: "text", of: templateKind(), required: true, doc: "The text.", example: `"Callback wanted: {{dyn_callback_when}}"`},
		),
	}
}

func taskTable() *mapping {
	due := &mapping{
		name: "due", path: "automations[].actions[].task.due", doc: "When a task is due.",
		keys: []key{{name: "after", of: durationKind(maxDelay), doc: "How long after the end of the call.", example: "4h"}},
	}
	return &mapping{
		name: deliver.Task, path: "automations[].actions[].task", doc: "A to-do.",
		keys: timed(
			key{name: "title", of: headerKind(), required: true, doc: "What is to be done.", example: `"Call back {{customer_number}}"`},
			key{name: "description", of: textKind().called("template"), doc: "What one has to know for it.", example: `"{{conversation_summary}}"`},
			key{name: "priority", of: eitherKind(wordKind(levels()...), insideKind(priorityTable())).called("level, or a mapping"), otherwise: "medium", doc: "How urgent it is: a level, or one for each value of a variable.", example: "{ from: dyn_severity, critical: urgent, else: medium }"},
			key{name: "assignee", of: lineKind().called("person or group"), doc: "Whose it is.", example: "support"},
			key{name: "due", of: insideKind(due), doc: "When it is due.", example: "{ after: 4h }"},
		),
	}
}

func priorityTable() *mapping {
	return &mapping{
		name: "priority", path: "automations[].actions[].task.priority", doc: "A priority by the value of a variable.",
		keys: []key{
			{name: "from", of: lineKind().called("variable"), required: true, doc: "The variable.", example: "dyn_severity"},
			{name: "else", of: wordKind(levels()...), otherwise: "medium", doc: "The level for any other value, and for none.", example: "low"},
		},
		rest: &rest{names: ".", of: wordKind(levels()...), doc: "The level for this value.", example: "critical"},
	}
}
