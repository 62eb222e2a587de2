#!/usr/bin/env bash
# Makes sure that the servers which the tests start are on this machine. MinIO and Fabric are built from their Go modules when they
# are first used; PostgreSQL comes from Debian's packages.
set -euo pipefail
for initdb in /usr/lib/postgresql/*/bin/initdb "$(pg_config --bindir 2>/dev/null || true)/initdb"; do
  if [ -x "$initdb" ]; then exit 0; fi
done
if ! command -v apt-get >/dev/null; then
  echo "PostgreSQL is not on this machine, and there is no apt-get to install it with: install it and try again" >&2
  exit 1
fi
echo "installing PostgreSQL (apt-get install postgresql), once"
as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends postgresql >/dev/null
