#!/usr/bin/env bash
# run_page.sh PAGE SCRIPT ANSWERS: runs a page's commands until one fails, and says which.
set -uE -o pipefail
page=$1 script=$2 answers=$3
shift 3

failed() {
  local status=$1 line=$2 command=$3
  if [[ $status == 1 && $answers && $command =~ ^($answers) ]]; then return; fi
  echo "$page:$line: \`$command\` exited $status" >&2
  exit 1
}
trap 'failed $? "$LINENO" "$BASH_COMMAND"' ERR
# shellcheck source=/dev/null
. "$script"
