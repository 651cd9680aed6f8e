package dashboard

import (
	"fmt"

	"aftercall/worker"
)

// chart is bars drawn on the server: it needs no script, and what it shows stands in a table under it as well.
type chart struct {
	ID, Title   string
	Bars        []chartBar
	Width       int // of its own coordinates; the page stretches it
	First, Last string
	Most        string // the highest value; "" if there is nothing to show
	Marked      bool
}

// column is one value.
type column struct {
	Label, Says string
	Value       int
	Mark        string // what happened there; "" for nothing
}

// chartBar is one bar in the chart's coordinates.
type chartBar struct {
	X, Y, Width, Height int
	Middle              int
	Says, Mark          string
}

// The chart's coordinates.
const (
	barWidth    = 16
	barGap      = 4
	chartHeight = 100
)

func newChart(id, title string, bars []column) chart {
	c := chart{ID: id, Title: title, Width: max(len(bars), 1) * (barWidth + barGap)}
	most := 0
	for _, b := range bars {
		most = max(most, b.Value)
	}
	if most > 0 {
		c.Most = worker.Amount(most)
	}
	for i, b := range bars {
		height := 0
		if b.Value > 0 {
			height = max(b.Value*chartHeight/most, 1)
		}
		v := chartBar{X: i*(barWidth+barGap) + barGap/2, Y: chartHeight - height, Width: barWidth, Height: height, Says: b.Says, Mark: b.Mark}
		v.Middle = v.X + barWidth/2
		if b.Mark != "" {
			v.Says = fmt.Sprintf("%s; revision %s became active", b.Says, b.Mark)
			c.Marked = true
		}
		c.Bars = append(c.Bars, v)
	}
	if len(bars) > 0 {
		c.First, c.Last = bars[0].Label, bars[len(bars)-1].Label
	}
	return c
}
