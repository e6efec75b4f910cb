#!/usr/bin/env bash
# Pins every requirement, with hashes: X.in -> X.txt. Arguments go to uv, such as --upgrade.
set -euo pipefail
cd "$(dirname "$0")/.."

uv="$(dirname "$(scripts/venv.sh tests tests/requirements.txt)")/uv"

# Universal: one lock holds the wheels of each platform and of each Python from 3.11 on.
# One version of each package for all of them: pip reads the condition "python < 3.12" by the
# Python that it runs on, so the Lambda package would depend on who built it.
# No index address is written: a lock made behind a mirror serves everybody.
compile() {
  local name=$1
  shift
  "$uv" pip compile "$name.in" --output-file "$name.txt" --quiet \
    --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
    --no-emit-index-url --no-emit-find-links \
    --custom-compile-command ./scripts/lock.sh "$@"
  echo "$name.txt" >&2
}

# The tests' environment holds all the others, so the others take their versions from it.
# The exceptions are ministack and checkov, which pin a botocore of their own.
compile tests/requirements "$@"
compile scripts/requirements --constraint tests/requirements.txt "$@"
compile lambda_src/requirements --constraint tests/requirements.txt "$@"
compile scripts/bench/requirements --constraint tests/requirements.txt "$@"
compile scripts/bench/html_texts --constraint tests/requirements.txt "$@"
compile scripts/bytecode "$@"
compile scripts/uv --constraint tests/requirements.txt "$@"
compile tests/runtime/requirements --constraint tests/requirements.txt "$@"
compile scripts/ministack "$@"
compile scripts/checkov "$@"
