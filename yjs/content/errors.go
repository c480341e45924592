package content

import (
	"errors"
	"fmt"
	"math"

	"github.com/fjord-sync/fjord/yjs"
)

// The kinds of refusal, beside yjs.ErrMalformed and yjs.ErrLimit. Every error of
// this package is one of them in the sense of errors.Is.
var (
	// ErrRange means an index or a length beyond the end of a type, a type that is
	// deleted or of another view, or a client that can't edit.
	ErrRange = errors.New("out of range")
	// ErrValue means a value that can't be stored where it was put.
	ErrValue = errors.New("value can't be stored")
	// ErrBusy means that another edit of the view is under way, or that this one
	// was committed.
	ErrBusy = errors.New("can't edit now")
)

const (
	// MaxNesting is how deep shared types may nest in each other. A yjs.Document takes
	// no deeper ones, but bytes may come from elsewhere.
	MaxNesting = yjs.MaxNesting
	// maxBytes keeps offsets into an update within 32 bits, and within an int where
	// those are shorter.
	maxBytes = min(math.MaxUint32, math.MaxInt)
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("content: %w: %s", yjs.ErrMalformed, fmt.Sprintf(format, args...))
}

func overLimit(format string, args ...any) error {
	return fmt.Errorf("content: %w: %s", yjs.ErrLimit, fmt.Sprintf(format, args...))
}

func outOfRange(format string, args ...any) error {
	return fmt.Errorf("content: %w: %s", ErrRange, fmt.Sprintf(format, args...))
}

func badValue(format string, args ...any) error {
	return fmt.Errorf("content: %w: %s", ErrValue, fmt.Sprintf(format, args...))
}
