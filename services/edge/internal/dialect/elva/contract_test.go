package elva_test

import (
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
)

func TestContract(t *testing.T) { dialecttest.Run(t, d, "testdata") }

func FuzzDecode(f *testing.F) { dialecttest.Fuzz(f, d, "testdata") }
