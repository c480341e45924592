package memory

import (
	"testing"

	"go.uber.org/goleak"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	contract.Run(t, contract.Subject{
		Open: func(t *testing.T) contract.Store {
			s := New(storetest.Limits)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return storetest.Adapt(s)
		},
		TooLargeRecord: storetest.Limits.Record + 1,
	})
}

func TestClosed(t *testing.T) {
	s := New(storetest.Limits)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), "a"); store.KindOf(err) != store.Closed {
		t.Errorf("Claim after Close: %v", err)
	}
	if r := s.Append(t.Context(), []store.Item{{Room: "a", Epoch: 1, Seq: 1}}); store.KindOf(r[0].Err) != store.Closed {
		t.Errorf("Append after Close: %v", r[0].Err)
	}
}
