#!/usr/bin/env bash
# The whole relay on this machine, one command; ./run.sh --help has the rest.
set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"

python="$("$root/scripts/venv.sh" scripts "$root/scripts/requirements.txt")"

# The folder stays the caller's: --once and --out name files in it.
ION_PROGRAM="$(dirname "$0")/ionctl" # as hints name it
PYTHONPATH="$root/scripts:$root/lambda_src"
export ION_PROGRAM PYTHONPATH
exec "$python" -P -m ionctl.local "$@"
