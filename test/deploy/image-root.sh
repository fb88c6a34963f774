#!/bin/sh
# Runs a command in a file system of its own, as a container does: unshare --mount sh image-root.sh ROOT IMAGE NODE USER
# COMMAND... IMAGE holds what the image's steps have made; beside it are this machine's programs. Everything is
# read-only where USER is not root.
set -eu
root=$1 image=$2 node=$3 user=$4
shift 4
mount -t tmpfs tmpfs "$root"
for path in /bin /sbin /lib /lib32 /lib64 /usr /etc; do
  if [ -L "$path" ]; then cp -P "$path" "$root$path"; elif [ -d "$path" ]; then
    mkdir "$root$path" && mount --bind -o ro "$path" "$root$path"
  fi
done
mkdir "$root/proc" "$root/dev" "$root/tmp" "$root/root" "$root/opt" "$root/app" "$root/sluice" "$root/opt/node"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$node" "$root/opt/node"
mount --bind "$image/app" "$root/app"
mount --bind "$image/sluice" "$root/sluice"
if [ "$user" = root ]; then
  # npm has its settings; what a step puts at the root is kept.
  [ -f "$HOME/.npmrc" ] && cp "$HOME/.npmrc" "$root/root/.npmrc"
  chroot "$root" "$@"
  cp -P "$root"/node_modules "$root"/package.json "$image/"
  exit
fi
cp -P "$image/node_modules" "$image/package.json" "$root/"
mount -o remount,ro,bind "$root/app"
mount -o remount,ro,bind "$root/sluice"
mount -o remount,ro "$root"
exec chroot "$root" /usr/bin/setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
