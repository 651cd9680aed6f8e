package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"aftercall/rehearsal"
)

// eval measures what models make of a set of calls about which something is certain: a labelled set, or authors' tests.
func eval(flags *flag.FlagSet) action {
	repeat := flags.Int("repeat", 1, "how often each call is asked about")
	models := flags.String("model", "", "`models` to compare, with commas between; simulated for the one without a key")
	least := flags.Float64("min-precision", 0, "fail if a trigger's precision is below this `share`, such as 0.95")
	price := flags.String("price", "", "what a million tokens cost in dollars, `in,out`, such as 0.40,1.60; with several models one for each, with spaces between, or one for all")
	file := flags.String("json", "", "write the figures to this `file`, too")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) != 1 {
			return wrong("name a set: a folder of labelled conversations, or of tests")
		}
		if *repeat < 1 || *repeat > 100 {
			return wrong("--repeat wants a number from 1 to 100")
		}
		names := strings.Split(*models, ",")
		prices, err := pricesOf(*price, len(names))
		if err != nil {
			return err
		}
		set, err := setIn(c, args[0])
		if err != nil {
			return err
		}
		reports, err := evaluate(ctx, c, names, set, *repeat)
		if err != nil {
			return err
		}
		if err := rehearsal.PrintReports(c.out, reports, prices); err != nil {
			return err
		}
		if *file != "" {
			if err := writeReports(*file, reports); err != nil {
				return err
			}
		}
		return judged(c, reports, *least)
	}
}

// setIn reads a labelled set, or the tests under a folder as one.
func setIn(c *console, path string) ([]rehearsal.Sample, error) {
	if rehearsal.IsLabelled(path) {
		return rehearsal.Labelled(path)
	}
	suites, err := suitesIn(c, path)
	if err != nil {
		return nil, err
	}
	var set []rehearsal.Sample
	for _, s := range suites {
		set = append(set, s.Samples()...)
	}
	return set, nil
}

// evaluate asks one model after another.
func evaluate(ctx context.Context, c *console, models []string, set []rehearsal.Sample, repeat int) ([]rehearsal.Report, error) {
	var reports []rehearsal.Report
	for _, name := range models {
		model, err := modelFor(c, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(c.err, "asking %s about %d conversations\n", model.says(), len(set))
		r, err := rehearsal.Evaluate(ctx, model, set, repeat)
		model.stop()
		if err != nil {
			return nil, err
		}
		if r.Model == "" {
			r.Model = model.name // it answered nothing
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// judged is an error if a bound is missed, or if calls could not be asked about.
func judged(c *console, reports []rehearsal.Report, least float64) error {
	fine := true
	for _, r := range reports {
		fine = fine && r.Failures == 0
		for _, t := range r.Below(least) {
			fmt.Fprintf(c.out, "%s: the precision of %s is %s, below %.2f\n", r.Model, t.ID, t.Precision(), least)
			fine = false
		}
	}
	if !fine {
		return errQuiet
	}
	return nil
}

// pricesOf reads a price for each of so many models, or one for all of them.
func pricesOf(s string, models int) (all []rehearsal.Price, err error) {
	for _, one := range strings.Fields(s) {
		in, out, _ := strings.Cut(one, ",")
		p := rehearsal.Price{In: dollars(in), Out: dollars(out)}
		if p.In < 0 || p.Out < 0 {
			return nil, wrong("--price wants two numbers, such as 0.40,1.60")
		}
		all = append(all, p)
	}
	if len(all) > 1 && len(all) != models {
		return nil, wrong("--price has %d prices for %d %s", len(all), models, plural(models, "model"))
	}
	return all, nil
}

// dollars reads an amount; -1 is none.
func dollars(s string) float64 {
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n < 1e6 {
		return n
	}
	return -1
}

func writeReports(file string, reports []rehearsal.Report) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	enc.SetIndent("", "  ")
	return errors.Join(enc.Encode(map[string]any{"models": reports}), f.Close())
}
