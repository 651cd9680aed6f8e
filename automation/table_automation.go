package automation

import (
	"aftercall/conversation"
	"aftercall/triggers"
)

func automationTable() *mapping {
	return &mapping{
		name: "an automation", path: "automations[]", doc: "One rule: when it fires, who hears of it and what they are told.", any: [][]string{{"when", "on"}},
		keys: []key{
			{name: "id", of: idKind(), required: true, doc: "The automation's id. Decisions are kept under it, so a renamed automation is a new one.", example: "callback-requested"},
			{name: "name", of: lineKind(), doc: "Its name on the pages; without it, the id.", example: "Callback requested"},
			{name: "agents", of: listKind(lineKind().called("agent's id")), doc: "The agents whose calls it is for; without it, all.", example: "[reception]"},
			{name: "enabled", of: booleanKind(), otherwise: true, doc: "An automation that is not enabled costs nothing.", example: "false"},
			{name: "on", of: lineKind(), doc: "The type of the event it waits for, instead of a finished call. Nothing has been said yet then.", example: "call.reached"},
			{name: "attempts", of: wordKind("first", "all", "retries"), otherwise: "first", doc: "For which attempts of an event's call it fires, as the platform counts them; only with on.", example: "retries"},
			{name: "when", of: eitherKind(wordKind("always"), insideKind(whenTable())).called("always, or a mapping"), doc: "When it fires: a question about the call, and free checks before it is asked; or always.", example: "{ ask: Did the customer ask to be called back? }"},
			{name: "on_unsure", of: wordKind(string(triggers.Review), string(triggers.Skip), string(triggers.Fire)), otherwise: string(triggers.Review), doc: "What becomes of it when the words leave the question open.", example: "skip"},
			{name: "require", of: listKind(dynKind()), doc: "Stated variables without which its messages are held for a person to look at.", example: "[dyn_appointment_date]"},
			{name: "route", of: insideKind(routeTable()), doc: "Recipients that depend on what was said; to: [route] writes to them.", example: "{ on: dyn_severity, to: { high: [managers] }, otherwise: [support] }"},
			{name: "send_tests", of: booleanKind(), otherwise: false, doc: "Whether what a test call leads to really goes out.", example: "true"},
			{name: "limit", of: insideKind(limitTable()), doc: "How often it may fire at most; beyond that what it does is held until somebody looks. Without it, one that is new is held beyond 1,000 calls an hour.", example: "{ per_day: 200 }"},
			{name: "actions", of: actionsKind(), required: true, doc: "What it does, in order. One failing never blocks another.", example: "[task: { title: Call back }]"},
		},
	}
}

func limitTable() *mapping {
	return &mapping{
		name: "limit", path: "automations[].limit", doc: "How often an automation may fire at most.",
		keys: []key{{name: "per_day", of: wholeKind(1, mostFires), required: true,
			doc: "The calls it may fire for in a day of the account's time zone.", example: "200"}},
	}
}

func dynKind() *kind {
	return &kind{label: "dyn_ name", json: "string", pattern: `^\s*dyn_[A-Za-z0-9_]{1,60}\s*$`}
}

func actionsKind() *kind {
	return rowsKind(actionTable()).filled()
}

func whenTable() *mapping {
	return &mapping{
		name: "when", path: "automations[].when", doc: "When an automation fires.",
		keys: []key{
			{name: "calls", of: insideKind(callsTable()), doc: "Free checks before anything is asked. All of them must hold.", example: "{ status: [completed], min_turns: 4 }"},
			{name: "ask", of: textKind(), doc: "A question about what was said, with yes or no as answer. A yes needs words from the call.", example: "Did the customer ask to be called back, or accept an offer of a call back?"},
			{name: "said_by", of: wordKind(speakers()...), otherwise: "anyone", doc: "Whose words are evidence.", example: "customer"},
			{name: "evidence", of: wordKind("none", "required"), otherwise: "required", doc: "none is for what did not happen; such an automation writes to the account's own people only.", example: "none"},
			{name: "always", of: booleanKind(), otherwise: false, doc: "Whether it fires without a question, for the calls that pass the checks.", example: "true"},
			{name: "at_least", of: wholeKind(2, mostCounted), doc: "It fires once so many have come within some time that pass the checks; with within.", example: "10"},
			{name: "within", of: durationKind(maxWithin), doc: "That time, at most a day. Each firing uses up what came in its span, so it fires once for each span.", example: "5m"},
			{name: "by", of: listKind(lineKind().called("agent, customer_number, from_number, to_number or metadata.KEY")), doc: "What they are counted apart by; without it, all together. Numbers are compared by their digits.", example: "metadata.line"},
			{name: "point", of: lineKind(), doc: "The point of the call flow a call.reached event must name; only with on.", example: "vip-menu"},
		},
	}
}

func callsTable() *mapping {
	return &mapping{
		name: "calls", path: "automations[].when.calls", doc: "Free checks on the call. Within one of them any member of a list will do.",
		keys: []key{
			{name: "status", of: listKind(wordKind(string(conversation.Completed), string(conversation.Failed), string(conversation.Transferred))), doc: "How the call ended.", example: "[completed, transferred]"},
			{name: "direction", of: listKind(wordKind(string(conversation.Inbound), string(conversation.Outbound))), doc: "Who called whom.", example: "inbound"},
			{name: "channel", of: listKind(wordKind(string(conversation.ChannelPhone), string(conversation.ChannelWeb), string(conversation.ChannelChat),
				string(conversation.ChannelSMS), string(conversation.ChannelTest))), doc: "How the conversation was held.", example: "phone"},
			{name: "min_turns", of: wholeKind(0, 10000), otherwise: 0, doc: "The fewest turns of agent and customer.", example: "4"},
			{name: "min_seconds", of: wholeKind(0, 86400), otherwise: 0, doc: "The shortest call.", example: "20"},
			{name: "max_seconds", of: wholeKind(1, 86400), doc: "The longest call.", example: "3600"},
			{name: "between", of: listKind(hoursKind()), doc: "When the call began, on the clocks of its own zone.", example: `"Mon-Fri 08:00-18:00"`},
			{name: "metadata", of: insideKind(metadataTable()), doc: "What the platform passed along.", example: "{ plan: [gold, silver] }"},
		},
	}
}

func metadataTable() *mapping {
	return &mapping{
		name: "metadata", path: "automations[].when.calls.metadata", doc: "Keys of the metadata and the value wanted, or several of which one will do.",
		rest: &rest{names: ".", of: listKind(scalarKind()), doc: "A wanted value, or a list of which one must match.", example: "plan"},
	}
}

func routeTable() *mapping {
	return &mapping{
		name: "route", path: "automations[].route", doc: "Recipients that depend on what was said: by the value of a variable, or by options the model chooses among.",
		any: [][]string{{"on", "options"}}, not: [][]string{{"on", "options"}},
		keys: []key{
			{name: "on", of: dynKind(), doc: "The enum whose value names the branch.", example: "dyn_severity"},
			{name: "to", of: insideKind(branchesTable()), doc: "Recipients by value.", example: "{ critical: [oncall], high: [managers] }"},
			{name: "options", of: insideKind(optionsTable()), doc: "What the model chooses among, each with its recipients. The model sees keys and notes, never an address.", example: `{ billing: { when: "money, invoices", to: [billing] } }`},
			{name: "otherwise", of: targetsKind(), required: true, doc: "Who hears of it when nothing fits.", example: "[support]"},
		},
	}
}

// targetsKind is who a message goes to.
func targetsKind() *kind {
	return listKind(lineKind().called("person, group, address, route, all, or the customer"))
}

func branchesTable() *mapping {
	return &mapping{
		name: "to", path: "automations[].route.to", doc: "Recipients by value.",
		rest: &rest{names: ".", of: targetsKind().filled(), doc: "Who hears of it for this value.", example: "critical"},
	}
}

func optionsTable() *mapping {
	option := &mapping{
		name: "an option", path: "automations[].route.options.*", doc: "One option and who hears of it.",
		keys: []key{
			{name: "when", of: textKind(), required: true, doc: "When this is the right one, in a few words.", example: "money, invoices"},
			{name: "to", of: targetsKind().filled(), required: true, doc: "Who hears of it then.", example: "[billing]"},
		},
	}
	return &mapping{
		name: "options", path: "automations[].route.options", doc: "What the model chooses among.",
		rest: &rest{names: slug.String(), reserved: []string{"otherwise"}, of: insideKind(option), doc: "An option.", example: "billing"},
	}
}
