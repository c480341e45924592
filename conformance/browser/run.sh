#!/usr/bin/env bash
# Drives the editor page in Chromium: see ../run.sh.
exec "$(dirname "${BASH_SOURCE[0]}")/../run.sh" browser
