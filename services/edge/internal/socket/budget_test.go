package socket_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

// TestBudgetRead reads bodies: what one holds, others can't have, until it is given
// back, however reading ended.
func TestBudgetRead(t *testing.T) {
	const all, most = 100 << 10, 80 << 10
	b := socket.NewBudget(all)
	body := strings.Repeat("x", 60<<10) // takes 4+8+16+32 KiB
	data, free, err := b.Read(strings.NewReader(body), most)
	if err != nil || string(data) != body || b.Left() != all-60<<10 {
		t.Fatalf("%d bytes, %v, %d left", len(data), err, b.Left())
	}
	_, freeOther, err := b.Read(strings.NewReader(body), most)
	if !errors.Is(err, socket.ErrNoRoom) {
		t.Errorf("a second one: %v, want none", err)
	}
	freeOther()
	free()
	roomy := socket.NewBudget(2 * all)
	for _, test := range []struct {
		r    io.Reader
		want error
	}{
		{bytes.NewReader(make([]byte, most)), nil},
		{bytes.NewReader(make([]byte, most+1)), socket.ErrTooLarge},
		{iotest.TimeoutReader(strings.NewReader(body)), iotest.ErrTimeout},
	} {
		data, free, err := roomy.Read(test.r, most)
		if !errors.Is(err, test.want) || (err == nil && len(data) != most) {
			t.Errorf("%d bytes, %v, want %v", len(data), err, test.want)
		}
		free()
	}
	if roomy.Left() != 2*all {
		t.Errorf("%d bytes are left, want %d", roomy.Left(), 2*all)
	}
	if b.Left() != all {
		t.Errorf("%d bytes are left, want %d", b.Left(), all)
	}
}
