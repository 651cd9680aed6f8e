package main

// suites is everything that is tried, in the order of the report: each folder of the data has a line.
func suites() []suite {
	return []suite{
		conversations(),
		jsonSuite(),
		signatures(),
		addresses(),
		phones(),
		webAddresses(),
		specification("handlebars-spec"),
		specification("mustache-spec"),
		naughtyStrings(),
		scripts(),
		{name: "prompt-injection", absent: "tried by `make chaos`, which splices every row into calls (S1) and counts false alarms (S3)"},
		{name: "sms-segments", absent: "not applicable yet: the product sends no texts (issue 7)"},
		{name: "twilio-signature", absent: "not applicable yet: the product takes no webhooks of Twilio (issue 7)"},
		{name: "sendgrid-webhook", absent: "not applicable yet: the product takes no delivery events of SendGrid (issue 7)"},
		{name: "webpush-ece", absent: "not applicable yet: the product sends no push messages (issue 7)"},
	}
}
