package serve_test

import (
	"testing"

	"github.com/fjord-sync/fjord/internal/limit/limittest"
	"github.com/fjord-sync/fjord/internal/serve"
)

func TestLimitsAreDocumented(t *testing.T) {
	limittest.Documented(t, "../../docs/limits.md", "<!-- serve.PeerLimits -->", "<!-- end of peers -->", serve.PeerLimits.Markdown())
}
