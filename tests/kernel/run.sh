#!/usr/bin/env bash
# run.sh [OPTION]... [--] COMMAND [ARGUMENT]...
#   Boots Debian's kernel in an emulated machine (no KVM, no root) and runs COMMAND there as root, on this machine's
#   own files: every path, binary and library is where it is here, but writes vanish with the guest and /run and
#   $HOME start empty. The modules uhid and vhci_hcd are loaded. Output arrives live, stdout and stderr apart.
#   --udev           run udevd in the guest (libusb's and libudev's hot-plug events need it)
#   --systemd        systemd is the guest's first process, with nothing to start but COMMAND
#   --share FOLDER   the one folder whose writes come through, at the same path
#   --env NAME       hand this variable on as well (always: HOOKSWITCH_*, RUST_LOG, RUST_BACKTRACE)
#   --timeout S      end the guest after S seconds (300)
#   --memory MIB     the guest's memory (768)
#   --console FILE   keep the kernel's log
# In the guest HOOKSWITCH_GUEST=1 is set and standard input is empty.
# Exit status: COMMAND's; 124 timeout, 125 wrong usage or no set-up, 126 the guest died without leaving a status.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
vm=${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/vm

die() { echo "kernel rig: $1" >&2; exit 125; }
usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
udev='' systemd='' share='' limit_s=300 memory=768 console='' handed=(RUST_LOG RUST_BACKTRACE)
while [ $# -gt 0 ]; do
  case $1 in
    --udev) udev=1; shift; continue ;;
    --systemd) systemd=1; shift; continue ;;
    --) shift; break ;;
    -h | --help) usage; exit 0 ;;
    --share | --env | --timeout | --memory | --console) [ $# -ge 2 ] || die "$1 needs a value" ;;
    -*) usage >&2; exit 125 ;;
    *) break ;;
  esac
  case $1 in
    --share) share=$(realpath -e -- "$2") || die "no folder $2" ;;
    --env) handed+=("$2") ;;
    --timeout) limit_s=$2 ;;
    --memory) memory=$2 ;;
    --console) console=$2 ;;
  esac
  shift 2
done
[ $# -gt 0 ] || { usage >&2; exit 125; }
"$here/setup.sh" || exit 125

job=$(mktemp -d "$vm/job.XXXXXX")
qemu=''
# shellcheck disable=SC2317  # called by the trap
clean_up() { [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :; rm -rf "$job"; }
trap clean_up EXIT
trap 'exit 130' INT TERM

printf '%q ' "$@" >"$job/command"
{
  printf 'RIG_UDEV=%q\nRIG_SYSTEMD=%q\nRIG_SHARE=%q\nRIG_FOLDER=%q\nexport HOOKSWITCH_GUEST=1\n' \
    "$udev" "$systemd" "$share" "$PWD"
  for name in "${handed[@]}" ${!HOOKSWITCH_*}; do
    [ -z "${!name+set}" ] || printf 'export %s=%q\n' "$name" "${!name}"
  done
} >"$job/environment"
[ -n "$console" ] || console=$job/console

arguments=(-L "$vm/root/usr/share/qemu" -L "$vm/root/usr/share/seabios"
  -M q35 -nodefaults -no-user-config -no-reboot -display none -monitor none
  -accel "tcg,thread=multi,tb-size=256" -cpu "max,la57=off" -m "$memory"
  -kernel "$vm/kernel" -initrd "$vm/initramfs" -serial "file:$console"
  -append 'console=ttyS0 quiet loglevel=4 panic=-1 nokaslr mitigations=off tsc=reliable no_timer_check audit=0 apparmor=0 random.trust_cpu=on'
  -device virtio-rng-pci -device virtio-serial-pci
  -add-fd 'fd=5,set=1' -chardev 'file,id=stdout,path=/dev/fdset/1,append=on'
  -add-fd 'fd=6,set=2' -chardev 'file,id=stderr,path=/dev/fdset/2,append=on')
for name in stdout stderr; do arguments+=(-device "virtserialport,chardev=$name,name=$name"); done
folder() { # TAG PATH [READONLY]; a comma in a qemu value is written twice
  arguments+=(-fsdev "local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap${3:+,readonly=on}"
    -device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}
folder host / readonly
folder packages "$vm/root" readonly
folder job "$job"
[ -z "$share" ] || folder results "$share"

libraries=$vm/root/usr/lib/x86_64-linux-gnu
LD_LIBRARY_PATH=$libraries QEMU_MODULE_DIR=$libraries/qemu timeout -k 5 "$limit_s" \
  "$vm/root/usr/bin/qemu-system-x86_64" "${arguments[@]}" 5>&1 6>&2 >"$job/qemu.log" 2>&1 </dev/null 9>&- &
qemu=$!
ended=0
wait "$qemu" || ended=$?
qemu=''
if [ ! -s "$job/status" ]; then
  cat "$job/qemu.log" >&2
  tail -n 20 "$console" >&2 2>/dev/null || :
  if [ "$ended" = 124 ]; then
    echo "kernel rig: the guest was ended after $limit_s s" >&2
    exit 124
  fi
  echo "kernel rig: the guest died (qemu ended with $ended)" >&2
  exit 126
fi
exit "$(cat "$job/status")"
