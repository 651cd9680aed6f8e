package main

import (
	"context"
	"fmt"

	"aftercall/migrations"
)

// migrate brings the schema up to date, takes the last step back, or says where it stands.
func migrate(ctx context.Context, c *console, args []string) error {
	s, err := checkedSettings(c, needs{database: true})
	if err != nil {
		return err
	}
	step := "up"
	if len(args) == 1 {
		step = args[0]
	}
	switch {
	case len(args) > 1:
		return wrong("up, down-one or status")
	case step == "up":
		err = migrations.Up(ctx, string(s.DatabaseURL))
	case step == "down-one":
		err = migrations.DownOne(ctx, string(s.DatabaseURL))
	case step != "status":
		return wrong("up, down-one or status")
	}
	if err != nil {
		return err
	}
	rows, err := migrations.Status(ctx, string(s.DatabaseURL))
	if err != nil {
		return err
	}
	for _, r := range rows {
		state := "not applied"
		if r.Applied {
			state = "applied " + r.AppliedAt.UTC().Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(c.out, "%05d %-20s %s\n", r.Number, r.Name, state)
	}
	return nil
}
