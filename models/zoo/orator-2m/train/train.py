# SPDX-License-Identifier: Apache-2.0
"""Trains the bundled model and writes it in the Hugging Face layout. Usage: train.py WORK_FOLDER MINUTES"""
import math
import os
import sys
import time

import torch
import torch.nn.functional as F

from bpe import Bpe, learn
from data import corpus, fetch
from export import export
from model import CONFIG, Llama

BATCH, LENGTH, PEAK, WARM_UP = 16, 128, 3e-3, 100


def stream(tokenizer, documents):
    return torch.tensor([i for d in documents for i in [0] + tokenizer.encode(d)], dtype=torch.long)


@torch.no_grad()
def loss_on(model, ids, length=LENGTH):
    windows = [ids[i:i + length + 1] for i in range(0, len(ids) - length, length)]
    total = 0.0
    for i in range(0, len(windows), 32):
        batch = torch.stack(windows[i:i + 32])
        total += F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten(), reduction="sum").item()
    return total / (len(windows) * length)


def main():
    folder, minutes = sys.argv[1], float(sys.argv[2])
    torch.manual_seed(1)
    training, held_out, digest = corpus(fetch(folder))
    print(f"corpus sha256 {digest}, {sum(map(len, training))} training and {sum(map(len, held_out))} held-out characters",
          flush=True)
    tokenizer = Bpe(learn("\n".join(training), CONFIG["vocab_size"]))
    train_ids, held_ids = stream(tokenizer, training), stream(tokenizer, held_out)
    bytes_a_token = sum(map(len, held_out)) / len(held_ids)
    print(f"{len(train_ids)} training tokens, {len(held_ids)} held-out, {bytes_a_token:.3f} bytes a token", flush=True)
    probe = held_ids[:60000]
    model = Llama()
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK, betas=(0.9, 0.95), weight_decay=0.1)
    start, step, running = time.time(), 0, None
    while (spent := (time.time() - start) / (60 * minutes)) < 1:
        rate = PEAK * min(1, (step + 1) / WARM_UP) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * spent)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        at = torch.randint(len(train_ids) - LENGTH - 1, (BATCH,))
        batch = torch.stack([train_ids[i:i + LENGTH + 1] for i in at.tolist()])
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 250 == 0:
            held = loss_on(model, probe)
            print(f"step {step} ({100 * spent:.0f} % of the time): training {running:.4f}, held out {held:.4f} nats a token "
                  f"({held / math.log(2) / bytes_a_token:.4f} bits a byte), rate {rate:.2e}", flush=True)
            torch.save(model.state_dict(), os.path.join(folder, "checkpoint.pt"))
            export(model, tokenizer, held_out[0], os.path.join(folder, "out"))
    torch.save(model.state_dict(), os.path.join(folder, "checkpoint.pt"))
    rounded = export(model, tokenizer, held_out[0], os.path.join(folder, "out"))
    for name, m in (("binary32 weights", model), ("binary16 weights", rounded.float())):
        held = loss_on(m, held_ids)
        print(f"final, {name}: held out {held:.4f} nats a token, {held / math.log(2) / bytes_a_token:.4f} bits a byte",
              flush=True)


if __name__ == "__main__":
    main()
