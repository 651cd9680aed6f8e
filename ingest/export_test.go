package ingest

// Sample is what a platform posts, for the tests that look from outside.
func Sample(kind string) string { return samples[kind] }

// Parts are the events in which a platform tells of one call.
func Parts(kind string) []string { return partsOf[kind] }
