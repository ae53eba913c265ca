#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Which layer of the firmware may include which. Usage: include_rules.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
failed=0
check() {  # check LAYER ALLOWED...
  local layer=$1 found
  shift
  found=$(grep -rHoE '^#include "[^"]+"' "firmware/$layer" | grep -vE "\"firmware/($(IFS='|'; echo "$*"))/")
  [ -z "$found" ] && return
  printf 'firmware/%s may include only %s:\n%s\n' "$layer" "$*" "$found"
  failed=1
}
check abi abi
check hal hal
check drivers drivers hal abi
check runtime runtime drivers hal abi
check apps apps runtime drivers hal abi
exit $failed
