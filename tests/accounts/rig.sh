#!/usr/bin/env bash
# rig.sh COMMAND [ARGUMENT]...
#   Runs COMMAND as root on a machine of its own: /etc, /usr and /var can be written and are as before when it ends, /run is
#   empty, and there are two more users, anna (in charge of her headset) and eve (who would like to be). udev runs, and
#   knows none of the real machine's rules but those in /usr and /etc.
# rig.sh --check
#   Says what keeps this machine from it.
# Needs root, Debian's util-linux, passwd and udev, and a kernel that lets it mount (a container: CAP_SYS_ADMIN).
set -euo pipefail

die() { printf 'accounts rig: %s\n' "$*" >&2; exit 1; }

case ${1:-} in
  '' | -h | --help) sed -n '2,/^# Needs /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
  --inside) shift ;;
  *)
    [[ $EUID -eq 0 ]] || die "it needs root: it makes users and mounts"
    for tool in unshare setpriv useradd udevadm; do
      command -v "$tool" >/dev/null || die "$tool is missing (rig.sh --help names the packages)"
    done
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/hookswitch-accounts.XXXXXX")
    trap 'rm -rf -- "$scratch"' EXIT
    chmod 755 "$scratch"
    export HOOKSWITCH_SCRATCH=$scratch
    status=0
    unshare --mount --propagation private -- "${BASH_SOURCE[0]}" --inside "$@" || status=$?
    exit "$status"
    ;;
esac

for part in etc usr var; do
  mkdir -p "$HOOKSWITCH_SCRATCH/$part" "$HOOKSWITCH_SCRATCH/$part.work"
  mount -t overlay overlay \
    -o "lowerdir=/$part,upperdir=$HOOKSWITCH_SCRATCH/$part,workdir=$HOOKSWITCH_SCRATCH/$part.work" "/$part" ||
    die "this kernel or container does not let it mount over /$part"
done
mount -t tmpfs -o mode=0755 tmpfs /run || die "this container does not let it mount over /run"
rm -rf /etc/hookswitch
for user in anna eve; do
  useradd --home-dir "$HOOKSWITCH_SCRATCH/$user" --create-home --shell /bin/sh "$user"
  chmod 755 "$HOOKSWITCH_SCRATCH/$user"
done
[[ ${1:-} != --check ]] || exit 0

udevd=/lib/systemd/systemd-udevd
[[ -x $udevd ]] || udevd=$(command -v udevd) || die "udev has no daemon"
"$udevd" --daemon 2>"$HOOKSWITCH_SCRATCH/udevd.log" || die "udev does not start: $(cat "$HOOKSWITCH_SCRATCH/udevd.log")"
for ((tries = 0; tries < 100; tries++)); do
  [[ ! -S /run/udev/control ]] || break
  sleep 0.1
done
[[ -S /run/udev/control ]] || die "udev does not start: $(cat "$HOOKSWITCH_SCRATCH/udevd.log")"
status=0
"$@" || status=$?
udevadm control --exit || true
exit "$status"
