//go:build !unix

package cost

import "time"

var began = time.Now()

// CPU returns the time since the process began, where its own can't be asked for: other
// work on the machine counts.
func CPU() time.Duration { return time.Since(began) }
