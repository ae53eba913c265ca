# SPDX-License-Identifier: Apache-2.0
"""Prints a sample of the bundled model. Usage: sample.py PROMPT TEMPERATURE SEED"""
import json
import os
import struct
import sys

import numpy
import torch

from bpe import Bpe
from model import Llama

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
with open(os.path.join(folder, "model.safetensors"), "rb") as f:
    size = struct.unpack("<Q", f.read(8))[0]
    header, data = json.loads(f.read(size)), f.read()
model = Llama()
weights = {}
for name, entry in header.items():
    if name != "__metadata__":
        a, b = entry["data_offsets"]
        weights[name.removeprefix("model.")] = torch.from_numpy(
            numpy.frombuffer(data[a:b], numpy.float16).reshape(entry["shape"]).astype(numpy.float32))
model.load_state_dict(weights)
tokenizer = Bpe([m.split(" ") for m in json.load(open(os.path.join(folder, "tokenizer.json")))["model"]["merges"]])
torch.manual_seed(int(sys.argv[3]))
ids = [0] + tokenizer.encode(sys.argv[1])
with torch.no_grad():
    for _ in range(160):
        logits = model(torch.tensor([ids[-256:]]))[0, -1] / float(sys.argv[2])
        ids.append(int(torch.multinomial(logits.softmax(-1), 1)))
print(tokenizer.decode(ids))
