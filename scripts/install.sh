#!/usr/bin/env bash
# install.sh ENVIRONMENT REQUIREMENTS COUNT: installs a locked file of so many packages; on a
# terminal it counts them meanwhile.
set -euo pipefail
environment=$1
locked=(--require-hashes --requirement "$2")
of=$3

told() {
  [[ -t 2 ]] || exec cat >/dev/null
  awk -v of="$of" '
    /^(Collecting|Processing) / {
      sub(/.*\//, "", $2)
      printf "\r\033[K  %d of %d: %s", ++n, of, $2; fflush()
    }
    /^Installing / { printf "\r\033[K  putting %d packages in place", n; fflush() }
    END { printf "\r\033[K" }' >&2
}

# uv takes a tenth of the time, where it is; what it can't do pip does, or says why not
uv pip install --quiet --compile-bytecode --python "$environment" "${locked[@]}" 2>/dev/null ||
  "$environment/bin/python" -m pip install --progress-bar off --disable-pip-version-check \
    "${locked[@]}" | told
