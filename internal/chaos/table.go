package main

// properties is everything that is tried, in the order of the report.
func properties() []property {
	return []property{
		killed(),
		databaseGone(),
		poisoned(),
		attackedBy(),
		crowded(),
		forged(),
		replayed(),
	}
}
