# SPDX-License-Identifier: Apache-2.0
"""Llama, Mistral, Mixtral, Qwen2, Qwen3, Gemma, Gemma 2, Phi-3, DeepSeek V2 and V3."""
import math

import torch
import torch.nn.functional as F

from layers import ACTIVATIONS, attend, frequencies, get_mscale, rms_norm, rotate_half, rotate_pairs


def linear(w, x, name, out, bias=False):
    return F.linear(x, w(name + ".weight", out, x.shape[-1]), w.bias(name + ".bias", out) if bias else None)


def norm(w, x, name, c):
    gemma = c["model_type"].startswith("gemma")
    weight = w.norm(name + ".weight", x.shape[-1], 0.0 if gemma else 1.0)
    return rms_norm(x, 1 + weight if gemma else weight, c["rms_norm_eps"])


def rotary(c, dims, tokens):
    scaling = c.get("rope_scaling")
    if scaling and scaling.get("type") == "longrope":
        scaling = dict(scaling, max_position_embeddings=c["max_position_embeddings"],
                       original_max_position_embeddings=c["original_max_position_embeddings"])
    inverse, amplitude = frequencies(dims, c.get("rope_theta", 10000.0), scaling, c["max_position_embeddings"])
    return torch.outer(torch.arange(tokens, dtype=torch.float64), inverse), amplitude


def window_of(c, layer):
    kind = c["model_type"]
    if kind in ("qwen2", "qwen3") and not (c.get("use_sliding_window") and layer >= c["max_window_layers"]):
        return None
    if kind == "gemma2" and layer % 2 != 0:
        return None
    return c.get("sliding_window")


def attention(w, x, at, c, layer):
    tokens, kind = x.shape[0], c["model_type"]
    heads, kv = c["num_attention_heads"], c.get("num_key_value_heads", c["num_attention_heads"])
    dim = c.get("head_dim", c["hidden_size"] // heads)
    if kind == "phi3":
        both = linear(w, x, at + "qkv_proj", (heads + 2 * kv) * dim)
        q, k, v = both.split((heads * dim, kv * dim, kv * dim), -1)
    else:
        bias = kind == "qwen2" or c.get("attention_bias", False)
        q = linear(w, x, at + "q_proj", heads * dim, bias)
        k = linear(w, x, at + "k_proj", kv * dim, bias)
        v = linear(w, x, at + "v_proj", kv * dim, bias)
    q, k, v = q.view(tokens, heads, dim), k.view(tokens, kv, dim), v.view(tokens, kv, dim)
    if kind.startswith("qwen3"):
        q, k = norm(w, q, at + "q_norm", c), norm(w, k, at + "k_norm", c)
    turned = int(dim * c.get("partial_rotary_factor", 1.0))
    angles, amplitude = rotary(c, turned, tokens)
    q = torch.cat((rotate_half(q[..., :turned], angles, amplitude), q[..., turned:]), -1)
    k = torch.cat((rotate_half(k[..., :turned], angles, amplitude), k[..., turned:]), -1)
    scale = (c["query_pre_attn_scalar"] if kind == "gemma2" else dim) ** -0.5
    out = attend(q, k, v, scale, window_of(c, layer), c.get("attn_logit_softcapping"))
    return linear(w, out, at + "o_proj", c["hidden_size"], c.get("attention_bias", False))


def latent_attention(w, x, at, c):
    tokens, heads = x.shape[0], c["num_attention_heads"]
    plain, turned, value, rank = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"], c["kv_lora_rank"]
    if c.get("q_lora_rank"):
        q = linear(w, norm(w, linear(w, x, at + "q_a_proj", c["q_lora_rank"]), at + "q_a_layernorm", c), at + "q_b_proj",
                   heads * (plain + turned))
    else:
        q = linear(w, x, at + "q_proj", heads * (plain + turned))
    q_plain, q_turned = q.view(tokens, heads, plain + turned).split((plain, turned), -1)
    compressed, k_turned = linear(w, x, at + "kv_a_proj_with_mqa", rank + turned).split((rank, turned), -1)
    both = linear(w, norm(w, compressed, at + "kv_a_layernorm", c), at + "kv_b_proj", heads * (plain + value))
    k_plain, v = both.view(tokens, heads, plain + value).split((plain, value), -1)
    angles, amplitude = rotary(c, turned, tokens)
    q_turned = rotate_pairs(q_turned, angles, amplitude)
    k_turned = rotate_pairs(k_turned.view(tokens, 1, turned), angles, amplitude).expand(-1, heads, -1)
    scale = (plain + turned) ** -0.5
    scaling = c.get("rope_scaling")
    if scaling and scaling.get("mscale_all_dim"):
        scale *= get_mscale(scaling["factor"], scaling["mscale_all_dim"]) ** 2
    out = attend(torch.cat((q_plain, q_turned), -1), torch.cat((k_plain, k_turned), -1), v, scale)
    return linear(w, out, at + "o_proj", c["hidden_size"])


def feed_forward(w, x, at, c, width):
    act = ACTIVATIONS[c.get("hidden_activation") or c.get("hidden_act", "silu")]
    bias = c.get("mlp_bias", False)
    if c["model_type"] == "phi3":
        gate, up = linear(w, x, at + "gate_up_proj", 2 * width).chunk(2, -1)
        return linear(w, up * act(gate), at + "down_proj", c["hidden_size"])
    inner = act(linear(w, x, at + "gate_proj", width, bias)) * linear(w, x, at + "up_proj", width, bias)
    return linear(w, inner, at + "down_proj", c["hidden_size"], bias)


def blend(x, weights, experts):
    """weights [tokens][experts], 0 for those not chosen."""
    return torch.stack([expert(x) for expert in experts], 1).mul(weights.unsqueeze(-1)).sum(1)


def softmax_experts(w, x, layer, c):
    mixtral = c["model_type"] == "mixtral"
    at = layer + ("block_sparse_moe." if mixtral else "mlp.")
    count = c["num_local_experts"] if mixtral else c["num_experts"]
    scores = F.softmax(linear(w, x, at + "gate", count), -1)
    values, chosen = torch.topk(scores, c["num_experts_per_tok"], -1)
    if mixtral or c["norm_topk_prob"]:
        values = values / values.sum(-1, keepdim=True)
    weights = torch.zeros_like(scores).scatter(1, chosen, values)
    made = []
    for i in range(count):
        if mixtral:
            def expert(y, of=f"{at}experts.{i}."):
                inner = F.silu(linear(w, y, of + "w1", c["intermediate_size"])) * linear(w, y, of + "w3", c["intermediate_size"])
                return linear(w, inner, of + "w2", c["hidden_size"])
        else:
            def expert(y, of=f"{at}experts.{i}."):
                return feed_forward(w, y, of, c, c["moe_intermediate_size"])
        made.append(expert)
    return blend(x, weights, made)


def deepseek_experts(w, x, layer, c):
    at, count = layer + "mlp.", c["n_routed_experts"]
    logits = linear(w, x, at + "gate", count)
    scores = logits.sigmoid() if c["scoring_func"] == "sigmoid" else logits.softmax(-1)
    by, tokens = scores, x.shape[0]
    if c["topk_method"] == "noaux_tc":
        by = scores + w(at + "gate.e_score_correction_bias", count, step=2.0**-10)
    if c["topk_method"] != "greedy":
        groups = by.view(tokens, c["n_group"], -1)
        best = groups.topk(2, -1)[0].sum(-1) if c["topk_method"] == "noaux_tc" else groups.max(-1).values
        kept = torch.zeros_like(best).scatter(1, best.topk(c["topk_group"], -1)[1], 1.0)
        mask = kept.unsqueeze(-1).expand(-1, -1, count // c["n_group"]).reshape(tokens, -1)
        by = by.masked_fill(mask == 0, -math.inf)
    chosen = by.topk(c["num_experts_per_tok"], -1)[1]
    values = scores.gather(1, chosen)
    if c["norm_topk_prob"]:
        values = values / values.sum(-1, keepdim=True)
    weights = torch.zeros_like(scores).scatter(1, chosen, values * c["routed_scaling_factor"])
    made = [lambda y, of=f"{at}experts.{i}.": feed_forward(w, y, of, c, c["moe_intermediate_size"]) for i in range(count)]
    shared = feed_forward(w, x, at + "shared_experts.", c, c["moe_intermediate_size"] * c["n_shared_experts"])
    return blend(x, weights, made) + shared


def run(w, c, ids):
    """Residual stream after the embedding and after each layer, and the logits."""
    kind, hidden = c["model_type"], c["hidden_size"]
    table = w.embedding("model.embed_tokens.weight", c["vocab_size"], hidden)
    x = table[ids]
    if kind.startswith("gemma"):
        x = x * hidden**0.5
    states = [x]
    for i in range(c["num_hidden_layers"]):
        at = f"model.layers.{i}."
        normed = norm(w, x, at + "input_layernorm", c)
        y = latent_attention(w, normed, at + "self_attn.", c) if "kv_lora_rank" in c else attention(w, normed, at + "self_attn.", c, i)
        if kind == "gemma2":
            x = x + norm(w, y, at + "post_attention_layernorm", c)
            normed = norm(w, x, at + "pre_feedforward_layernorm", c)
        else:
            x = x + y
            normed = norm(w, x, at + "post_attention_layernorm", c)
        if kind in ("mixtral", "qwen3_moe"):
            y = softmax_experts(w, normed, at, c)
        elif kind.startswith("deepseek") and i >= c["first_k_dense_replace"]:
            y = deepseek_experts(w, normed, at, c)
        else:
            y = feed_forward(w, normed, at + "mlp.", c, c["intermediate_size"])
        x = x + (norm(w, y, at + "post_feedforward_layernorm", c) if kind == "gemma2" else y)
        states.append(x)
    x = norm(w, x, "model.norm", c)
    tied = c.get("tie_word_embeddings", kind.startswith("gemma"))
    logits = F.linear(x, table if tied else w("lm_head.weight", c["vocab_size"], hidden))
    cap = c.get("final_logit_softcapping")
    return states, cap * torch.tanh(logits / cap) if cap else logits
