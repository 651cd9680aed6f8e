package automation

import (
	"fmt"

	"aftercall/recipients"
)

// fileTable is what a YAML file of an account's folder may hold: account.yaml, or a fragment beside it.
func fileTable() *mapping {
	return &mapping{
		name: "the file", path: "a file",
		doc: "One account, or a part of one: all YAML files of a folder are read as one. Lists and mappings of several files are merged, a setting stands in one of them.",
		keys: []key{
			{name: "account", of: idKind(), doc: "The account's id. It stands in account.yaml.", example: "acme"},
			{name: "name", of: lineKind(), doc: "The account's name, as customers know it; {{account_name}} prints it.", example: "Acme Clinic"},
			{name: "timezone", of: lineKind(), doc: "The time zone in which dates are understood and printed, unless a call brings its own.", example: "Europe/London"},
			{name: "language", of: lineKind(), otherwise: "en", doc: "The language of what the model writes: summaries and stated text.", example: "en-GB"},
			{name: "missing", of: lineKind(), otherwise: "not stated", doc: "Printed where a stated variable has no value.", example: "not stated"},
			{name: "from", of: insideKind(fromTable()), doc: "Who e-mails and texts come from.", example: `{ email: "Acme Clinic <calls@acme.example>", sms: "+442071838750" }`},
			{name: "region", of: regionKind(), doc: "The country in which phone numbers without a country code are understood, as two letters; without it that of from.sms.", example: "GB"},
			{name: "budget", of: insideKind(budgetTable()), doc: "What the account may spend on the model.", example: "{ tokens_per_day: 2000000 }"},
			{name: "retention", of: insideKind(retentionTable()), doc: "How long calls are kept.", example: "{ days: 90 }"},
			{name: "allow", of: insideKind(allowTable()), doc: "Who may be written to at all; checked again when a message is sent.", example: "{ domains: [acme.example], contacts: true }"},
			{name: "people", of: insideKind(peopleTable()), doc: "The account's people, each under a key of your own that automations name.", example: "{ maria: { name: Maria Lopez, email: maria@acme.example } }"},
			{name: "groups", of: insideKind(groupsTable()), doc: "Groups of people, addresses and other groups, each under a key that automations name.", example: "{ support: [maria, support@acme.example] }"},
			{name: "sources", of: rowsKind(sourceTable()), doc: "The call platforms that post finished calls.", example: `[{ id: itellico, type: itellico, secret: "${ENV:ITELLICO_SECRET}" }]`},
			{name: "variables", of: insideKind(variablesTable()), doc: "What is taken from what was said on a call, by dyn_ name.", example: "{ dyn_day: { type: date, ask: The day both sides agreed on } }"},
			{name: "automations", of: rowsKind(automationTable()), doc: "The rules: when, who and what.", example: "[{ id: every-call, when: always, actions: [team_alert: { text: A call came in }] }]"},
		},
	}
}

func fromTable() *mapping {
	return &mapping{
		name: "from", path: "from", doc: "Who messages come from.",
		keys: []key{
			{name: "email", of: senderKind(), doc: "The sender of e-mails: an address, with or without a name before it.", example: `"Acme Clinic <calls@acme.example>"`},
			{name: "sms", of: phoneKind(), doc: "The number texts come from. Its country is the one in which numbers without a country code are understood, unless region names another.", example: `"+442071838750"`},
		},
	}
}

// regionKind is a region's two letters, as ISO 3166 has them.
func regionKind() *kind {
	return &kind{label: "two letters", json: "string", pattern: `^\s*[A-Za-z]{2}\s*$`}
}

// senderKind is an address with or without a name before it.
func senderKind() *kind {
	return &kind{label: "sender", json: "string", pattern: `^[^\r\n]*[^@\s<>]+@[^@\s<>]+>?\s*$`}
}

func sourceFromTable() *mapping {
	return &mapping{
		name: "from", path: "sources[].from", doc: "Who e-mails about a source's calls come from, instead of the account's sender.",
		keys: []key{{name: "email", of: senderKind(), required: true, doc: "The sender: an address, with or without a name before it. The mail provider must allow it.", example: `"Acme Berlin <berlin@acme.example>"`}},
	}
}

func budgetTable() *mapping {
	return &mapping{
		name: "budget", path: "budget", doc: "What the account may spend on the model.",
		keys: []key{{name: "tokens_per_day", of: wholeKind(1, mostTokens), required: true,
			doc: "Tokens of the model in a day, over all conversations; beyond it they wait for the next day.", example: "2000000"}},
	}
}

func retentionTable() *mapping {
	return &mapping{
		name: "retention", path: "retention", doc: "How long calls are kept. Without it, until somebody erases them.",
		keys: []key{{name: "days", of: wholeKind(1, mostDays), required: true,
			doc: "Days after it came in, when a call is erased with all that came of it: transcript, decisions, messages, tasks.", example: "90"}},
	}
}

func allowTable() *mapping {
	return &mapping{
		name: "allow", path: "allow", doc: "Who may be written to at all. Numbers under people and groups need not stand here.",
		keys: []key{
			{name: "domains", of: listKind(lineKind().called("domain")), doc: "Domains of e-mail addresses; *.acme.example means every domain below it.", example: "[acme.example]"},
			{name: "addresses", of: listKind(lineKind().called("address")), doc: "Single e-mail addresses and phone numbers.", example: `[press@paper.example, "+447700900123"]`},
			{name: "senders", of: listKind(phoneKind()), doc: "Numbers that texts may come from, beside the one under from.", example: `["+442071838751"]`},
			{name: "contacts", of: booleanKind(), otherwise: false, doc: "Whether customers may be written to, at the address on their contact record.", example: "true"},
		},
	}
}

func peopleTable() *mapping {
	return &mapping{
		name: "people", path: "people", doc: "The account's people.",
		rest: &rest{names: slug.String(), reserved: recipients.Reserved(), of: insideKind(personTable()),
			doc: "A person, under the key that automations name.", example: "maria"},
	}
}

func personTable() *mapping {
	return &mapping{
		name: "a person", path: "people.*", doc: "Somebody of the account. Addresses are looked up when a message is sent.",
		keys: []key{
			{name: "name", of: lineKind(), doc: "The person's name; without it, the key.", example: "Maria Lopez"},
			{name: "email", of: &kind{label: "e-mail address", json: "string", pattern: `^\s*[^@\s]+@[^@\s]+\s*$`}, doc: "Where e-mails reach the person.", example: "maria@acme.example"},
			{name: "phone", of: phoneKind(), doc: "Where texts reach the person. In quotes: YAML reads a bare number as a number.", example: `"+447700900123"`},
			{name: "timezone", of: lineKind(), doc: "Where the person's clock is, for windows in the recipient's zone.", example: "America/New_York"},
			{name: "role", of: idKind(), doc: "The person's role in the account.", example: "operator"},
			{name: "user", of: lineKind(), doc: "The person's user id in the CRM or softphone, for Chatter posts and pop-ups.", example: "0055g00000A1b2C"},
		},
	}
}

func groupsTable() *mapping {
	return &mapping{
		name: "groups", path: "groups", doc: "Groups of recipients.",
		rest: &rest{names: slug.String(), reserved: recipients.Reserved(), of: listKind(lineKind().called("person, group or address")),
			doc: "A group, under the key that automations name: people, addresses, other groups.", example: "support"},
	}
}

func sourceTable() *mapping {
	return &mapping{
		name: "a source", path: "sources[]", doc: "A call platform that posts finished calls to /hooks/{id}.", any: [][]string{{"secret", "secrets"}}, not: [][]string{{"secret", "secrets"}},
		keys: []key{
			{name: "id", of: idKind(), required: true, doc: "The last part of the address the platform posts to; unique in the installation.", example: "itellico"},
			{name: "type", of: wordKind(sourceNames()...), required: true, doc: "Which platform it is.", example: "itellico"},
			{name: "secret", of: secretsKind(), doc: "The name of the secret that signatures are checked with; the secret itself is set in the environment.", example: `"${ENV:ITELLICO_SECRET}"`},
			{name: "secrets", of: secretsKind(), doc: "Two names, while one secret takes the place of the other.", example: `["${ENV:NEW_SECRET}", "${ENV:OLD_SECRET}"]`},
			{name: "wait_for_analysis", of: durationKind(maxWait), otherwise: "0s", doc: "How long to wait for the platform's analysis before deciding.", example: "2m"},
			{name: "events", of: listKind(lineKind().called("event type")), doc: "Event types that are wanted beside the platform's own for finished calls.", example: "[post_call_audio]"},
			{name: "from", of: insideKind(sourceFromTable()), doc: "Who e-mails about its calls come from; without it, the account's sender.", example: `{ email: "Acme Berlin <berlin@acme.example>" }`},
			{name: "settings", of: insideKind(settingsTable()), doc: "What differs from the platform's usual ways.", example: `{ url: "https://calls.example/{id}" }`},
		},
	}
}

func sourceNames() []string {
	var names []string
	for _, t := range SourceTypes() {
		names = append(names, t.Name)
	}
	return names
}

// mostSecrets are live at a time, while one takes the place of the other.
const mostSecrets = 2

func secretsKind() *kind {
	k := listKind(&kind{label: "name of a secret", json: "string", pattern: secretName.String()}).filled()
	k.most = mostSecrets
	return k
}

func settingsTable() *mapping {
	name := &kind{label: "name of a header", json: "string", pattern: `^\s*` + header.String()[1:len(header.String())-1] + `\s*$`}
	return &mapping{
		name: "settings", path: "sources[].settings", doc: "Settings of a source. Which there are depends on its type.",
		keys: []key{
			{name: SettingSignature, of: wordKind(append(sourceNames(), StandardWebhooks, Token, Path)...), doc: "How posts are signed: as the source's own type does, or by " + StandardWebhooks + ", where a gateway signs anew; " + Token + " (vapi) is the secret itself in a header, " + Path + " (synthflow, twilio) at the end of the address.", example: StandardWebhooks},
			{name: SettingSignatureHeader, of: name, doc: "The header that holds the signature.", example: "X-Signature"},
			{name: SettingTimestampHeader, of: name, doc: "The header that holds the time of signing.", example: "X-Timestamp"},
			{name: SettingURL, of: &kind{label: "address of a page", json: "string", pattern: `^\s*[Hh][Tt][Tt][Pp][Ss]?://`}, doc: fmt.Sprintf("The platform's page of a call, with {id} for the call's id, at most %d characters.", maxPage), example: `"https://calls.example/conversations/{id}"`},
			{name: SettingContactVariables, of: booleanKind(), otherwise: false, doc: "Whether the variables a caller supplied hold the contact record.", example: "true"},
			{name: SettingAlgorithm, of: wordKind("sha256", "sha512", "sha1"), otherwise: "sha256", doc: "The hash of the signature (vapi).", example: "sha512"},
			{name: SettingEncoding, of: wordKind("hex", "base64"), otherwise: "hex", doc: "How the signature is spelled (vapi).", example: "base64"},
			{name: SettingSigned, of: lineKind(), otherwise: "{timestamp}.{body}", doc: "What is signed (vapi). Without {timestamp} nothing says when, and only a call's id tells a repeat.", example: `"{body}"`},
			{name: SettingPrefix, of: lineKind(), doc: "What stands before the signature (vapi).", example: `"sha256="`},
		},
	}
}

func variablesTable() *mapping {
	return &mapping{
		name: "variables", path: "variables", doc: "What is taken from what was said. A dyn_ name that is used and not declared is text, described by its own words. Several files may declare one variable, in the same words.",
		rest: &rest{names: dynName.String(), of: insideKind(variableTable()), doc: "A stated variable.", example: "dyn_appointment_date"},
	}
}

func variableTable() *mapping {
	return &mapping{
		name: "a variable", path: "variables.*", doc: "One thing that may be said on a call. Code checks it against the words it comes from; it is stated, or absent.",
		keys: []key{
			{name: "type", of: wordKind(types()...), otherwise: "text", doc: "What kind of value it is; code checks and normalises it.", example: "date"},
			{name: "ask", of: textKind(), doc: "What is wanted, as you would ask a colleague; without it, the words of the name.", example: "The day both sides agreed on; not a day that was only offered"},
			{name: "values", of: insideKind(valuesTable()), doc: "The members of an enum, each with what it means.", example: "{ high: The customer cannot work, low: Everything else }"},
			{name: "max", of: wholeKind(1, 5000), otherwise: 500, doc: "The longest text in characters; only for text.", example: "120"},
			{name: "default", of: scalarKind(), doc: "Stands in when it was not stated.", example: "low"},
			{name: "missing", of: lineKind(), doc: "Printed when it was not stated; without it, the account's.", example: "no time was agreed"},
			{name: "said_by", of: wordKind(speakers()...), otherwise: "anyone", doc: "Whose words count.", example: "customer"},
			{name: "hosts", of: listKind(lineKind().called("host")), doc: "Hosts that a link may lead to; only for url. *.acme.example means every host below it.", example: "[meet.acme.example]"},
		},
	}
}

func valuesTable() *mapping {
	return &mapping{
		name: "values", path: "variables.*.values", doc: "The members of an enum.",
		rest: &rest{names: ".", of: textKind(), doc: "A value, and when it is the right one.", example: "critical"},
	}
}
