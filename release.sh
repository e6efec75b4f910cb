#!/usr/bin/env bash
# Builds the Lambda package, reproducibly: dist/ion-arm64.zip; or all of a release, with --all.
# See --help, and --all --help.
set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"
python="$("$root/scripts/venv.sh" scripts "$root/scripts/requirements.txt")"
module=ionctl.build.package
if [[ ${1-} == --all ]]; then
  module=ionctl.build.release
  shift
fi
PYTHONPATH="$root/scripts" exec "$python" -m "$module" "$@"
