# Sourced by the scripts here: what they need of the machine, installed where that can be done (Debian), or named.

# install WHY PACKAGE…: Debian packages.
install() {
  local why=$1 as=
  shift
  [ "$(id -u)" = 0 ] || as="sudo -n"
  if command -v apt-get >/dev/null && $as true 2>/dev/null; then
    echo "installing for $why: $* (Debian packages)"
    $as apt-get update -qq && $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null && return
  fi
  echo "for $why, please install: $* (Debian: sudo apt-get install $*)" >&2
  return 1
}

# need COMMAND PACKAGE WHY
need() {
  command -v "$1" >/dev/null || install "$3" "$2"
}
