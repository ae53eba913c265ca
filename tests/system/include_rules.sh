#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom. Usage: include_rules.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
failed=0
check() {  # check FOLDER ALLOWED_PREFIX...: includes by path from the top must start with one of the prefixes
  local folder=$1 file include ok prefix
  shift
  [ -d "$folder" ] || return 0
  while IFS=: read -r file include; do
    ok=0
    for prefix in "$@"; do [[ $include == "$prefix"* ]] && ok=1; done
    if [ $ok -eq 0 ]; then
      echo "$file includes $include; $folder may include only: $*"
      failed=1
    fi
  done < <(grep -rHoE '^#include "(ip|models|platform|firmware)/[^"]+"' "$folder" --include='*.hpp' --include='*.cpp' --include='*.h' --include='*.c' |
           sed -E 's/#include "([^"]+)"/\1/')
}
check firmware/abi firmware/abi
check platform/chip platform/chip ip/base/units.hpp
check models models firmware/abi platform/chip ip/base/numbers
check ip ip firmware/abi
for block in ip/*/; do
  block=${block%/}
  case $block in
    ip/cluster) ;;  # joins its parts
    ip/dma | ip/tensor | ip/vector) check "$block" "$block" ip/base ip/command firmware/abi ;;
    *) check "$block" "$block" ip/base firmware/abi ;;
  esac
done
exit $failed
