#!/usr/bin/env bash
# Builds the Lambda package, reproducibly: dist/ion-arm64.zip. See --help.
set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"
python="$("$root/scripts/venv.sh" scripts "$root/scripts/requirements.txt")"
PYTHONPATH="$root/scripts" exec "$python" -m ionctl.package "$@"
