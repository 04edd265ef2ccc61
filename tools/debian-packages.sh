#!/usr/bin/env bash
# The real servers that the tests run against, from Debian's packages.
# usage: tools/debian-packages.sh [PACKAGE...]     without arguments: all that the tests use
# Installs only what is missing, with apt-get, as root or through sudo without a password.  Where that is not possible
# it says so and succeeds: the tests then skip what they cannot start, visibly (and fail when CI=true).
set -euo pipefail

[ $# -gt 0 ] || set -- postgresql redis-server nginx-light varnish varnish-modules chromium strace libfaketime e2fsprogs

present() {
    case $1 in
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/postgres' ;;
        redis-server) PATH=$PATH:/usr/sbin command -v redis-server ;;
        nginx-light) PATH=$PATH:/usr/sbin command -v nginx ;;
        varnish) PATH=$PATH:/usr/sbin command -v varnishd ;;
        varnish-modules) compgen -G '/usr/lib/*/varnish/vmods/libvmod_xkey.so' ;;
        *) dpkg -s "$1" ;;
    esac >/dev/null 2>&1
}

missing=()
for package in "$@"; do present "$package" || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0

say() { printf 'debian-packages: %s\n' "$*" >&2; }
command -v apt-get >/dev/null || { say "missing ${missing[*]}, and there is no apt-get here: install them by hand"; exit 0; }
as_root=()
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || { say "missing: run  sudo apt-get install ${missing[*]}"; exit 0; }
    as_root=(sudo -n)
fi

say "installing ${missing[*]}"
# no server of the system's own: the tests start theirs
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
"${as_root[@]}" apt-get -qq update </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq install --no-install-recommends -y "${missing[@]}" </dev/null >&2
