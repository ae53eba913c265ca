#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tries a page of the documentation: runs each command of its ```sh blocks, and looks up what its links and the options of forerun
# in its text name.
# Usage: documents.sh SOURCE_FOLDER BUILD_FOLDER PAGE
#
# Commands run in a scratch folder that looks like the top of the tree, with the built program in the place of the launcher. A
# comment above a block tells more:
#   <!-- file: NAME -->      the block, of any language, becomes this file
#   <!-- output -->          the command before the block has printed each of its lines
#   <!-- not run: REASON --> nothing is run; commands, options, presets and targets must exist
set -u
source=$1 build=$2 page=$3
program=$build/bin/forerun
[ -f "$page" ] || { echo "$page: no such page"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 commands=0 files=0 links=0

complain() {  # complain LINE TEXT
  echo "${page#"$source"/}:$1: $2"
  failed=1
}

make_scratch() {
  local entry
  for entry in "$source"/*; do
    case ${entry##*/} in build | forerun) ;; *) ln -s "$entry" "$work/${entry##*/}" ;; esac
  done
  mkdir "$work/build"
  ln -s "$build" "$work/build/release"
  cat > "$work/forerun" <<WRAPPER
#!/bin/sh
case \${1-} in
  run | boot | compile | loss | chip | rtl | sweep | traffic | replay | validate) exec '$program' "\$@" ;;
  *) echo "'\${1-}' is a command of the launcher: mark the block as not run" >&2; exit 2 ;;
esac
WRAPPER
  chmod +x "$work/forerun"
}

try() {  # try LINE COMMAND
  commands=$((commands + 1))
  (cd "$work" && exec timeout 600 bash -euo pipefail -c "$2") > "$work/.log" 2>&1 < /dev/null
  case $? in
    0 | 141) ;;  # 141: a reader such as head has seen enough
    *)
      complain "$1" "this command fails: $2"
      tail -n 20 "$work/.log"
      ;;
  esac
}

known_word() {  # known_word LINE WORD...: one simple command
  local line=$1 word help
  shift
  while [[ ${1-} == *=* ]]; do shift; done
  [ $# -gt 0 ] || return 0
  local name=$1
  shift
  case $name in
    ./forerun)
      "$source/forerun" help | grep -qE "^  ${1-} " || { complain "$line" "./forerun has no command '${1-}'"; return; }
      case $1 in
        run | boot | compile | loss | chip | rtl | sweep | traffic | replay | validate)
          help=$("$program" "$1" --help)
          for word in "${@:2}"; do
            [[ $word != -[a-z-]* ]] || grep -qE -- "(^|[ ,])${word%%=*}( |,|$)" <<< "$help" ||
              complain "$line" "./forerun $1 has no option $word"
          done
          ;;
      esac
      ;;
    cmake)
      while [ $# -gt 0 ]; do
        case $1 in
          --preset) grep -q "\"name\": \"$2\"" "$source/CMakePresets.json" || complain "$line" "no preset '$2'" ;;
          --target) cmake --build "$build" --target help | grep -E "^$2: " > /dev/null || complain "$line" "no target '$2'" ;;
        esac
        shift
      done
      ;;
    *) command -v "$name" > /dev/null || [ -e "$work/$name" ] || complain "$line" "there is no command '$name'" ;;
  esac
}

look_up() {  # look_up LINE COMMAND: every simple command of a line
  local part words
  commands=$((commands + 1))
  while IFS= read -r part; do
    eval "words=($part)" 2> /dev/null || { complain "$1" "not understood: $part"; return; }
    [ ${#words[@]} -eq 0 ] || known_word "$1" "${words[@]}"
  done < <(sed -E 's/ *(&&|\|\||[|;>]) */\n/g' <<< "$2")
}

take_block() {  # take_block LINE LANGUAGE NOTE TEXT
  local number=$1 language=$2 note=$3 text=$4 command='' line first
  if [[ $note == 'file: '* ]]; then
    local file=$work/${note#file: }
    mkdir -p "$(dirname "$file")"
    printf '%s' "$text" > "$file"
    files=$((files + 1))
  fi
  if [ "$note" = output ]; then
    first=$number
    while IFS= read -r line; do
      first=$((first + 1))
      [ -z "$line" ] || tr -d '\r' < "$work/.log" | grep -xF -- "$line" > /dev/null || complain "$first" "the command before has not printed this: $line"
    done < <(printf '%s' "$text")
  fi
  [ "$language" = sh ] || return
  first=$number
  while IFS= read -r line; do
    number=$((number + 1))
    if [[ $line == *\\ ]]; then command+=${line%\\}; continue; fi
    command+=$line
    if [[ -n ${command// /} && $command != '#'* ]]; then
      if [[ $note == 'not run: '* ]]; then look_up "$number" "$command"; else try "$number" "$command"; fi
    fi
    command=''
  done <<< "$text"
  [ -z "$command" ] || complain "$first" "the block ends in a backslash"
}

headings() {  # the names by which links find the headings of a page
  sed -nE 's/^#+ +//p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

look_up_links() {  # look_up_links LINE TEXT
  local rest=$2 target file
  while [[ $rest =~ (\]\(|src=\")([^\)\"]+) ]]; do
    target=${BASH_REMATCH[2]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
    links=$((links + 1))
    case $target in http://* | https://*) continue ;; esac
    file=${target%%#*}
    file=${file:+$(dirname "$page")/$file}
    file=${file:-$page}
    if [ ! -e "$file" ]; then
      complain "$1" "nothing is at $target"
    elif [[ $target == *'#'* ]] && ! headings "$file" | grep -qxF -- "${target#*#}"; then
      complain "$1" "no heading ${target#*#} in ${file##*/}"
    fi
  done
}

look_up_options() {  # look_up_options LINE TEXT: `--option` and `forerun COMMAND ...`
  local rest=$2 span
  while [[ $rest =~ \`([^\`]+)\` ]]; do
    span=${BASH_REMATCH[1]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
    case $span in
      --[a-z]*)
        span=${span%%[ =]*}
        grep -qE -- "(^|[ ,])$span( |,|$)" <<< "$all_help" || complain "$1" "forerun has no option $span"
        ;;
      'forerun '[a-z]* | './forerun '[a-z]*) look_up "$1" "./forerun ${span#*forerun }" ;;
    esac
  done
}

make_scratch
export FORERUN_RTL_CACHE=$build/rtl-cache  # models of RTL are made once for all pages
# What a page compiles lies in another folder each time, which need not matter to ccache.
if command -v ccache > /dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 OBJCACHE=ccache
fi
all_help=$(for command in run boot compile loss chip rtl sweep traffic replay validate; do "$program" $command --help; done)
number=0 inside=0 note='' text='' language='' begin=0
while IFS= read -r line || [ -n "$line" ]; do
  number=$((number + 1))
  if [ $inside -eq 1 ]; then
    if [ "$line" = '```' ]; then
      take_block "$begin" "$language" "$note" "$text"
      inside=0 note=''
    else
      text+=$line$'\n'
    fi
  elif [[ $line == '```'* ]]; then
    inside=1 language=${line#'```'} text='' begin=$number
  elif [[ $line =~ ^'<!-- '(.*)' -->'$ ]]; then
    note=${BASH_REMATCH[1]}
  elif [ -n "$line" ]; then
    note=''
    look_up_links "$number" "$line"
    look_up_options "$number" "$line"
  fi
done < "$page"
[ $inside -eq 0 ] || complain "$begin" "this block is not closed"
echo "${page#"$source"/}: $commands commands, $files files, $links links"
exit $failed
