package dashboard

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// stretch is a piece of time as it is drawn: work, wait, or the tone of how it ended.
type stretch struct {
	kind     string
	from, to time.Time
}

func working(from, to time.Time) stretch { return stretch{"work", from, latest(from, to)} }
func waiting(from, to time.Time) stretch { return stretch{"wait", from, latest(from, to)} }

// axis places moments on a width of a thousand. A message that waits for an hour would leave a call's two seconds of work no
// room to be seen, so a stretch grows with the logarithm of how long it took: longer is wider, and nothing disappears.
type axis struct {
	edges []time.Time // in order, each once
	place []int
}

const axisWidth = 1000

func newAxis(drawn []stretch) axis {
	var a axis
	for _, s := range drawn {
		a.edges = append(a.edges, s.from, s.to)
	}
	slices.SortFunc(a.edges, time.Time.Compare)
	a.edges = slices.CompactFunc(a.edges, time.Time.Equal)
	sums, sum := make([]float64, len(a.edges)), 0.0
	for i := 1; i < len(a.edges); i++ {
		const unit = 20 * time.Millisecond
		sum += math.Log2(1 + float64(a.edges[i].Sub(a.edges[i-1]))/float64(unit))
		sums[i] = sum
	}
	a.place = make([]int, len(a.edges))
	for i := 1; i < len(a.edges); i++ {
		a.place[i] = int(sums[i] / sum * axisWidth)
	}
	return a
}

func (a axis) index(t time.Time) int {
	i, _ := slices.BinarySearchFunc(a.edges, t, time.Time.Compare)
	return i
}

// at places a moment that is an edge.
func (a axis) at(t time.Time) int { return a.place[a.index(t)] }

// span is the time from the first to the last edge.
func (a axis) span() time.Duration {
	if len(a.edges) == 0 {
		return 0
	}
	return a.edges[len(a.edges)-1].Sub(a.edges[0])
}

// latest is the later of two times.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// lasting writes a span of time as a reader compares it: as exact as it matters.
func lasting(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// lastingOr is lasting; what took no time, or is not known, says nothing.
func lastingOr(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return lasting(d)
}
