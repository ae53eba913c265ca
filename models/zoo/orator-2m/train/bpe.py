# SPDX-License-Identifier: Apache-2.0
"""Byte-level BPE: learns merges from text, encodes text, and writes the Hugging Face tokenizer.json."""
import json
import re
from collections import Counter, defaultdict

# GPT-2's split pattern, written for ASCII text (all of the corpus is ASCII).
SPLIT = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")
SPECIAL = ["<|bos|>", "<|eos|>"]


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes."""
    shown = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table = {b: chr(b) for b in shown}
    extra = 0
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + extra)
            extra += 1
    return table


ALPHABET = byte_alphabet()


class Bpe:
    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        tokens = SPECIAL + sorted(ALPHABET.values()) + ["".join(m) for m in self.merges]
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.cache = {}

    def word(self, text):
        if text not in self.cache:
            parts = [ALPHABET[b] for b in text.encode()]
            while len(parts) > 1:
                pairs = [(self.rank.get(p, 1 << 30), i) for i, p in enumerate(zip(parts, parts[1:]))]
                rank, at = min(pairs)
                if rank == 1 << 30:
                    break
                parts[at:at + 2] = [parts[at] + parts[at + 1]]
            self.cache[text] = [self.ids[p] for p in parts]
        return self.cache[text]

    def encode(self, text):
        return [i for w in SPLIT.findall(text) for i in self.word(w)]

    def decode(self, ids):
        back = {c: b for b, c in ALPHABET.items()}
        tokens = {i: t for t, i in self.ids.items()}
        return bytes(back[c] for i in ids if i >= len(SPECIAL) for c in tokens[i]).decode(errors="replace")

    def save(self, path):
        def special(i):
            return {"id": i, "content": SPECIAL[i], "single_word": False, "lstrip": False, "rstrip": False,
                    "normalized": False, "special": True}
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        bos = {"SpecialToken": {"id": SPECIAL[0], "type_id": 0}}
        json.dump({
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [special(0), special(1)],
            "normalizer": None, "pre_tokenizer": byte_level,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {SPECIAL[0]: {"id": SPECIAL[0], "ids": [0], "tokens": [SPECIAL[0]]}}},
            "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "vocab": self.ids, "merges": [" ".join(m) for m in self.merges]},
        }, open(path, "w"), indent=0, ensure_ascii=False)


def learn(text, vocabulary):
    """Learns the merges that bring the vocabulary to the wanted size; ties go to the smallest pair."""
    counts = Counter(SPLIT.findall(text))
    words = [[ALPHABET[b] for b in w.encode()] for w in counts]
    weight = list(counts.values())
    pairs, where = Counter(), defaultdict(set)
    for n, parts in enumerate(words):
        for p in zip(parts, parts[1:]):
            pairs[p] += weight[n]
            where[p].add(n)
    merges = []
    while len(SPECIAL) + 256 + len(merges) < vocabulary:
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for n in list(where[best]):
            parts = words[n]
            for p in zip(parts, parts[1:]):
                pairs[p] -= weight[n]
                where[p].discard(n)
            i = 0
            while i + 1 < len(parts):
                if (parts[i], parts[i + 1]) == best:
                    parts[i:i + 2] = [parts[i] + parts[i + 1]]
                i += 1
            for p in zip(parts, parts[1:]):
                pairs[p] += weight[n]
                where[p].add(n)
        del pairs[best]
    return merges
