#!/usr/bin/env bash
# setup.sh [--renew]
#   Prepares what rig.sh shows to the tests: a bare Debian 12, and beside it, not installed, the packages that the
#   agent's may depend on. A second call only looks whether all is still in place.
#   --renew   fetch everything again
# Needs root. Cache: ${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/debian
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/debian
# Fetched with all that they need. What the package asks for beyond these cannot be installed in the rig, which has no
# network: its test then says what is missing. rpm installs its own kind of package there.
fetched=(ca-certificates libgcc-s1 libudev1 libusb-1.0-0 rpm)

say() { printf 'packages rig: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case ${1:-} in
  '') ;;
  --renew) rm -rf "$cache" ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d'; exit 2 ;;
esac
[[ $EUID -eq 0 ]] || die "it needs root: it makes a system that is root's"
for tool in mmdebstrap tar flock sha256sum; do
  command -v "$tool" >/dev/null || die "$tool is missing: cargo xtask setup installs it"
done
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
stamp=$(sha256sum <"${BASH_SOURCE[0]}")
[[ $(cat "$cache/ready" 2>/dev/null) != "$stamp" ]] || exit 0

rm -rf "$cache/ready" "$cache/root" "$cache/root.tar"
say "fetching a bare Debian 12 and ${fetched[*]}"
fetch='chroot "$1" apt-get -qq -y -o APT::Sandbox::User=root install --download-only --no-install-recommends'
mmdebstrap --quiet --mode=root --variant=minbase --skip=cleanup/apt --customize-hook="$fetch ${fetched[*]}" \
  bookworm "$cache/root.tar" >"$cache/log" 2>&1 || { tail -n 20 "$cache/log" >&2; die "no Debian could be made"; }
mkdir "$cache/root"
tar -x --numeric-owner --exclude=./dev/* -f "$cache/root.tar" -C "$cache/root"
rm "$cache/root.tar"
printf '%s\n' "$stamp" >"$cache/ready"
say "ready: $(du -sh "$cache" | cut -f1) in $cache"
