package ywebsocket_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

var yws ywebsocket.Dialect

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		frame string
		kinds []dialect.Kind
		body  string // of the first message
	}{
		{"00 00 01 00", []dialect.Kind{dialect.Step1}, "00"},
		{"00 00 03 01 05 06", []dialect.Kind{dialect.Step1}, "01 05 06"},
		{"00 01 02 00 00", []dialect.Kind{dialect.Step2}, "00 00"},
		{"00 02 00", []dialect.Kind{dialect.Update}, ""},
		{"00 02 03 61 62 63", []dialect.Kind{dialect.Update}, "61 62 63"},
		{"01 01 00", []dialect.Kind{dialect.Awareness}, "00"},
		{"01 06 01 2a 07 02 7b 7d", []dialect.Kind{dialect.Awareness}, "01 2a 07 02 7b 7d"},
		{"01 08 01 2a 07 04 6e 75 6c 6c", []dialect.Kind{dialect.Awareness}, "01 2a 07 04 6e 75 6c 6c"},
		{"02 00 02 6e 6f", []dialect.Kind{dialect.Denied}, "6e 6f"},
		{"03", []dialect.Kind{dialect.QueryAwareness}, ""},
		{"03 00 ff 80", []dialect.Kind{dialect.QueryAwareness}, ""},
		{"00 00 01 00 01 01 00 00 02 01 05 03", []dialect.Kind{dialect.Step1, dialect.Awareness, dialect.Update, dialect.QueryAwareness}, "00"},
		// lib0 reads numbers that are spelled longer than they need be.
		{"80 00 82 00 81 00 05", []dialect.Kind{dialect.Update}, "05"},
	} {
		messages, err := yws.Decode(nil, dialecttest.Bytes(t, test.frame))
		if err != nil {
			t.Errorf("%s: %v", test.frame, err)
			continue
		}
		var kinds []dialect.Kind
		for _, m := range messages {
			kinds = append(kinds, m.Kind)
		}
		if !slices.Equal(kinds, test.kinds) {
			t.Errorf("%s: %v, want %v", test.frame, kinds, test.kinds)
		} else if want := dialecttest.Bytes(t, test.body); !bytes.Equal(messages[0].Body, want) {
			t.Errorf("%s: body % x, want % x", test.frame, messages[0].Body, want)
		}
	}
}

// Every beginning of a frame is refused, or is a frame of its own.
func TestTruncatedFrames(t *testing.T) {
	whole := dialecttest.Bytes(t, "00 02 03 61 62 63 01 06 01 2a 07 02 7b 7d 00 00 03 01 05 06")
	ends := []int{6, 14, 20}
	for i := range whole {
		_, err := yws.Decode(nil, whole[:i])
		if (err == nil) != slices.Contains(ends, i) {
			t.Errorf("%d of %d bytes: %v", i, len(whole), err)
		}
	}
}

func TestAwarenessSizeIsBounded(t *testing.T) {
	state := append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, 1<<20)...), '"')
	body := lib0.AppendVarBytes([]byte{1, 42, 1}, state)
	frame := lib0.AppendVarBytes([]byte{1}, body)
	if _, err := yws.Decode(nil, frame); err == nil {
		t.Errorf("%d bytes of awareness were understood", len(body))
	}
}

func TestAppend(t *testing.T) {
	for _, test := range []struct {
		m     dialect.Message
		frame string
	}{
		{dialect.Message{Kind: dialect.Step1, Body: []byte{0}}, "00 00 01 00"},
		{dialect.Message{Kind: dialect.Step2, Body: []byte{0, 0}}, "00 01 02 00 00"},
		{dialect.Message{Kind: dialect.Update, Body: []byte("abc")}, "00 02 03 61 62 63"},
		{dialect.Message{Kind: dialect.Awareness, Body: []byte{0}}, "01 01 00"},
		{dialect.Message{Kind: dialect.QueryAwareness}, "03"},
		{dialect.Message{Kind: dialect.Denied, Body: []byte("no")}, "02 00 02 6e 6f"},
		{dialect.Message{Kind: dialect.Saved}, ""},
		{dialect.Message{Kind: dialect.Refused, Body: []byte("no")}, ""},
		{dialect.Message{}, ""},
	} {
		if got := yws.Append(nil, test.m); !bytes.Equal(got, dialecttest.Bytes(t, test.frame)) {
			t.Errorf("%v: % x, want %s", test.m.Kind, got, test.frame)
		}
	}
	long := bytes.Repeat([]byte{7}, 300)
	got := yws.Append(nil, dialect.Message{Kind: dialect.Update, Body: long})
	if want := append([]byte{0, 2, 0xac, 2}, long...); !bytes.Equal(got, want) || cap(got) != len(got) {
		t.Errorf("300 bytes: % x… in %d bytes", got[:8], cap(got))
	}
}

func BenchmarkDecodeKeystroke(b *testing.B) {
	frame := dialecttest.Bytes(b, "00 02 12 01 01 2a 00 04 01 04 74 65 78 74 05 68 65 6c 6c 6f 00")
	var messages []dialect.Message
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if messages, err = yws.Decode(messages[:0], frame); err != nil {
			b.Fatal(err)
		}
	}
}
