package payload_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/payload"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

func TestSync(t *testing.T) {
	for _, test := range []struct {
		payload string
		kind    dialect.Kind
		body    string
		rest    string
	}{
		{"00 01 00", dialect.Step1, "00", ""},
		{"00 03 01 05 06 ff", dialect.Step1, "01 05 06", "ff"},
		{"01 02 00 00", dialect.Step2, "00 00", ""},
		{"02 01 05 02 01 06", dialect.Update, "05", "02 01 06"},
		{"02 00", dialect.Update, "", ""}, // empty: the room refuses it
	} {
		src := dialecttest.Bytes(t, test.payload)
		m, rest, err := payload.Sync(src)
		if err != nil || m.Kind != test.kind || !bytes.Equal(m.Body, dialecttest.Bytes(t, test.body)) || !bytes.Equal(rest, dialecttest.Bytes(t, test.rest)) {
			t.Errorf("%s: %v, rest % x, %v", test.payload, m, rest, err)
			continue
		}
		if again := payload.AppendSync(nil, m); !bytes.HasPrefix(src, again) || len(again)+len(rest) != len(src) {
			t.Errorf("%s is spelled % x here", test.payload, again)
		}
	}
	for _, bad := range []string{"", "00", "00 01", "00 02 01 05", "00 02 00 00", "00 00", "03 01 00", "80"} {
		if m, _, err := payload.Sync(dialecttest.Bytes(t, bad)); err == nil {
			t.Errorf("%q is understood as %v", bad, m)
		}
	}
}

func TestStateVector(t *testing.T) {
	for vector, ok := range map[string]bool{
		"00": true, "01 05 06": true, "02 05 06 07 08": true, "01 ff ff ff ff 0f 00": true,
		"": false, "80": false, "01": false, "01 05": false, "00 00": false, "01 05 06 00": false, "02 05 06": false,
		"ff ff ff ff ff ff ff 0f 01 02": false, "01 ff ff ff ff ff ff ff ff 0f 00": false,
	} {
		if err := payload.StateVector(dialecttest.Bytes(t, vector)); (err == nil) != ok {
			t.Errorf("%q: %v", vector, err)
		}
	}
	claimed := append(dialecttest.Bytes(t, "ff ff ff ff 0f"), make([]byte, 64)...)
	if allocs := testing.AllocsPerRun(10, func() {
		if err := payload.StateVector(claimed); !errors.Is(err, lib0.ErrTruncated) {
			t.Errorf("%v", err)
		}
	}); allocs > 10 {
		t.Errorf("%.0f allocations for a claim", allocs)
	}
}

func TestAwarenessIsDecodedToItsLastByte(t *testing.T) {
	m, rest, err := payload.Awareness(dialecttest.Bytes(t, "06 01 2a 07 02 7b 7d 09"))
	if err != nil || m.Kind != dialect.Awareness || !bytes.Equal(m.Body, dialecttest.Bytes(t, "01 2a 07 02 7b 7d")) || !bytes.Equal(rest, []byte{9}) {
		t.Errorf("%v, rest % x, %v", m, rest, err)
	}
	for _, bad := range []string{"", "00", "01", "02 00 00", "04 01 2a 07 01", "05 01 2a 07 01 ff", "07 01 2a 07 02 7b 7d", "07 01 2a 07 02 7b 7d 00"} {
		if m, _, err := payload.Awareness(dialecttest.Bytes(t, bad)); err == nil {
			t.Errorf("%q is understood as %v", bad, m)
		}
	}
}

func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"00 01 00", "01 02 00 00", "02 01 05", "06 01 2a 07 02 7b 7d", "08 01 2a 07 04 6e 75 6c 6c", "00 05 02 05 06 07 08"} {
		f.Add(dialecttest.Bytes(f, seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if m, rest, err := payload.Sync(src); err == nil {
			again, left, err := payload.Sync(payload.AppendSync(nil, m))
			if err != nil || len(left) > 0 || again.Kind != m.Kind || !bytes.Equal(again.Body, m.Body) || len(m.Body)+len(rest) > len(src) {
				t.Fatalf("%v came back as %v, %v", m, again, err)
			}
		}
		if m, rest, err := payload.Awareness(src); err == nil {
			framed := lib0.AppendVarBytes(nil, m.Body)
			again, left, err := payload.Awareness(framed)
			if err != nil || len(left) > 0 || !bytes.Equal(again.Body, m.Body) || len(m.Body)+len(rest) > len(src) {
				t.Fatalf("%v came back as %v, %v", m, again, err)
			}
		}
		_ = payload.StateVector(src)
	})
}
