package main

// properties is everything that is tried, in the order of the report.
func properties() []property {
	return []property{
		killed(),
		failpoints(),
		stopped(),
		databaseGone(),
		frozen(),
		modelFaults(),
		modelDown(),
		mailFaults(),
		poisoned(),
		crowded(),
		slowDatabase(),
		bytesKept(),
		erased(),
		attackedBy(),
		lookalikes(),
		headers(),
		forged(),
		replayed(),
		canaries(),
		templated(),
		parsed(),
		budgeted(),
		operated(),
		supplied(),
		restoredBackup(),
		twoVersions(),
	}
}
