package main

// suites is everything that is tried, in the order of the report: each folder of the data has a line.
func suites() []suite {
	return []suite{
		conversations(),
		jsonSuite(),
		signatures(),
		twilioSignatures(),
		eventSignatures(),
		segments(),
		fixtures(),
		addresses(),
		phones(),
		webAddresses(),
		specification("handlebars-spec"),
		specification("mustache-spec"),
		naughtyStrings(),
		scripts(),
		{name: "prompt-injection", absent: "tried by `make chaos`, which splices every row into calls (S1) and counts false alarms (S3)"},
		pushes(),
	}
}
