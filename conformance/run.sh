#!/usr/bin/env bash
# Proves that a Fjord server does what Yjs clients expect: the real npm clients
# (js/), and the editor page, Tiptap and ProseMirror in a real browser (browser/).
# Exit status 0 means that all of it holds.
#
#   run.sh                      build from this checkout, check everything
#   run.sh js [FILE…]           only the npm clients, or some files of them
#   run.sh browser              only the page
#   run.sh compose              the three containers (not part of "everything")
#   FJORD_URL=ws://… run.sh js  check a running server (no crash checks)
#   FJORD_APART=1 run.sh js     three processes, edge, rooms and storage, wherever
#                               the checks start a server
#
# Needs Go, Node ≥ 20.11 and, for the page, Chromium (installed with apt-get if
# it is missing and we may). FJORD_SEED=n repeats a failed run's random edits.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
part=${1:-all}
[[ $# -gt 0 ]] && shift

case $part in all | js | browser | compose) ;; *)
  echo "usage: run.sh [js [FILE…] | browser | compose]" >&2
  exit 2
  ;;
esac

# The installed packages are those of the lock file, or they are installed anew.
install_packages() {
  local dir=$1
  if ! cmp -s "$dir/package-lock.json" "$dir/node_modules/.installed-lock.json"; then
    (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error)
    cp "$dir/package-lock.json" "$dir/node_modules/.installed-lock.json"
  fi
}

build() {
  local bin=$here/.bin name package
  mkdir -p "$bin"
  for package in cmd/fjord services/edge/cmd/edge services/rooms/cmd/rooms services/storage/cmd/storage; do
    name=$(basename "$package")
    (cd "$root/$package" && go build -o "$bin/$name" .)
  done
  export FJORD_BIN=$bin/fjord FJORD_EDGE_BIN=$bin/edge FJORD_ROOMS_BIN=$bin/rooms FJORD_STORAGE_BIN=$bin/storage
}

find_chromium() {
  local candidate
  for candidate in "${FJORD_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [[ -n $candidate ]] && command -v "$candidate" && return
  done
  return 1
}

if [[ $part == compose ]]; then
  install_packages "$here/js"
  exec node --test --test-reporter=spec "$here/js/compose.test.mjs"
fi

if [[ -z ${FJORD_URL:-} && -z ${FJORD_BIN:-} ]]; then build; fi

failed=0
if [[ $part == all || $part == js ]]; then
  install_packages "$here/js"
  node "$here/js/run.mjs" "$@" || failed=1
fi
if [[ $part == all || $part == browser ]]; then
  install_packages "$here/js"
  install_packages "$here/browser"
  if ! find_chromium >/dev/null; then
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
      echo "installing chromium with apt-get" >&2
      apt-get update -qq >&2
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
    else
      echo "the page's check needs Chromium: install it, or set FJORD_CHROMIUM to its path" >&2
      exit 1
    fi
  fi
  FJORD_CHROMIUM=$(find_chromium) FJORD_OUT=${FJORD_OUT:-$here/out} node --test --test-reporter=spec "$here/browser/" || failed=1
fi
exit $failed
