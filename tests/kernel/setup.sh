#!/usr/bin/env bash
# setup.sh [--renew]
#   Prepares what run.sh boots: Debian's current kernel, qemu and a few USB tools, fetched with apt-get and unpacked
#   into the cache. Installs nothing and needs no root. A second call only looks whether all is still in place.
#   --renew   fetch everything again (newer kernel, newer packages)
# Cache: ${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/vm
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
vm=${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/vm
root=$vm/root
packages=(qemu-system-x86 seabios busybox-static kmod udev systemd usbutils dfu-util)
# What the guest loads: first its console and its disks, then what the tests are about. Order and needs: modprobe.
modules=(virtio_pci virtio_console virtio_rng 9pnet_virtio 9p overlay hid_generic usbhid uhid vhci_hcd)

say() { printf 'kernel rig: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case ${1:-} in
  '') ;;
  --renew) rm -rf "$vm" ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
for tool in apt-get apt-cache dpkg dpkg-deb tar flock sha256sum xz; do
  command -v "$tool" >/dev/null || die "$tool is needed: this rig works on Debian and its derivatives"
done
[ "$(dpkg --print-architecture)" = amd64 ] || die "this rig emulates an amd64 machine with amd64 packages only"
mkdir -p "$vm"
exec 9>"$vm/lock"
flock 9

# A tool out of the unpacked packages, with their libraries; "as NAME" matters to kmod.
from_root() {
  local name=$1 program=$2
  shift 2
  (export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu; exec -a "$name" "$root/$program" "$@")
}

unpack_packages() {
  local log=$vm/apt.log kernel deb
  # Own lists and archives: neither the age of the machine's lists nor its locks matter.
  local options=(-o Debug::NoLocking=true -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0
    -o "Dir::State::lists=$vm/apt/lists" -o "Dir::Cache=$vm/apt")
  rm -rf "$vm/apt" "$root"
  mkdir -p "$vm"/apt/{lists,archives}/partial
  apt-get -qq "${options[@]}" update >"$log" 2>&1 || cat "$log" >&2 # one source of many may be unreachable
  kernel=$(apt-cache "${options[@]}" depends linux-image-amd64 2>>"$log" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
  [ -n "$kernel" ] || die "no package linux-image-amd64 in the lists of this distribution"
  say "fetching $kernel, ${packages[*]}"
  # --reinstall: also what the machine has installed; the guest's tools must not depend on it
  apt-get -qq -y "${options[@]}" install --download-only --reinstall --no-install-recommends \
    "$kernel" "${packages[@]}" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "the download failed"; }
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
  for deb in bin sbin lib lib64; do ln -s "usr/$deb" "$root/$deb"; done
  for deb in "$vm"/apt/archives/*.deb; do
    case ${deb##*/} in
      libc6_* | libc-bin_*) continue ;; # the machine's own C library serves both sides
    esac
    dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --keep-directory-symlink -C "$root"
  done
  rm -rf "$vm/apt"
}

# The uncompressed kernel boots some seconds sooner. Where its payload lies: the kernel's x86 boot protocol, fields
# setup_sects (0x1f1), payload_offset and payload_length (0x248).
unpack_kernel() {
  local image=$1 sectors offset length
  sectors=$(od -An -tu1 -j497 -N1 "$image")
  read -r offset length < <(od -An -tu4 --endian=little -j584 -N8 "$image")
  dd if="$image" iflag=skip_bytes,count_bytes skip=$(((sectors + 1) * 512 + offset)) count="$length" bs=1M \
    status=none | xz -dcq --single-stream >"$vm/kernel" 2>/dev/null || :
  [ "$(head -c 4 "$vm/kernel" | tail -c 3)" = ELF ] || cp "$image" "$vm/kernel" # not xz: boots all the same
}

pack_initramfs() {
  local version=$1 tree=$vm/initramfs.d verb file name seen=' '
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,modules,proc,sys,dev,host,packages,scratch,root}
  cp "$root/bin/busybox" "$tree/bin/"
  cp "$here/guest/init" "$tree/init"
  cp "$here/guest/main" "$tree/main"
  chmod 755 "$tree/init"
  for name in "${modules[@]}"; do
    while read -r verb file _; do
      [ "$verb" = insmod ] || continue # "builtin"
      name=${file##*/}
      name=${name%%.ko*}
      case $seen in *" $name "*) continue ;; esac
      seen+="$name "
      case $file in
        *.xz) xz -dc "$file" >"$tree/modules/$name.ko" ;;
        *.ko) cp "$file" "$tree/modules/$name.ko" ;;
        *) die "$file: unknown compression" ;;
      esac
      echo "/modules/$name.ko" >>"$tree/modules/order"
    done < <(from_root modprobe bin/kmod -d "$root" -S "$version" --show-depends "$name")
  done
  (cd "$tree" && find . | "$root/bin/busybox" cpio -o -H newc 2>/dev/null) >"$vm/initramfs"
  rm -rf "$tree"
}

stamp=$(cat "${BASH_SOURCE[0]}" "$here"/guest/* | sha256sum)
if [ "$(cat "$vm/ready" 2>/dev/null)" = "$stamp" ] && from_root qemu usr/bin/qemu-system-x86_64 --version >/dev/null 2>&1; then
  exit 0
fi
rm -f "$vm/ready"
{ [ -x "$root/lib/systemd/systemd" ] && from_root qemu usr/bin/qemu-system-x86_64 --version >/dev/null 2>&1; } ||
  unpack_packages
version=$(cd "$root/lib/modules" && echo *)
case $version in '*' | *' '*) die "expected one kernel in $root/lib/modules, found: $version" ;; esac
from_root depmod bin/kmod -b "$root" "$version" 2>>"$vm/apt.log"
unpack_kernel "$root/boot/vmlinuz-$version"
pack_initramfs "$version"
echo "$stamp" >"$vm/ready"
say "ready: kernel $version, $(du -sh "$vm" | cut -f1) in $vm"
