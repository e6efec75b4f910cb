#!/usr/bin/env bash
# Everything CI runs: lint, types, unit tests, the whole relay on an emulated AWS, Terraform.
# Sets up what it needs. Arguments go to pytest: ./test.sh tests/smtp -k pool
set -euo pipefail
cd "$(dirname "$0")"
unset PYTHONDONTWRITEBYTECODE # each of hundreds of processes would compile all that it imports
PATH="$(dirname "$(scripts/venv.sh uv scripts/uv.txt)"):$PATH" # venv.sh is quicker with it
bin="$(dirname "$(scripts/venv.sh tests tests/requirements.txt)")"
export PATH="$bin:$PATH"

# Beside the types, on the second core: ministack's environment, and a first look at the tests, which
# pytest compiles once then, and not in each of its processes.
scripts/venv.sh ministack scripts/ministack.txt >/dev/null & ministack=$!
"$bin/python" -m pytest --collect-only -qq "$@" &>/dev/null & compiled=$!
"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
"$bin/mypy" --no-error-summary lambda_src/ion scripts/ionctl scripts/bench tests clients/python
"$bin/shellcheck" ionctl ./*.sh scripts/*.sh scripts/fuzz scripts/module scripts/schema scripts/soak tests/docs/*.sh .ci/run
wait "$ministack"
wait "$compiled" || true # what is wrong there is said below

# Some of it waits (Terraform, processes to be killed), so four at a time on two cores; -n 0 for one
# after another.
exec "$bin/python" -m pytest -n 4 --dist loadfile --no-loadscope-reorder "$@"
