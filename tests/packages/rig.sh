#!/usr/bin/env bash
# rig.sh COMMAND [ARGUMENT]...
#   Runs COMMAND as root with a bare Debian 12 below $HOOKSWITCH_ROOT, to be entered with chroot. What is written there is
#   gone when COMMAND ends. It has the machine's devices and processes, and of its own neither systemd nor udev.
# rig.sh --check
#   Says what keeps this machine from it.
# Needs root, util-linux, and a kernel that lets it mount (a container: CAP_SYS_ADMIN). setup.sh comes first.
set -euo pipefail
root=${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/debian/root

die() { printf 'packages rig: %s\n' "$*" >&2; exit 1; }

case ${1:-} in
  '' | -h | --help) sed -n '2,/^# Needs /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
  --inside) shift ;;
  *)
    [[ $EUID -eq 0 ]] || die "it needs root: it installs packages in a system of its own"
    command -v unshare >/dev/null || die "unshare is missing (rig.sh --help names its package)"
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/hookswitch-packages.XXXXXX")
    trap 'rm -rf -- "$scratch"' EXIT
    export HOOKSWITCH_SCRATCH=$scratch HOOKSWITCH_ROOT=$scratch/root
    status=0
    unshare --mount --propagation private -- "${BASH_SOURCE[0]}" --inside "$@" || status=$?
    exit "$status"
    ;;
esac

# Before the first setup any folder shows whether it may mount.
[[ ${1:-} != --check || -d $root ]] || root=/usr
mkdir -p "$HOOKSWITCH_ROOT" "$HOOKSWITCH_SCRATCH"/{upper,work}
mount -t overlay overlay -o "lowerdir=$root,upperdir=$HOOKSWITCH_SCRATCH/upper,workdir=$HOOKSWITCH_SCRATCH/work" \
  "$HOOKSWITCH_ROOT" || die "this kernel or container does not let it mount, or setup.sh did not run"
[[ ${1:-} != --check ]] || exit 0
mount --bind /dev "$HOOKSWITCH_ROOT/dev"
mount -t proc proc "$HOOKSWITCH_ROOT/proc" || mount --bind /proc "$HOOKSWITCH_ROOT/proc"
"$@"
