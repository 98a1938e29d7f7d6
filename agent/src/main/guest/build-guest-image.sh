#!/bin/sh
# Makes the Linux guest that Tombolo's QEMU driver boots: OUTPUT/vmlinuz, OUTPUT/initramfs, OUTPUT/manifest.
#
#   build-guest-image.sh OUTPUT
#
# Kernel and busybox are taken out of Debian's packages, which apt downloads and checks; nothing is installed. The
# checker beside this script is compiled. OUTPUT appears whole, by a rename; if it is there already, nothing is done.
#
#   TOMBOLO_GUEST_KERNEL=FILE    use this bzImage instead of Debian's cloud kernel
#   TOMBOLO_GUEST_BUSYBOX=FILE   use this static busybox instead of Debian's
set -eu
export LC_ALL=C
umask 022

die() { # code, what, next step
    echo "$1: $2. Next: $3" >&2
    exit 4
}

[ $# -eq 1 ] || { echo "usage: $0 OUTPUT" >&2; exit 2; }
output=$1
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
[ ! -e "$output/manifest" ] || exit 0

missing=
for tool in gcc cpio sha256sum find sort mktemp; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -z "${TOMBOLO_GUEST_KERNEL:-}" ] || [ -z "${TOMBOLO_GUEST_BUSYBOX:-}" ]; then
    for tool in apt-get apt-cache dpkg-deb; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
fi
[ -z "$missing" ] || die GUEST_IMAGE_TOOLS_MISSING "cannot build the Linux guest, not found:$missing" \
    "apt-get install gcc libc6-dev cpio (on systems without apt: set TOMBOLO_GUEST_KERNEL and TOMBOLO_GUEST_BUSYBOX)"

case $output in */*) mkdir -p "${output%/*}" ;; esac
work=$(mktemp -d "$output.tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/download" "$work/tree" "$work/image" "$work/root"

# A package's files in $work/tree/NAME; its name and version are left in $fetched.
fetch() { # package, what to set instead
    sandbox=
    [ "$(id -u)" -ne 0 ] || sandbox="-o APT::Sandbox::User=root"
    # $sandbox is empty or two words on purpose.
    # shellcheck disable=SC2086
    (cd "$work/download" && apt-get $sandbox -qq download "$1" >"$work/apt.log" 2>&1) ||
        die GUEST_IMAGE_PACKAGE_MISSING "apt cannot download the package $1: $(tail -n 1 "$work/apt.log")" \
            "apt-get update, or set $2 to a file"
    deb=$(find "$work/download" -name "$1_*.deb")
    mkdir "$work/tree/$1"
    dpkg-deb -x "$deb" "$work/tree/$1"
    fetched="$1 $(dpkg-deb -f "$deb" Version)"
}

if [ -n "${TOMBOLO_GUEST_KERNEL:-}" ]; then
    kernel=$TOMBOLO_GUEST_KERNEL
    kernel_source="file $TOMBOLO_GUEST_KERNEL"
else
    name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[^ ]*-cloud-amd64\)$/\1/p' | head -n 1)
    [ -n "$name" ] || die GUEST_IMAGE_PACKAGE_MISSING "apt does not know the package linux-image-cloud-amd64" \
        "apt-get update, or set TOMBOLO_GUEST_KERNEL to a bzImage"
    fetch "$name" TOMBOLO_GUEST_KERNEL
    kernel_source=$fetched
    kernel=$(find "$work/tree/$name/boot" -name 'vmlinuz-*' | head -n 1)
fi
[ -f "$kernel" ] || die GUEST_IMAGE_PACKAGE_MISSING "there is no kernel at '$kernel'" "set TOMBOLO_GUEST_KERNEL to a bzImage"
cp "$kernel" "$work/image/vmlinuz"

if [ -n "${TOMBOLO_GUEST_BUSYBOX:-}" ]; then
    busybox=$TOMBOLO_GUEST_BUSYBOX
    busybox_source="file $TOMBOLO_GUEST_BUSYBOX"
else
    fetch busybox-static TOMBOLO_GUEST_BUSYBOX
    busybox_source=$fetched
    busybox=$(find "$work/tree/busybox-static" -type f -path '*/bin/busybox' | head -n 1)
fi
[ -f "$busybox" ] || die GUEST_IMAGE_PACKAGE_MISSING "there is no busybox at '$busybox'" "set TOMBOLO_GUEST_BUSYBOX"

mkdir "$work/root/bin" "$work/root/dev" "$work/root/proc" "$work/root/sys"
gcc -O2 -static -s -Wall -Wextra -Werror -o "$work/root/bin/tombolo-guest" "$here/tombolo-guest.c" -lm 2>"$work/gcc.log" ||
    die GUEST_IMAGE_COMPILE_FAILED "gcc refused tombolo-guest.c: $(tail -n 1 "$work/gcc.log")" "apt-get install gcc libc6-dev"
cp "$busybox" "$work/root/bin/busybox"
cp "$here/init" "$work/root/init"
chmod 755 "$work/root/init" "$work/root/bin/busybox" "$work/root/bin/tombolo-guest"
find "$work/root" -exec touch -h -d @0 {} +
(cd "$work/root" && find . -print0 | sort -z | cpio --null --quiet --create --format=newc --owner=0:0 --reproducible) \
    >"$work/image/initramfs"

(
    cd "$work/image"
    echo "kernel.source=$kernel_source"
    echo "busybox.source=$busybox_source"
    echo "compiler=$(gcc --version | head -n 1)"
    for file in vmlinuz initramfs; do
        echo "$file.bytes=$(wc -c <"$file")"
        echo "$file.sha256=$(sha256sum "$file" | cut -d ' ' -f 1)"
    done
) >"$work/manifest"
mv "$work/manifest" "$work/image/manifest"

# Whoever renames first wins; the images are alike, so the loser throws his away.
mv -T "$work/image" "$output" 2>/dev/null || [ -e "$output/manifest" ] ||
    die GUEST_IMAGE_COMPILE_FAILED "cannot put the image at $output" "remove $output and try again"
