package recipients

import (
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Zone gives the time zone that all these recipient keys have: a person's own, or that of a phone number all of whose places are in
// one. nil if one is not known, or they have several.
func (d Directory) Zone(keys []string, c ContactRecord) (loc *time.Location) {
	for _, key := range keys {
		one := d.zone(key, c)
		if one == nil || loc != nil && one.String() != loc.String() {
			return nil
		}
		loc = one
	}
	return loc
}

func (d Directory) zone(key string, c ContactRecord) *time.Location {
	kind, value, _ := strings.Cut(key, ":")
	switch kind {
	case "person":
		return d.People[value].Location
	case "contact":
		return zoneOf(c.Number, d.Region)
	case "phone":
		return zoneOf(value, d.Region)
	}
	return nil
}

// zoneOf is the zone of a number whose prefix lies in one only, as libphonenumber's map has it; nil for every other: a guess would
// ring somebody at night.
func zoneOf(number, region string) *time.Location {
	e164, p := Phone(number, region)
	if p != nil {
		return nil
	}
	names, err := phonenumbers.GetTimezonesForPrefix(e164)
	if err != nil || len(names) != 1 || names[0] == phonenumbers.UNKNOWN_TIMEZONE {
		return nil
	}
	loc, err := time.LoadLocation(names[0])
	if err != nil {
		return nil
	}
	return loc
}
