package memory

import (
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

// TestRepairs: what is asked of a store whose rooms can be damaged is done here too.
func TestRepairs(t *testing.T) {
	storetest.Repairs(t, func(t *testing.T) store.Store {
		s := New(storetest.Limits)
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}
