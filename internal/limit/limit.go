// Package limit writes down what is bounded as a table, one Row a limit: the row
// gives the flag and its environment twin, the default, the bounds, the metric's
// label and the line in docs/limits.md, so that none of them can be forgotten.
//
//	var Limits = limit.Table[Config]{ {Name: "max-frame", …}, … }
//
//	Limits.Fill(&config)          zeros become defaults; what can't be is refused
//	limit.NewReached(…, Limits)   a counter for each row
//	Limits.Markdown()             the rows for docs/limits.md
//
// It knows nothing of flags: internal/command makes them of a Table.
package limit

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Row is one limit, kept in a field of a config C. Exactly one of Count, Bytes
// and Time is set.
type Row[C any] struct {
	// Name is that of the flag without its dashes, and the metric's label.
	Name string
	// What is bounded, and Then what becomes of who goes over it: half a line
	// each, as in docs/limits.md. What is the flag's help too.
	What, Then string
	// Count, Bytes and Time point at the limit in a config.
	Count, Bytes func(*C) *int
	Time         func(*C) *time.Duration
	// Default is what 0 means: a number, bytes, or nanoseconds.
	Default int64
	// Least and Most bound what may be asked for. 0: at least 1, and
	// at most what nobody needs: 1 PiB, as many, or a year.
	Least, Most int64
}

// Table is the limits of a config.
type Table[C any] []Row[C]

// Get returns what a config says.
func (r Row[C]) Get(c *C) int64 {
	if r.Time != nil {
		return int64(*r.Time(c))
	}
	return int64(*r.field(c))
}

// Set changes what a config says.
func (r Row[C]) Set(c *C, n int64) {
	if r.Time != nil {
		*r.Time(c) = time.Duration(n)
		return
	}
	*r.field(c) = int(n)
}

func (r Row[C]) field(c *C) *int {
	if r.Bytes != nil {
		return r.Bytes(c)
	}
	return r.Count(c)
}

// Fill replaces zeros by the defaults, and says what is wrong with the rest.
func (t Table[C]) Fill(c *C) error {
	var wrong []error
	for _, r := range t {
		if r.Get(c) == 0 {
			r.Set(c, r.Default)
		}
		wrong = append(wrong, r.check(r.Get(c)))
	}
	return errors.Join(wrong...)
}

// Who uses a limit may multiply it: no row goes further than these.
const (
	mostCount = 1 << 50
	mostTime  = 365 * 24 * time.Hour
)

func (r Row[C]) check(n int64) error {
	least, most := max(r.Least, 1), int64(mostCount)
	if r.Time != nil {
		most = int64(mostTime)
	}
	if r.Most > 0 {
		most = r.Most
	}
	switch {
	case n < least:
		return fmt.Errorf("--%s %s: want at least %s", r.Name, r.Format(n), r.Format(least))
	case n > most:
		return fmt.Errorf("--%s %s: want at most %s", r.Name, r.Format(n), r.Format(most))
	default:
		return nil
	}
}

// Markdown returns the table's rows for docs/limits.md: what is bounded, the
// default, the flag, and what becomes of who goes over it.
func (t Table[C]) Markdown() string {
	var b strings.Builder
	for _, r := range t {
		fmt.Fprintf(&b, "| %s | %s | `--%s` | %s |\n", r.What, r.Format(r.Default), r.Name, r.Then)
	}
	return b.String()
}
