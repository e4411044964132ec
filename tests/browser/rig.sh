#!/usr/bin/env bash
# rig.sh with COMMAND [ARGUMENT]... | trust CERTIFICATE.pem
#   with    starts ChromeDriver on a free port of 127.0.0.1 with an empty home of its own, runs COMMAND with the
#           variables below, then ends the driver and its browsers and deletes that home
#   trust   makes this rig's browsers trust a CA; only within "with", and before the session that needs it starts
# Set by the caller:   HOOKSWITCH_BROWSER_CA      a CA to trust from the start (optional)
# Set for COMMAND:     HOOKSWITCH_WEBDRIVER       http://127.0.0.1:PORT
#                      HOOKSWITCH_BROWSER_RIG     this script, for "trust"
#                      HOOKSWITCH_BROWSER_HOME    the browsers' home, with the certificate store
# Needs Debian's chromium, chromium-driver, libnss3-tools.
set -euo pipefail
rig=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/rig.sh

die() { printf 'browser rig: %s\n' "$*" >&2; exit 1; }

trust() { # HOME CERTIFICATE
  local name
  [ -r "$2" ] || die "no certificate at $2"
  name=$(sha256sum <"$2")
  certutil -d "sql:$1/.pki/nssdb" -A -t C,, -n "${name%% *}" -i "$2" || die "certutil refused $2"
}

run_with() {
  local home driver port='' tries status=0
  for tool in chromium chromedriver certutil setsid; do
    command -v "$tool" >/dev/null || die "$tool is missing (Debian packages: chromium chromium-driver libnss3-tools)"
  done
  home=$(mktemp -d)
  mkdir -p "$home/.pki/nssdb" "$home/tmp" "$home/run"
  : >"$home/driver.log"
  chmod 700 "$home/run"
  certutil -d "sql:$home/.pki/nssdb" -N --empty-password
  [ -z "${HOOKSWITCH_BROWSER_CA:-}" ] || trust "$home" "$HOOKSWITCH_BROWSER_CA"
  # a process group of its own, so that every browser it started ends with it
  env -u DISPLAY -u DBUS_SESSION_BUS_ADDRESS HOME="$home" TMPDIR="$home/tmp" XDG_RUNTIME_DIR="$home/run" \
    XDG_CONFIG_HOME="$home/.config" XDG_CACHE_HOME="$home/.cache" \
    setsid chromedriver --port=0 --log-level=WARNING >"$home/driver.log" 2>&1 </dev/null &
  driver=$!
  # shellcheck disable=SC2064  # their values now: the function's variables are gone when the trap runs
  trap "kill -- -$driver $driver 2>/dev/null || :; wait $driver 2>/dev/null || :; rm -rf '$home'" EXIT
  trap 'exit 130' INT TERM
  for ((tries = 0; tries < 400; tries++)); do
    port=$(sed -n 's/.*started successfully on port \([0-9]*\)\..*/\1/p' "$home/driver.log")
    [ -z "$port" ] || break
    kill -0 "$driver" 2>/dev/null || break
    sleep 0.05
  done
  [ -n "$port" ] || { cat "$home/driver.log" >&2; die "chromedriver did not start"; }
  export HOOKSWITCH_WEBDRIVER=http://127.0.0.1:$port HOOKSWITCH_BROWSER_RIG=$rig HOOKSWITCH_BROWSER_HOME=$home
  "$@" || status=$?
  exit "$status"
}

case ${1:-} in
  with)
    shift
    [ $# -gt 0 ] || die "with: which command?"
    run_with "$@"
    ;;
  trust)
    [ $# = 2 ] || die "trust: which certificate?"
    trust "${HOOKSWITCH_BROWSER_HOME:?only within \"with\"}" "$2"
    ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
