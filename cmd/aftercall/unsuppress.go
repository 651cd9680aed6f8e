package main

import (
	"context"
	"errors"
	"fmt"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/recipients"
)

// unsuppress has an address written to again that came back, or whose owner had opted out. Nothing that was left out is sent by it.
func unsuppress(ctx context.Context, c *console, args []string) error {
	if len(args) != 3 {
		return wrong("name the account, email or sms, and the address")
	}
	account, channel := args[0], args[1]
	var address string
	var no *recipients.Problem
	switch channel {
	case deliver.Email:
		address, no = recipients.Email(args[2])
	case deliver.SMS:
		address, no = recipients.Phone(args[2], "")
	default:
		return wrong("messages are kept from addresses by email and sms; %s is neither", channel)
	}
	if no != nil {
		return fmt.Errorf("%s: %s", no.Message, no.Help)
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := accountsOf(ctx, db, account); err != nil {
		return err
	}
	switch err := db.Unsuppress(ctx, store.Actor{Name: whoIsIt()}, account, channel, address); {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("account %s leaves no such address out of what goes by %s", account, channel)
	case err != nil:
		return err
	}
	fmt.Fprintf(c.out, "from now on account %s writes to this address again by %s; resend what was left out\n", account, channel)
	return nil
}
