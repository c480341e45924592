#!/usr/bin/env bash
# Records anew what real clients and this checkout's server say to each other:
# the transcripts in services/edge/internal/dialect/*/testdata, which the Go
# tests of the dialects replay. Needs Go and Node ≥ 20.11.
#
#   record.sh [NAME…]     all, or those whose names begin so: hocuspocus-4
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
if ! cmp -s "$here/package-lock.json" "$here/node_modules/.installed-lock.json"; then
  (cd "$here" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$here/package-lock.json" "$here/node_modules/.installed-lock.json"
fi
bin=$root/conformance/.bin
mkdir -p "$bin"
(cd "$root/cmd/fjord" && go build -o "$bin/fjord" .)
FJORD_BIN=$bin/fjord exec node "$here/record.mjs" "$@"
