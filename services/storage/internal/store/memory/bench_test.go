package memory

import (
	"sync/atomic"
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

func openBench(*testing.B) (store.Store, *atomic.Int64) { return New(storetest.Limits), nil }

func BenchmarkAppend(b *testing.B) { storetest.BenchmarkAppend(b, openBench) }

func BenchmarkLoad(b *testing.B) { storetest.BenchmarkLoad(b, openBench) }
