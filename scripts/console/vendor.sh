#!/usr/bin/env bash
# Copies what the console's page takes from npm into its folder, as package-lock.json has it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
vendor=$here/../ionctl/console/static/vendor

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here"/{package.json,package-lock.json,.npmrc} "$work"
(cd "$work" && npm ci --no-audit --no-fund --no-update-notifier >&2)

from=$work/node_modules/lit-html
rm -rf "$vendor/lit-html"
mkdir -p "$vendor/lit-html/directives"
for file in LICENSE lit-html.js directive.js directive-helpers.js directives/{keyed,live,repeat}.js; do
  cp "$from/$file" "$vendor/lit-html/$file"
done
node -p 'require(process.argv[1]).version' "$from/package.json" >"$vendor/lit-html/VERSION"
