#!/usr/bin/env bash
# Takes README's pictures of the console anew: docs/images/console.png and console-dark.png.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
python=$("$root/scripts/venv.sh" tests "$root/tests/requirements.txt")
"$root/scripts/venv.sh" ministack "$root/scripts/ministack.txt" >/dev/null
PYTHONPATH="$root/lambda_src:$root/scripts:$root/tests" exec "$python" -m scripts.console.page.screenshots "$@"
