#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# documents.sh must notice what is wrong with a page. Usage: documents_selftest.sh SOURCE_FOLDER BUILD_FOLDER
set -u
here=$(cd "$(dirname "$0")" && pwd)
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

page() { printf '%s\n' "$@" > "$work/page.md"; }
try() { "$here/documents.sh" "$source" "$build" "$work/page.md" > "$work/output" 2>&1; }
accepts() { try || { echo "refused: $1"; cat "$work/output" "$work/page.md"; exit 1; }; }
refuses() {  # refuses EXPECTED_TEXT
  if try; then echo "accepted:"; cat "$work/page.md"; exit 1; fi
  grep -qF -- "$1" "$work/output" || { echo "does not say '$1':"; cat "$work/output"; exit 1; }
}

page '# A page' '[itself](page.md) and [here](#a-page)' '```sh' './forerun chip \' '  edge | grep -q edge' '# a comment' '```' \
     '```text' 'false' '```'
accepts 'a good page'
grep -q '1 commands, 0 files, 2 links' "$work/output" || { echo "counts wrongly:"; cat "$work/output"; exit 1; }
page '<!-- file: a/b.txt -->' '```text' 'words' '```' '```sh' 'grep -qx words a/b.txt' '```'
accepts 'a file that a command reads'
page '```sh' 'printf "one\ntwo\nthree\n"' '```' '' '<!-- output -->' '```text' 'two' '```'
accepts 'output that came'
page '<!-- not run: it would take long -->' '```sh' './forerun run --steps 8 && ./forerun test -R noc' \
     'cmake --preset debug && cmake --build build/debug --target forerun' '```'
accepts 'commands that exist'

page 'The options `--steps` and `--data none`, as in `forerun run --ids FILE`; `-Wl,--defsym=x` is of another program.'
accepts 'options in the text'

page 'Text.' '' '```sh' 'true' './forerun chip no-such-chip' '```'
refuses 'page.md:5: this command fails: ./forerun chip no-such-chip'
page '```sh' 'false | true' '```'
refuses 'this command fails'
page '```sh' 'echo one' '```' '<!-- output -->' '```text' 'one' 'two' '```'
refuses 'page.md:7: the command before has not printed this: two'
page '```sh' './forerun test' '```'
refuses 'mark the block as not run'
page '<!-- not run: long -->' '```sh' './forerun no-such-command' '```'
refuses "no command 'no-such-command'"
page '<!-- not run: long -->' '```sh' './forerun run --no-such-option' '```'
refuses 'no option --no-such-option'
page '<!-- not run: long -->' '```sh' 'cmake --preset no-such-preset' '```'
refuses "no preset 'no-such-preset'"
page '<!-- not run: long -->' '```sh' 'cmake --build build/debug --target no_such_target' '```'
refuses "no target 'no_such_target'"
page '<!-- not run: long -->' '```sh' 'true && no_such_program --help' '```'
refuses "there is no command 'no_such_program'"
page 'A [page](no-such-page.md).'
refuses 'nothing is at no-such-page.md'
page 'The option `--no-such-option`.'
refuses 'forerun has no option --no-such-option'
page 'Call `forerun boot --steps 3`.'
refuses './forerun boot has no option --steps'
page '# A page' 'A [heading](#another-page).'
refuses 'no heading another-page'
page '```sh' 'true'
refuses 'not closed'
