#!/usr/bin/env bash
# What a template makes of some data: ./render.sh welcome --context order.json. See --help.
set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"

python="$("$root/scripts/venv.sh" scripts "$root/scripts/requirements.txt")"

# The folder stays the caller's: --context names a file in it.
export PYTHONPATH="$root/scripts:$root/lambda_src"
exec "$python" -P -m ionctl render "$@"
