package deliver

import "strings"

// The alphabet of text messages (3GPP TS 23.038, section 6.2.1). What stands in the second list takes two places.
const (
	gsm      = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwice = "\f^{}\\[~]|€"
)

// MostSegments is how many pieces one text message may take: each is paid for, and Twilio's limit of 1,600 characters is
// reached soon after.
const MostSegments = 10

// Segments is how a text goes over the air: in how many pieces, each of which is paid for, and in which alphabet. One
// character outside the short alphabet makes every piece of the message shorter.
type Segments struct {
	Count    int
	Unicode  bool // UCS-2: 70 characters in a piece, 67 of several; else 160 and 153
	Units    int  // what the text takes of them
	Capacity int  // what Count pieces hold
}

// Encoding is the alphabet's usual name.
func (s Segments) Encoding() string {
	if s.Unicode {
		return "UCS-2"
	}
	return "GSM-7"
}

// SegmentsOf counts the pieces of a text message.
func SegmentsOf(text string) Segments {
	sizes, unicode := gsmSizes(text)
	single, part := 160, 153
	if unicode {
		sizes, single, part = ucsSizes(text), 70, 67
	}
	s := Segments{Unicode: unicode}
	for _, n := range sizes {
		s.Units += n
	}
	if s.Units <= single {
		s.Count, s.Capacity = min(len(sizes), 1), single
		return s
	}
	room := 0
	for _, n := range sizes {
		if room < n { // a character is never cut in two
			s.Count, room = s.Count+1, part
		}
		room -= n
	}
	s.Capacity = s.Count * part
	return s
}

// InShortAlphabet reports whether a character can be sent in the short alphabet.
func InShortAlphabet(r rune) bool {
	return strings.ContainsRune(gsm, r) || strings.ContainsRune(gsmTwice, r)
}

// gsmSizes gives the places each character takes in the short alphabet; unicode if one has none.
func gsmSizes(text string) (sizes []int, unicode bool) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm, r):
			sizes = append(sizes, 1)
		case strings.ContainsRune(gsmTwice, r):
			sizes = append(sizes, 2)
		default:
			return nil, true
		}
	}
	return sizes, false
}

// ucsSizes gives the 16-bit units each character takes.
func ucsSizes(text string) []int {
	var sizes []int
	for _, r := range text {
		if r > 0xffff {
			sizes = append(sizes, 2)
			continue
		}
		sizes = append(sizes, 1)
	}
	return sizes
}
