package automation

// Nearest is the word an author probably meant, for what stands beside the config; "" if none is near.
func Nearest(word string, words []string) string { return nearest(word, words) }
