#!/usr/bin/env bash
# suite.sh BIN_DIR AGENT
#   What tests/kernel.rs runs in the guest: the story over USB/IP with the shipped agent, the story with the cable pulled
#   in the middle of an update, the story with the agent killed there, dfu-util writing the same simulated headset as a
#   control, one machine role as root with several people and several headsets, and the same as the unit that is
#   installed, in its sandbox. Each part says how it ended in a line of its own: "part NAME passed" or "part NAME FAILED".
#   BIN_DIR has the other programs.
set -uo pipefail
bin=$1 agent=$2
installer=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../installer/linux" && pwd)
work=$(mktemp -d)
failed=0

part() { # NAME COMMAND...
  local name=$1
  shift
  echo "--- $name"
  if "$@" 2>&1; then
    echo "part $name passed"
  else
    echo "part $name FAILED"
    failed=1
    tail -n 5 "$work/$name"/*.log "$work/$name"/agent/logs/*.log /var/log/hookswitch/*.log 2>/dev/null
  fi
}

story() { # NAME OPTION...
  local name=$1
  shift
  dbus-run-session -- "$bin/examples/story" --once --door usbip --home "$work/$name" --bin-dir "$bin" --agent "$agent" "$@"
}

# The field's own tool against the same device: if this fails, the simulator is wrong, not the product.
control() {
  local sim=$bin/hookswitch-sim dir=$work/dfu-util state pid
  mkdir -p "$dir"
  "$sim" firmware --version 2.34 --bytes 65536 --output "$dir/firmware.bin" || return 1
  "$sim" run --door usbip --control "$dir/sim.sock" >"$dir/sim.log" 2>&1 </dev/null &
  pid=$!
  for _ in $(seq 100); do
    lsusb -d 1209:0001 >/dev/null 2>&1 && break
    sleep 0.1
  done
  # It ends with 74 when the headset leaves by itself after manifestation, which is right of the headset.
  dfu-util --device 1209:0001,1209:0002 --download "$dir/firmware.bin" >"$dir/dfu-util.log" 2>&1
  "$sim" state --wait firmware.version=2.34,mode=runtime --timeout-s 30 --control "$dir/sim.sock" >/dev/null
  state=$("$sim" state --json --control "$dir/sim.sock")
  kill "$pid"
  grep -q '"version": "2.34"' <<<"$state" && grep -q '"updates_broken": 0' <<<"$state" && return 0
  echo "$state"
  tail -n 20 "$dir/dfu-util.log"
  return 1
}

# One machine role as root, the user roles of two accounts.
household() { # PART
  local scratch=$work/$1
  mkdir -p "$scratch" && chmod 755 "$work" "$scratch"
  HOOKSWITCH_SCRATCH=$scratch "$bin/examples/household" "$1" --bin-dir "$bin" --agent "$agent"
}

# The night of those two with the machine role as it is installed.
unit() {
  local unit=hookswitch-machine.service scratch=$work/unit
  install -Dm755 "$agent" /usr/bin/hookswitch
  install -Dm644 "$installer/$unit" "/usr/lib/systemd/system/$unit"
  mkdir -p "$scratch" && chmod 755 "$work" "$scratch"
  HOOKSWITCH_UNIT=$unit HOOKSWITCH_SCRATCH=$scratch "$bin/examples/household" night --bin-dir "$bin" --agent "$agent"
}

part story story story
part interrupted story interrupted --interrupt --layout split
part crashed story crashed --crash
part dfu-util control
for name in people deaths twins night mishaps; do part "$name" household "$name"; done
# The installed unit in its sandbox, which sees no /tmp but its own.
rm -rf "$work"
work=$(mktemp -d -p /srv)
part unit unit
rm -rf "$work"
exit "$failed"
