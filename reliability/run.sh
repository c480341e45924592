#!/usr/bin/env bash
# Runs the reliability tests; arguments go to go test (-soak, -seed N, -keep DIR,
# -run T1). Needs Go and Node; some tests need root and say so.
set -euo pipefail
cd "$(dirname "$0")"
if ! cmp -s js/package-lock.json js/node_modules/.installed-lock.json; then
  (cd js && npm ci --no-audit --no-fund --loglevel=error)
  cp js/package-lock.json js/node_modules/.installed-lock.json
fi
exec go test -count=1 -v -parallel 3 -timeout 40m "$@" .
