#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the program of docs/firmware.md with the command given there. Usage: own_program.sh SOURCE_FOLDER BUILD_FOLDER
set -eu
section() { awk -v language="$1" '/^## A program of your own/ {on = 1} /^```/ {inside = on && $0 == "```" language; if (inside) next}
                                  /^## In the/ {on = 0} inside' "$source/docs/firmware.md"; }
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$source/firmware" "$work/firmware"
mkdir "$work/build" && ln -s "$build" "$work/build/release"
section c > "$work/my_app.c"
section sh > "$work/command"
grep -q firmware_main "$work/my_app.c"
grep -q riscv64-unknown-elf-gcc "$work/command"
cd "$work" && sh -e ./command
riscv64-unknown-elf-readelf -h my_app.elf | grep -q 'Entry point address: *0x80000000$'
