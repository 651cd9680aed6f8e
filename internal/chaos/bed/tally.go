package bed

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// Tally counts the mails of one run. A call belongs to the run that its id names before the last hyphen.
type Tally struct {
	Mails    int // that came
	Distinct int // of them, those of different calls or automations
	Calls    map[string]TalliedCall
}

// TalliedCall counts the mails of one call.
type TalliedCall struct {
	Mails     int
	By        map[string]int // mails by automation
	FirstNano int64          `json:"first_nano"`
	LastNano  int64          `json:"last_nano"` // when the last mail came that was not a double, in nanoseconds since 1970
}

// Last is when the call's last mail came.
func (c TalliedCall) Last() time.Time { return time.Unix(0, c.LastNano) }

// Await waits until a run has so many different mails, or most has passed, and returns its counts without the calls.
func (b *Bed) Await(ctx context.Context, run string, mails int, most time.Duration) (t Tally, err error) {
	for until := time.Now().Add(most); ; {
		if err := b.read(ctx, fmt.Sprintf("/tally?run=%s&await=%d", url.QueryEscape(run), mails), &t); err != nil {
			return t, err
		}
		if t.Distinct >= mails || time.Now().After(until) {
			return t, ctx.Err()
		}
	}
}

// Tallied returns the counts of a run, call by call.
func (b *Bed) Tallied(ctx context.Context, run string) (t Tally, err error) {
	return t, b.read(ctx, "/tally?whole=1&run="+url.QueryEscape(run), &t)
}
