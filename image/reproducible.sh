#!/usr/bin/env bash
# Builds the binary in two places, with two cargo homes and two target folders: the bytes must be the same.
# It takes twice as long as `make build`, and half a gigabyte below /var/tmp.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d /var/tmp/credprobe-reproducible.XXXXXX)
trap 'rm -rf "$folder"' EXIT
home=${CARGO_HOME:-$HOME/.cargo}

# Fetched once, with the caller's settings. The copy contains only the sources.
cargo fetch --quiet --locked
mkdir -p "$folder/home" "$folder/deeper/down"
cp -a "$home/registry" "$folder/home/"
for settings in "$home/config.toml" "$home/config"; do
  [ ! -e "$settings" ] || cp "$settings" "$folder/home/"
done
for place in "$folder/one" "$folder/deeper/down/two"; do
  mkdir "$place"
  tar --create --exclude=./target --exclude=./.git . | tar --extract --directory="$place"
done

env -u CARGO_TARGET_DIR make --directory="$folder/one" build
CARGO_HOME=$folder/home CARGO_TARGET_DIR=$folder/elsewhere make --directory="$folder/deeper/down/two" build
host=$(rustc -vV | sed -n 's/^host: //p')
sha256sum "$folder/one/target/$host/release/credprobe" "$folder/elsewhere/$host/release/credprobe"
cmp "$folder/one/target/$host/release/credprobe" "$folder/elsewhere/$host/release/credprobe"
echo 'the same bytes'
