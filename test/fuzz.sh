#!/usr/bin/env bash
# Fuzzes every parser: each Fuzz… function of the module for an equal share of FUZZ minutes (default 60). PKG names packages other than all
# (PKG=./ingest/epcis). It begins with the inputs in testdata/fuzz and those of the tests. On a failure it says which input did it, which then
# lies in testdata/fuzz of that package, goes on with the other targets, and ends non-zero.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${FUZZ:-60}

targets=()
while read -r pkg; do
  while read -r target; do targets+=("$pkg $target"); done < <(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true)
done < <(go list "${PKG:-./...}")
[ ${#targets[@]} -gt 0 ] || { echo "no fuzz target in ${PKG:-./...}" >&2; exit 1; }
each=$((minutes * 60 / ${#targets[@]}))
[ "$each" -gt 0 ] || each=1
echo "fuzzing ${#targets[@]} targets, $each seconds each"

out=$(mktemp)
trap 'rm -f "$out"' EXIT
# An input that reaches new code is made shorter in at most so many tries: by default it may take a minute, in which nothing else is tried,
# and a document of some hundred bytes takes all of it, each time.
shorten=500x

failed=()
for t in "${targets[@]}"; do
  read -r pkg target <<<"$t"
  # With no input that fails, "context deadline exceeded" is the end of the time, which go test takes for a failure on a slow machine.
  if go test -run '^$' -fuzz "^$target\$" -fuzztime "${each}s" -fuzzminimizetime "$shorten" "$pkg" >"$out" 2>&1 ||
    { grep -q '^ *context deadline exceeded$' "$out" && ! grep -q 'Failing input' "$out"; }; then
    echo "$target in $pkg: $(grep -E '^fuzz: elapsed' "$out" | tail -n 1 | sed 's/^fuzz: //')"
  else
    cat "$out"
    failed+=("$target in $pkg")
  fi
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
