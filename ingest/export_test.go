package ingest

// Sample is what a platform posts, for the tests that look from outside.
func Sample(kind string) string { return samples[kind] }
