package limit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// units are those of bytes, the largest first.
var units = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// Format writes a value as a flag takes it: 1000, 16MiB, 40s.
func (r Row[C]) Format(n int64) string {
	switch {
	case r.Time != nil:
		return short(time.Duration(n).String())
	case r.Bytes != nil:
		for _, u := range units {
			if n != 0 && n%u.size == 0 {
				return strconv.FormatInt(n/u.size, 10) + u.name
			}
		}
	}
	return strconv.FormatInt(n, 10)
}

// short leaves out the zeros of 1m0s and 1h0m0s.
func short(s string) string {
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Parse reads a flag's value. It refuses what the row's bounds forbid.
func (r Row[C]) Parse(s string) (int64, error) {
	n, err := r.parse(s)
	if err != nil {
		return 0, fmt.Errorf("--%s %s: %w", r.Name, s, err)
	}
	return n, r.check(n)
}

var (
	errBytes = errors.New("want bytes, as in 65536, 64KiB or 16MiB")
	errTime  = errors.New("want a time, as in 500ms, 40s or 2m")
	errCount = errors.New("want a number, as in 1000")
)

func (r Row[C]) parse(s string) (int64, error) {
	if r.Time != nil {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errTime
		}
		return int64(d), nil
	}
	wrong, size := errCount, int64(1)
	if r.Bytes != nil {
		wrong = errBytes
		for _, u := range units {
			if number, ok := strings.CutSuffix(s, u.name); ok {
				s, size = number, u.size
				break
			}
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxInt64/size || n < 0 {
		return 0, wrong
	}
	return n * size, nil
}
