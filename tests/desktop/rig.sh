#!/usr/bin/env bash
# rig.sh COMMAND [ARGUMENT]...
#   Runs COMMAND on a desktop of its own: an X server without a screen, a D-Bus session and an Xfce panel whose tray
#   hosts StatusNotifier items. COMMAND starts when the host is there; all ends with it.
# Set for COMMAND: DISPLAY, DBUS_SESSION_BUS_ADDRESS, an empty HOME and XDG_RUNTIME_DIR,
#   HOOKSWITCH_DESKTOP_ITEM   item.sh: lists the tray's items, reads their menus, takes pictures
#   HOOKSWITCH_ARTIFACTS      where pictures are kept (as set by the caller, else in the cache)
# Needs Debian's xvfb xfce4-panel xfconf dbus dbus-x11 libglib2.0-bin imagemagick xdotool adwaita-icon-theme
# fonts-dejavu-core.
set -euo pipefail
# Where the caller has no locale, gdbus would print every letter beyond ASCII as a question mark.
export LC_ALL=C.UTF-8
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

die() { printf 'desktop rig: %s\n' "$*" >&2; exit 1; }

# The part that runs inside the D-Bus session.
inside() {
  local tries status=0
  xfce4-panel --disable-wm-check >"$HOME/panel.log" 2>&1 </dev/null &
  for ((tries = 0; tries < 300; tries++)); do
    if gdbus call --session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus \
      --method org.freedesktop.DBus.NameHasOwner org.kde.StatusNotifierWatcher 2>/dev/null | grep -q true; then
      "$@" || status=$?
      exit "$status"
    fi
    sleep 0.1
  done
  cat "$HOME/panel.log" >&2
  die "the panel's tray did not appear within 30 s"
}

case ${1:-} in
  '' | -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
  --inside) shift; inside "$@" ;;
esac

for tool in Xvfb xfce4-panel dbus-run-session gdbus import xdotool; do
  command -v "$tool" >/dev/null || die "$tool is missing (rig.sh --help names the packages)"
done
export HOOKSWITCH_ARTIFACTS=${HOOKSWITCH_ARTIFACTS:-${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/artifacts}
export HOOKSWITCH_DESKTOP_ITEM=$here/item.sh
mkdir -p "$HOOKSWITCH_ARTIFACTS"
home=$(mktemp -d)
server=''
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  # the X server last: its clients end with it
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || :; wait "$server" 2>/dev/null || :; fi
  rm -rf "$home" 2>/dev/null || { sleep 0.5; rm -rf "$home"; } # a client may still write while it ends
}
trap clean_up EXIT
trap 'exit 130' INT TERM

settings=$home/.config/xfce4/xfconf/xfce-perchannel-xml
mkdir -p "$settings" "$home/run"
chmod 700 "$home/run"
# One panel along the upper edge that holds nothing but the tray.
cat >"$settings/xfce4-panel.xml" <<'X'
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
X

# -displayfd: the server takes a free number and writes it once it listens
mkfifo "$home/display"
Xvfb -displayfd 3 -screen 0 900x600x24 -nolisten tcp 3>"$home/display" >"$home/server.log" 2>&1 </dev/null &
server=$!
read -r -t 20 number <"$home/display" || { cat "$home/server.log" >&2; die "Xvfb did not start"; }

status=0
env -u DBUS_SESSION_BUS_ADDRESS -u WAYLAND_DISPLAY DISPLAY=":$number" HOME="$home" XDG_RUNTIME_DIR="$home/run" \
  XDG_CONFIG_HOME="$home/.config" XDG_CACHE_HOME="$home/.cache" XDG_DATA_HOME="$home/.local/share" \
  XDG_CURRENT_DESKTOP=XFCE NO_AT_BRIDGE=1 GTK_A11Y=none \
  CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
  dbus-run-session -- "$here/rig.sh" --inside "$@" || status=$?
exit "$status"
