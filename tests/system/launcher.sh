#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The launcher's answers to bad and good command lines. Usage: launcher.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
./forerun help | grep -q '^Usage' || { echo "help prints no usage"; exit 1; }
./forerun no-such-command 2>/tmp/launcher.$$ && { echo "an unknown command must fail"; exit 1; }
grep -q "unknown command 'no-such-command'" /tmp/launcher.$$ || { echo "the error does not name the command"; exit 1; }
./forerun bench no-such-part 2>/tmp/launcher.$$ && { echo "an unknown part of bench must fail"; exit 1; }
grep -q "unknown part 'no-such-part'" /tmp/launcher.$$ || { echo "the error does not name the part"; exit 1; }
rm -f /tmp/launcher.$$
