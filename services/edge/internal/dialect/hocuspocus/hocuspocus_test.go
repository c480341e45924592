package hocuspocus_test

import (
	"bytes"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/hocuspocus"
)

var hp hocuspocus.Dialect

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		frame   string
		kind    dialect.Kind
		address string
		body    string
		opens   bool
	}{
		{"03 646f63 02 00 02 7277 05 342e352e30", dialect.Token, "doc", "7277", true},
		{"03 646f63 02 00 02 7277", dialect.Token, "doc", "7277", true},
		{"03 646f63 02 00 00", dialect.Token, "doc", "", true},
		{"03 646f63 00 00 01 00", dialect.Step1, "doc", "00", true},
		{"05 646f63 00 73 00 00 01 00", dialect.Step1, "doc\x00s", "00", true},
		{"03 646f63 00 01 02 00 00", dialect.Step2, "doc", "0000", false},
		{"03 646f63 00 02 01 05", dialect.Update, "doc", "05", false},
		{"03 646f63 01 06 01 2a 00 02 7b7d", dialect.Awareness, "doc", "012a00027b7d", true},
		{"03 646f63 03", dialect.QueryAwareness, "doc", "", true},
		{"03 646f63 04 00 01 00", dialect.Illegal, "doc", "-", false},
		{"03 646f63 05 02 6869", dialect.Stateless, "doc", "6869", false},
		{"03 646f63 06 02 6869", dialect.Illegal, "doc", "-", false},
		{"03 646f63 07", dialect.Leave, "doc", "", false},
		{"09", dialect.Ignored, "", "", false},
		{"0a", dialect.Ignored, "", "", false},
	} {
		messages, err := hp.Decode(nil, dialecttest.Bytes(t, test.frame))
		if err != nil || len(messages) != 1 {
			t.Errorf("%s: %v, %v", test.frame, messages, err)
			continue
		}
		m := messages[0]
		if m.Kind != test.kind || m.Address != test.address {
			t.Errorf("%s: %v for %q, want %v for %q", test.frame, m.Kind, m.Address, test.kind, test.address)
		}
		if test.body != "-" && !bytes.Equal(m.Body, dialecttest.Bytes(t, test.body)) {
			t.Errorf("%s: body % x, want %s", test.frame, m.Body, test.body)
		}
		if opens := hp.Opens(dialecttest.Bytes(t, test.frame)); opens != test.opens {
			t.Errorf("%s: opens %v, want %v", test.frame, opens, test.opens)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, test := range []struct {
		m     dialect.Message
		frame string
	}{
		{dialect.Message{Kind: dialect.Step1, Body: []byte{0}}, "03646f63 00 00 01 00"},
		{dialect.Message{Kind: dialect.Step2, Body: []byte{0, 0}}, "03646f63 00 01 02 00 00"},
		{dialect.Message{Kind: dialect.Update, Body: []byte("abc")}, "03646f63 00 02 03 616263"},
		{dialect.Message{Kind: dialect.Awareness, Body: []byte{0}}, "03646f63 01 01 00"},
		{dialect.Message{Kind: dialect.QueryAwareness}, "03646f63 03"},
		{dialect.Message{Kind: dialect.Denied, Body: []byte("no")}, "03646f63 02 01 02 6e6f"},
		{dialect.Message{Kind: dialect.ReadWrite}, "03646f63 02 02 0a 726561642d7772697465"},
		{dialect.Message{Kind: dialect.ReadOnly}, "03646f63 02 02 08 726561646f6e6c79"},
		{dialect.Message{Kind: dialect.Stateless, Body: []byte("hi")}, "03646f63 05 02 6869"},
		{dialect.Message{Kind: dialect.Saved}, "03646f63 08 01"},
		{dialect.Message{Kind: dialect.Refused, Body: []byte("no")}, "03646f63 08 00"},
		{dialect.Message{Kind: dialect.Token}, "03646f63 02 00"},
		{dialect.Message{}, ""},
	} {
		test.m.Address = "doc"
		if got := hp.Append(nil, test.m); !bytes.Equal(got, dialecttest.Bytes(t, test.frame)) {
			t.Errorf("%v: % x, want %s", test.m.Kind, got, test.frame)
		}
	}
	if got := hp.Keepalive("doc"); !bytes.Equal(got, dialecttest.Bytes(t, "03646f63 01 01 00")) {
		t.Errorf("keepalive % x", got)
	}
}

func BenchmarkDecodeKeystroke(b *testing.B) {
	frame := dialecttest.Bytes(b, "03646f63 00 02 12 01 01 2a 00 04 01 04 74 65 78 74 05 68 65 6c 6c 6f 00")
	var messages []dialect.Message
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if messages, err = hp.Decode(messages[:0], frame); err != nil {
			b.Fatal(err)
		}
	}
}
