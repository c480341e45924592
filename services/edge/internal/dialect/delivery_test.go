package dialect_test

import (
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// spelled is a dialect that counts what it encodes.
type spelled struct {
	dialect.Dialect
	count *int
}

func (s spelled) Append(dst []byte, m dialect.Message) []byte {
	*s.count++
	return append(append(dst, m.Address...), m.Body...)
}

func TestDeliveryEncodesOnce(t *testing.T) {
	var na, nb int
	a, b := spelled{count: &na}, spelled{count: &nb}
	var d dialect.Delivery
	m := dialect.Message{Kind: dialect.Update, Body: []byte("x")}
	other := dialect.Message{Kind: dialect.Update, Address: "doc:", Body: []byte("x")}
	first := d.Frame(a, m)
	for range 10 {
		if f := d.Frame(a, m); &f[0] != &first[0] {
			t.Fatal("not the same bytes")
		}
		if f := d.Frame(b, m); string(f) != "x" {
			t.Fatalf("%q", f)
		}
		if f := d.Frame(b, other); string(f) != "doc:x" {
			t.Fatalf("%q", f)
		}
	}
	if na != 1 || nb != 2 {
		t.Errorf("encoded %d and %d times, want 1 and 2", na, nb)
	}
	d.Reset()
	d.Frame(a, m)
	if na != 2 {
		t.Errorf("after Reset encoded %d times, want 2", na)
	}
}

func TestRawNeedsNoDialect(t *testing.T) {
	var d dialect.Delivery
	if f := d.Frame(nil, dialect.Message{Kind: dialect.Raw, Body: []byte("x")}); string(f) != "x" {
		t.Errorf("%q", f)
	}
}

func TestKindNames(t *testing.T) {
	seen := map[string]dialect.Kind{}
	for k := dialect.Step1; k <= dialect.Raw; k++ {
		if other, twice := seen[k.String()]; twice || k.String() == "unknown" {
			t.Errorf("kinds %d and %d are both %q", other, k, k)
		}
		seen[k.String()] = k
	}
	if dialect.Kind(0).String() != "unknown" || (dialect.Raw+1).String() != "unknown" {
		t.Error("a kind that isn't one has a name")
	}
}
