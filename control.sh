#!/usr/bin/env bash
# Pause, stop, resume, cancel, past the queue: ./control.sh pause --lane bulk. See --help.
set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"

python="$("$root/scripts/venv.sh" scripts "$root/scripts/requirements.txt")"

export PYTHONPATH="$root/scripts:$root/lambda_src"
exec "$python" -P -m ionctl control "$@"
