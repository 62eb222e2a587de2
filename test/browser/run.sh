#!/usr/bin/env bash
# Opens the pages of a running demo in headless Chromium: both languages, phone width, accessibility, screenshots; and captures with a
# foreign EPCIS client. (Of that client's dependency "fs", which is an empty placeholder for a part of Node, another package takes the place.)
# Installs what it needs where it can (Debian, as root) and says so.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

. ../need.sh

need chromium chromium "the browser test"
need node nodejs "the browser test"
need npm npm "the browser test"
fc-list :lang=zh 2>/dev/null | grep -q . || install "Chinese in the screenshots" fonts-noto-cjk fontconfig ||
  echo "no Chinese font is installed: Chinese pages will show boxes in the screenshots" >&2
echo "installing the test's npm packages"
npm ci --no-audit --no-fund --silent

work=$(mktemp -d)
trap 'kill "${demo:-}" 2>/dev/null || true; wait "${demo:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
"$root/bin/foodtrace" demo --listen 127.0.0.1:0 -o json >"$work/demo.json" 2>"$work/demo.log" &
demo=$!
for _ in $(seq 600); do
  [ -s "$work/demo.json" ] && break
  kill -0 "$demo" 2>/dev/null || { cat "$work/demo.log" >&2; echo "the demo ended early" >&2; exit 1; }
  sleep 0.2
done
mkdir -p "$root/dist/screens"
node epcis.mjs "$work/demo.json"
node test.mjs "$work/demo.json" "$root/dist/screens" "$work/profile"
[ -z "${UPDATE:-}" ] || { mkdir -p "$root/docs/img"; cp "$root"/dist/screens/readme-*.png "$root/docs/img/"; }
