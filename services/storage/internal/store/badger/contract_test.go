package badger

import (
	"testing"

	"go.uber.org/goleak"

	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// testOptions are Open's for tests: real disks, but no guard, whose limits a
// developer's full disk would hit.
func testOptions(dir string) Options {
	return Options{Dir: dir, Limits: storetest.Limits}
}

// openStore opens dir and closes it with the test.
func openStore(t testing.TB, opt Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// subject is a store that can be closed and opened again.
type subject struct {
	contract.Store
	store *Store
}

func (s *subject) Reopen(t *testing.T) {
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.store = openStore(t, s.store.opt)
	s.Store = storetest.Adapt(s.store)
}

func TestContract(t *testing.T) {
	contract.Run(t, contract.Subject{
		Open: func(t *testing.T) contract.Store {
			s := openStore(t, testOptions(t.TempDir()))
			return &subject{Store: storetest.Adapt(s), store: s}
		},
		TooLargeRecord: storetest.Limits.Record + 1,
	})
}

func TestRepairs(t *testing.T) {
	storetest.Repairs(t, func(t *testing.T) store.Store { return openStore(t, testOptions(t.TempDir())) })
}
