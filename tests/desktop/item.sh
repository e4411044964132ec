#!/usr/bin/env bash
# item.sh list | property ITEM NAME | menu ITEM | icon ITEM | picture NAME | click BUTTON X Y |
#         colours WxH+X+Y | look WxH+X+Y
#   Asks the desktop that rig.sh made about its tray; run it inside rig.sh.
#   list      the registered items, one a line: BUS-NAME/OBJECT/PATH
#   property  one property of an item, for example Title, Status, ToolTip, IconName
#   menu      the item's whole menu (com.canonical.dbusmenu GetLayout), as GLib prints it
#   icon      the pixels the item offers (IconPixmap), as GLib prints them
#   colours   the colours in a part of the screen, RRGGBB, one a line
#   look      a checksum of a part of the screen
#   picture   writes the screen to $HOOKSWITCH_ARTIFACTS/NAME.png and prints that path
#   click     presses a button of the mouse: 1 activates an item, 3 opens its menu
set -euo pipefail

die() { printf 'desktop rig: %s\n' "$*" >&2; exit 1; }
[ -n "${DBUS_SESSION_BUS_ADDRESS:-}" ] || die "no D-Bus session here: run this inside rig.sh"

get() { # BUS-NAME OBJECT INTERFACE PROPERTY
  gdbus call --session --dest "$1" --object-path "$2" --method org.freedesktop.DBus.Properties.Get "$3" "$4"
}
bus_name() { printf '%s' "${1%%/*}"; }
object() { case $1 in */*) printf '/%s' "${1#*/}" ;; *) printf '/StatusNotifierItem' ;; esac; }

case "${1:-} $#" in
  'list 1')
    get org.kde.StatusNotifierWatcher /StatusNotifierWatcher org.kde.StatusNotifierWatcher RegisteredStatusNotifierItems |
      grep -o "'[^']*'" | tr -d "'" || :
    ;;
  'property 3') get "$(bus_name "$2")" "$(object "$2")" org.kde.StatusNotifierItem "$3" | sed 's/\[byte [^]]*\]/[pixels]/g' ;;
  'menu 2')
    menu=$(get "$(bus_name "$2")" "$(object "$2")" org.kde.StatusNotifierItem Menu | sed -n "s/.*'\(\/[^']*\)'.*/\1/p")
    [ -n "$menu" ] || die "the item $2 has no menu"
    gdbus call --session --dest "$(bus_name "$2")" --object-path "$menu" --method com.canonical.dbusmenu.GetLayout -- 0 -1 '[]'
    ;;
  'icon 2') get "$(bus_name "$2")" "$(object "$2")" org.kde.StatusNotifierItem IconPixmap ;;
  'colours 2')
    import -window root -crop "$2" +repage -depth 8 -format %c histogram:info:- | grep -o '#[0-9A-F]\{6\}' | tr -d '#' | sort -u
    ;;
  'look 2') import -window root -crop "$2" +repage -depth 8 rgb:- | sha256sum ;;
  'picture 2')
    mkdir -p "${HOOKSWITCH_ARTIFACTS:?}"
    import -window root "$HOOKSWITCH_ARTIFACTS/$2.png"
    echo "$HOOKSWITCH_ARTIFACTS/$2.png"
    ;;
  'click 4') xdotool mousemove "$3" "$4" click "$2" ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
