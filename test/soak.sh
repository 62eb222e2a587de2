#!/usr/bin/env bash
# The campaigns that take too long for every day: the tests' long versions (a million movements under a hold, two hundred
# kills, a hundred during a job of a million events, big simulated worlds) and fuzzing of every parser. FUZZ is minutes for all fuzz targets together (default: an hour).
# What a run found goes into docs/benchmarks.md with its date and the seeds it printed.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "long campaigns (seeds and counts are printed)"
FOODTRACE_SOAK=1 go test -count=1 -timeout 3h -v -run 'Soak|Kill|Crash|Hold|Large|World|Campaign' ./chaincode/... ./internal/ledger/... ./internal/simulate/... ./cmd/... |
  grep -E '^(=== RUN|---|ok|FAIL|panic)|seed|kill|movement|descendant|acknowledged|_test.go' || { echo "a campaign failed" >&2; exit 1; }

echo "faults on a running network, many times each (needs what test/services.sh installs)"
FOODTRACE_SOAK=1 FOODTRACE_SERVICES=1 go test -count=1 -timeout 6h -v -run 'TestFaults' ./cmd/foodtrace |
  grep -E '^(=== RUN|---|ok|FAIL|panic)|_test.go' || { echo "a campaign failed" >&2; exit 1; }

FUZZ=${FUZZ:-60} bash test/fuzz.sh
