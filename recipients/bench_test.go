package recipients_test

import (
	"testing"

	"aftercall/deliver"
	"aftercall/recipients"
)

// BenchmarkAddress is who hears of a conversation, as it is looked up once for the plan and once for the send.
func BenchmarkAddress(b *testing.B) {
	d := clinic()
	for _, bench := range []struct {
		name, channel string
		to            recipients.Target
	}{
		{"address", deliver.Email, fixed("support@acme.example")}, {"person", deliver.Email, person("maria")},
		{"contact", deliver.Email, contact("customer_email")}, {"contact's number", deliver.SMS, contact("customer_number")},
	} {
		b.Run(bench.name, func(b *testing.B) {
			to := []recipients.Target{bench.to}
			b.ReportAllocs()
			for b.Loop() {
				rs, left := d.Resolve(to, nil, bench.channel, ana)
				if len(left) > 0 || len(rs) != 1 {
					b.Fatal(rs, left)
				}
			}
		})
	}
}
