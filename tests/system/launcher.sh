#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The launcher's answers to bad and good command lines, and what it builds for whom. Usage: launcher.sh SOURCE_FOLDER BUILD_FOLDER
set -u
cd "$1" || exit 1
./forerun help | grep -q '^Usage' || { echo "help prints no usage"; exit 1; }
./forerun no-such-command 2>/tmp/launcher.$$ && { echo "an unknown command must fail"; exit 1; }
grep -q "unknown command 'no-such-command'" /tmp/launcher.$$ || { echo "the error does not name the command"; exit 1; }
./forerun bench no-such-part 2>/tmp/launcher.$$ && { echo "an unknown part of bench must fail"; exit 1; }
grep -q "unknown part 'no-such-part'" /tmp/launcher.$$ || { echo "the error does not name the part"; exit 1; }
rm -f /tmp/launcher.$$
commands=$(ninja -C "$2" -t commands product) || { echo "the build has no target 'product'"; exit 1; }
for needed in '-o bin/forerun' 'llm.elf' 'hello.elf' 'boot_rom.bin' '-o lib/libforerun_dpi.so'; do
  grep -q -e "$needed" <<< "$commands" || { echo "'product' lacks $needed"; exit 1; }
done
! grep -m1 -e '-o tests/' -e '-o bin/[a-z_]*_test' <<< "$commands" || { echo "'product' contains a test"; exit 1; }
ninja -C "$2" -t commands all | grep -q -e '-o bin/rtl_styles_test' || { echo "'all' lacks tests"; exit 1; }
