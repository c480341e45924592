package storage

import (
	"errors"
	"io"
)

// joinClose closes what an Open that failed with err has opened already, and
// returns err with what that led to.
func joinClose(err error, opened io.Closer) error {
	return errors.Join(err, opened.Close())
}
