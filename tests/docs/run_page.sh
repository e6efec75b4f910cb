#!/usr/bin/env bash
# run_page.sh PAGE SCRIPT ANSWERS: runs a page's commands until one fails, and says which.
set -uE -o pipefail
page=$1 script=$2 answers=$3
shift 3
errors=$(mktemp)

failed() {
  local status=$1 line=$2 command=$3
  # an answer is on stdout; what ionctl can't do it says on stderr
  if [[ $status == 1 && $answers && $command =~ ^($answers) ]] &&
    ! tail -n 1 "$errors" | grep -q "^ionctl: "; then return; fi
  cat "$errors"
  echo "$page:$line: \`$command\` exited $status"
  exit 1
}
trap 'failed $? "$LINENO" "$BASH_COMMAND"' ERR
# shellcheck source=/dev/null
. "$script" 2>>"$errors"
