#!/usr/bin/env bash
# venv.sh NAME REQUIREMENTS [PYTHON]: makes .venv/NAME from a locked file, or leaves it if nothing
# changed. Prints the path of its Python.
set -euo pipefail
name=$1
requirements=$(realpath "$2")
cd "$(dirname "$0")/.."
environment="$PWD/.venv/$name"

fail() {
  echo "ion: $1" >&2
  exit 1
}

# The environment's own Python first: another that comes first on the PATH one day is no reason to
# take the environment away from programs that run in it.
own=$environment/bin/python
[[ ${3:-} ]] && own=""
for python in "$own" "${3:-python3}" python3.13 python3.12 python3.11 ""; do
  "${python:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
done
[[ $python ]] || fail "ion needs Python 3.11 or newer; install it, for example: apt-get install python3"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "$python can't make environments; on Debian and Ubuntu: apt-get install $python-venv"

# Of what would make the environment another one. Its own path is part of it: scripts name it.
stamp=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(
    repr((sys.argv[1], sys.base_prefix, sys.version_info, open(sys.argv[2], "rb").read())).encode()
  ).hexdigest())' "$environment" "$requirements")
mkdir -p .venv
exec 9>"$environment.lock" # two terminals may want the same one at once
if command -v flock >/dev/null; then flock 9; fi
if [[ $(cat "$environment/stamp" 2>/dev/null) != "$stamp" ]]; then
  count=$(grep -c '^[^ #].*==' "$requirements")
  echo "ion: installing ${requirements#"$PWD/"} into .venv/$name, once; packages: $count" >&2
  python=$("$python" -c 'import sys; print(sys._base_executable)') # which stays, if it is our own
  rm -rf "$environment"
  # what pip unpacks goes with the environment, if it is ended in the midst of that
  export TMPDIR="$environment/tmp"
  mkdir -p "$TMPDIR"
  "$python" -m venv "$environment" >&2
  scripts/install.sh "$environment" "$requirements" "$count"
  rm -rf "$TMPDIR"
  echo "$stamp" >"$environment/stamp" # last: without it an interrupted one is made again
fi
echo "$environment/bin/python"
