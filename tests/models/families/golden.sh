#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The golden files are what make_golden.py writes. Usage: golden.sh FOLDER_OF_THIS_SCRIPT
set -u
python=
for candidate in /usr/bin/python3 python3; do
  if "$candidate" -c 'import torch, numpy' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "skipped: no PyTorch here; on Debian, apt-get install --no-install-recommends python3-torch (some 630 MB) brings it"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PYTHONDONTWRITEBYTECODE=1 "$python" "$1/make_golden.py" "$work" || exit 1
# Another build of PyTorch may sum in another order: numbers may differ in their last digits.
"$python" - "$1/golden" "$work" <<'COMPARE'
import json, math, pathlib, sys

def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-8, abs_tol=1e-8)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b

old, new = ({p.name: json.loads(p.read_text()) for p in pathlib.Path(f).glob("*.json")} for f in sys.argv[1:])
wrong = [name for name in sorted(old.keys() | new.keys()) if not same(old.get(name), new.get(name))]
print(f"{len(new)} models, {len(wrong)} differ from tests/models/families/golden: {' '.join(wrong)}")
sys.exit(bool(wrong) or len(new) < 15)
COMPARE
