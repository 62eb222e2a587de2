#!/usr/bin/env bash
# The tests that need real servers: Fabric (peers, orderers, certificate authority), PostgreSQL and an S3 server, all on this
# machine. Each test starts its own on free ports of 127.0.0.1 and stops them. Afterwards nothing is left, or it is said.
# Arguments: the packages, if not all that have such tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/need.sh

need gcc gcc "the race detector and the certificate authority"
echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 || install "the C compiler" libc6-dev
if ! command -v postgres >/dev/null && ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
  # The package would start a server of the machine's own. Nobody needs that one.
  install "PostgreSQL" --no-install-recommends postgresql-common
  as=; [ "$(id -u)" = 0 ] || as="sudo -n"
  $as sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  install "PostgreSQL" --no-install-recommends postgresql
fi

echo "building the programs of the network (the first time: about ten minutes; they are kept)"
go run ./internal/tools/cmd >/dev/null

# Whatever a test starts inherits this folder's name in its environment, so what is left behind can be found.
work=$(mktemp -d /tmp/foodtrace.XXXXXX)
chmod 755 "$work" # PostgreSQL runs as another user
left() { grep -lFf - /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null <<<"$work" | cut -d/ -f3 | sort -u || true; } # some end while it looks
end() {
  local status=$? pids
  for _ in 1 2 3 4 5 6 7 8 9 10; do pids=$(left); [ -n "$pids" ] || break; sleep 0.5; done
  if [ -n "$pids" ]; then
    echo "the tests left processes behind, which are killed now:" >&2
    ps -o pid,args -p "$(echo $pids | tr ' ' ,)" >&2 || true
    kill -9 $pids 2>/dev/null || true
    status=1
  fi
  awk -v dir="$work/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | xargs -r umount --lazy || true
  rm -rf "$work"
  exit $status
}
trap end EXIT

packages=${*:-$(go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | awk '/internal\/(services|fabricnet)/ { print $1 }')}
echo "running the tests on real servers, one package at a time:"
printf '  %s\n' $packages
TMPDIR=$work FOODTRACE_SERVICES=1 go test ${RACE:--race} -count=1 -p 1 -timeout 40m $packages
