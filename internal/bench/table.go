package main

// measurements are all there are, in the order in which they are taken.
func measurements() []measurement {
	return []measurement{
		floor(), throughput(), arriving(), backlog(), slowProvider(), memory(), first(), kill(), cost(), history(), rivals(),
	}
}
