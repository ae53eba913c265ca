# SPDX-License-Identifier: Apache-2.0
"""Writes config.json, tokenizer.json, model.safetensors (binary16) and golden.json (double precision outputs)."""
import copy
import json
import os
import struct

import torch
import torch.nn.functional as F

from model import CONFIG

PROMPT = "The people of the United States"


def save_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, t in tensors.items():
        size = t.numel() * 2
        header[name] = {"dtype": "F16", "shape": list(t.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.contiguous().numpy().tobytes())


@torch.no_grad()
def export(model, tokenizer, held_out, folder):
    """Returns the model whose weights are those of the file, in double precision."""
    os.makedirs(folder, exist_ok=True)
    json.dump(CONFIG, open(os.path.join(folder, "config.json"), "w"), indent=2)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|bos|>", "eos_token": "<|eos|>",
               "model_max_length": CONFIG["max_position_embeddings"]},
              open(os.path.join(folder, "tokenizer_config.json"), "w"), indent=2)
    rounded = copy.deepcopy(model).half()
    save_safetensors(os.path.join(folder, "model.safetensors"),
                     {f"model.{k}": v for k, v in rounded.state_dict().items()})
    rounded = rounded.double()
    angle = torch.outer(torch.arange(CONFIG["max_position_embeddings"], dtype=torch.float64),
                        CONFIG["rope_theta"] ** (-torch.arange(0, 32, 2, dtype=torch.float64) / 32))
    angle = torch.cat((angle, angle), -1)
    rounded.cos, rounded.sin = angle.cos(), angle.sin()
    ids = [0] + tokenizer.encode(PROMPT)
    prompt_ids = list(ids)
    for _ in range(64):
        ids.append(int(rounded(torch.tensor([ids]))[0, -1].argmax()))
    text = held_out[2000:2600]
    forced = torch.tensor([[0] + tokenizer.encode(text)])[:, :129]
    nll = F.cross_entropy(rounded(forced[:, :-1])[0], forced[0, 1:]).item()
    samples = ["Hello, world!", "It's 1848: we'll see  two spaces\nand a new line.", PROMPT, ""]
    json.dump({"prompt": PROMPT, "prompt_ids": prompt_ids, "greedy_ids": ids[len(prompt_ids):],
               "greedy_text": tokenizer.decode(ids), "held_out_ids": forced[0].tolist(), "held_out_mean_nll": nll,
               "tokenizer": [{"text": t, "ids": tokenizer.encode(t)} for t in samples]},
              open(os.path.join(folder, "golden.json"), "w"), indent=1)
    return rounded
