package hocuspocus_test

import (
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
)

func TestContract(t *testing.T) { dialecttest.Run(t, hp, "testdata") }

func FuzzDecode(f *testing.F) { dialecttest.Fuzz(f, hp, "testdata") }
