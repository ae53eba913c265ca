#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real gdb on a program that the whole chip boots. Usage: gdb.sh BUILD_FOLDER
set -u
build=$1
scratch=$(mktemp -d)
trap 'kill $simulator 2>/dev/null; rm -rf "$scratch"' EXIT
"$build/bin/forerun" boot --chip edge --gdb 0 "$build/firmware/hello.elf" >"$scratch/out" 2>"$scratch/err" </dev/null &
simulator=$!
for _ in $(seq 300); do
  port=$(sed -n "s/.*target remote :\([0-9]*\).*/\1/p" "$scratch/err")
  [ -n "$port" ] && break
  sleep 0.1
done
[ -n "$port" ] || { echo "no port in:"; cat "$scratch/err"; exit 1; }
gdb-multiarch -batch -nx -ex 'set pagination off' -ex "target remote :$port" -ex 'info registers pc' -ex 'break firmware_main' -ex continue \
  -ex 'backtrace 1' -ex 'x/1i $pc' -ex stepi -ex 'print/x $sp >= 0x80000000' -ex 'set var $t6 = 0x1234' -ex 'print/x $t6' \
  -ex delete -ex continue "$build/firmware/hello.elf" >"$scratch/gdb" 2>&1
wait $simulator
code=$?
failed=0
expect() { grep -q "$1" "$2" || { echo "no '$1' in $2:"; cat "$2"; failed=1; }; }
[ $code -eq 0 ] || { echo "exit code $code"; cat "$scratch/err"; failed=1; }
expect '0x1000' "$scratch/gdb"
expect 'Breakpoint 1, firmware_main' "$scratch/gdb"
expect '= 0x1234' "$scratch/gdb"
expect 'exited normally' "$scratch/gdb"
expect 'Hello' "$scratch/out"
exit $failed
