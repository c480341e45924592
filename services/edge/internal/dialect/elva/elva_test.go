package elva_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/elva"
)

var d elva.Dialect

// spell writes messages as `kind body` in hex.
func spell(messages []dialect.Message) string {
	var words []string
	for _, m := range messages {
		words = append(words, fmt.Sprintf("%v %x", m.Kind, m.Body))
	}
	return strings.Join(words, ", ")
}

func TestDecode(t *testing.T) {
	for frame, want := range map[string]string{
		"00 00 01 00":                "step 1 00",
		"00 01 02 00 00":             "step 2 0000",
		"00 02 01 05":                "update 05",
		"00 03 05 01 00 02 00 00":    "step 2 0000, cross 00",
		"01 06 01 2a 07 02 7b 7d":    "awareness 012a07027b7d",
		"49 44 02 6d 65":             "id 6d65",
		"52 4f 00":                   "read-only ",
		"52 57 01 ff":                "read-write ff",
		"44 01 02 ab cd":             "data 440102abcd",
		"44 04 00":                   "data 440400",
		"44 02 00 49 44 00 01 01 00": "data 440200, id , awareness 00",
	} {
		messages, err := d.Decode(nil, dialecttest.Bytes(t, frame))
		if err != nil || spell(messages) != want {
			t.Errorf("%s: %s, %v; want %s", frame, spell(messages), err, want)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, test := range []struct {
		m     dialect.Message
		frame string
	}{
		{dialect.Message{Kind: dialect.Step1, Body: []byte{0}}, "00 00 01 00"},
		{dialect.Message{Kind: dialect.Step2, Body: []byte{0, 0}}, "00 01 02 00 00"},
		{dialect.Message{Kind: dialect.Update, Body: []byte{5}}, "00 02 01 05"},
		{dialect.Message{Kind: dialect.Cross, Body: []byte{1, 0, 2, 0, 0}}, "00 03 05 01 00 02 00 00"},
		{dialect.Message{Kind: dialect.Awareness, Body: []byte{0}}, "01 01 00"},
		{dialect.Message{Kind: dialect.ID, Body: []byte("me")}, "49 44 02 6d 65"},
		{dialect.Message{Kind: dialect.ReadOnly}, "52 4f 00"},
		{dialect.Message{Kind: dialect.ReadWrite}, "52 57 00"},
		{dialect.Message{Kind: dialect.Data, Body: []byte{'D', 1, 0}}, "44 01 00"},
		{dialect.Message{Kind: dialect.Saved}, ""},
		{dialect.Message{Kind: dialect.QueryAwareness}, ""},
		{dialect.Message{Kind: dialect.Stateless, Body: []byte("hi")}, ""},
	} {
		if got := d.Append(nil, test.m); !bytes.Equal(got, dialecttest.Bytes(t, test.frame)) {
			t.Errorf("%v: % x, want %s", test.m.Kind, got, test.frame)
		}
	}
}

func BenchmarkDecodeKeystroke(b *testing.B) {
	frame := dialecttest.Bytes(b, "00 02 12 01 01 2a 00 04 01 04 74 65 78 74 05 68 65 6c 6c 6f 00")
	var messages []dialect.Message
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if messages, err = d.Decode(messages[:0], frame); err != nil {
			b.Fatal(err)
		}
	}
}
