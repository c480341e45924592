package command

import (
	"errors"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/limit"
)

// LimitFlags returns a flag for each row of a table.
func LimitFlags[C any](t limit.Table[C]) []cli.Flag {
	flags := make([]cli.Flag, 0, len(t))
	for _, r := range t {
		kind := "`NUMBER`"
		switch {
		case r.Bytes != nil:
			kind = "`BYTES`"
		case r.Time != nil:
			kind = "`TIME`"
		}
		flags = append(flags, text(r.Name, r.Format(r.Default), kind+": "+r.What))
	}
	return flags
}

// ReadLimits puts what the flags of a table say into a config.
func ReadLimits[C any](cmd *cli.Command, t limit.Table[C], c *C) error {
	var wrong []error
	for _, r := range t {
		n, err := r.Parse(cmd.String(r.Name))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		r.Set(c, n)
	}
	return errors.Join(wrong...)
}
