# SPDX-License-Identifier: Apache-2.0
"""GPT-2, OPT and BLOOM."""
import torch
import torch.nn.functional as F

from layers import ACTIVATIONS, alibi, attend


def norm(w, x, name, eps):
    width = x.shape[-1]
    return F.layer_norm(x, (width,), w.norm(name + ".weight", width), w.bias(name + ".bias", width), eps)


def linear(w, x, name, out, bias=True):
    return F.linear(x, w(name + ".weight", out, x.shape[-1]), w.bias(name + ".bias", out) if bias else None)


def gpt2(w, c, ids):
    hidden, heads, eps = c["n_embd"], c["n_head"], c["layer_norm_epsilon"]
    tokens, act = len(ids), ACTIVATIONS[c["activation_function"]]

    def conv1d(x, name, out):  # weights are [inputs][outputs]
        return torch.addmm(w.bias(name + ".bias", out), x, w(name + ".weight", x.shape[-1], out))

    table = w.embedding("transformer.wte.weight", c["vocab_size"], hidden)
    x = table[ids] + w.embedding("transformer.wpe.weight", c["n_positions"], hidden)[:tokens]
    states = [x]
    for i in range(c["n_layer"]):
        at = f"transformer.h.{i}."
        q, k, v = conv1d(norm(w, x, at + "ln_1", eps), at + "attn.c_attn", 3 * hidden).split(hidden, 1)
        dim = hidden // heads
        y = attend(q.view(tokens, heads, dim), k.view(tokens, heads, dim), v.view(tokens, heads, dim), dim**-0.5)
        x = x + conv1d(y, at + "attn.c_proj", hidden)
        y = act(conv1d(norm(w, x, at + "ln_2", eps), at + "mlp.c_fc", c.get("n_inner") or 4 * hidden))
        x = x + conv1d(y, at + "mlp.c_proj", hidden)
        states.append(x)
    return states, F.linear(norm(w, x, "transformer.ln_f", eps), table)


def opt(w, c, ids):
    hidden, heads = c["hidden_size"], c["num_attention_heads"]
    tokens, dim, act, eps = len(ids), hidden // heads, ACTIVATIONS[c["activation_function"]], 1e-5
    top = "model.decoder."
    table = w.embedding(top + "embed_tokens.weight", c["vocab_size"], hidden)
    x = table[ids] + w.embedding(top + "embed_positions.weight", c["max_position_embeddings"] + 2, hidden)[2 : tokens + 2]
    states = [x]
    for i in range(c["num_hidden_layers"]):
        at = f"{top}layers.{i}."
        y = norm(w, x, at + "self_attn_layer_norm", eps)
        q, k, v = (linear(w, y, f"{at}self_attn.{n}_proj", hidden).view(tokens, heads, dim) for n in "qkv")
        x = x + linear(w, attend(q, k, v, dim**-0.5), at + "self_attn.out_proj", hidden)
        y = act(linear(w, norm(w, x, at + "final_layer_norm", eps), at + "fc1", c["ffn_dim"]))
        x = x + linear(w, y, at + "fc2", hidden)
        states.append(x)
    return states, F.linear(norm(w, x, top + "final_layer_norm", eps), table)


def bloom(w, c, ids):
    hidden, heads, eps = c["hidden_size"], c["n_head"], c["layer_norm_epsilon"]
    tokens, dim = len(ids), hidden // heads
    table = w.embedding("transformer.word_embeddings.weight", c["vocab_size"], hidden)
    x = norm(w, table[ids], "transformer.word_embeddings_layernorm", eps)
    states = [x]
    for i in range(c["n_layer"]):
        at = f"transformer.h.{i}."
        both = linear(w, norm(w, x, at + "input_layernorm", eps), at + "self_attention.query_key_value", 3 * hidden)
        q, k, v = both.view(tokens, heads, 3, dim).unbind(2)
        x = x + linear(w, attend(q, k, v, dim**-0.5, slopes=alibi(heads)), at + "self_attention.dense", hidden)
        y = linear(w, norm(w, x, at + "post_attention_layernorm", eps), at + "mlp.dense_h_to_4h", 4 * hidden)
        y = y * 0.5 * (1.0 + torch.tanh(0.79788456080286535588 * y * (1 + 0.044715 * y * y)))
        x = x + linear(w, y, at + "mlp.dense_4h_to_h", hidden)
        states.append(x)
    return states, F.linear(norm(w, x, "transformer.ln_f", eps), table)
