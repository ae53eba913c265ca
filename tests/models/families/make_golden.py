# SPDX-License-Identifier: Apache-2.0
"""Small models of each family, computed with PyTorch in double precision: writes NAME.json for each into a folder.

Usage: make_golden.py FOLDER          (needs PyTorch and NumPy, on Debian the package python3-torch)
"""
import json
import pathlib
import sys

import torch

import layer_norm_like
import llama_like
from weights import Weights

IDS = [3, 41, 7, 7, 19, 0, 60, 28, 55, 2, 33, 14]
KEPT = [0, 5, 11]  # positions whose residual streams and logits are written

LLAMA = {"model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 4, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "vocab_size": 61}
DEEPSEEK = dict(LLAMA, kv_lora_rank=12, qk_nope_head_dim=8, qk_rope_head_dim=4, v_head_dim=6, num_hidden_layers=3,
                moe_intermediate_size=20, n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=3, rms_norm_eps=1e-6,
                first_k_dense_replace=1, n_group=4, topk_group=2)
PAIRS = [1.0 + 0.25 * i for i in range(3)]

MODELS = {
    "llama": ("F16", LLAMA),
    "llama-wide": ("F32", dict(LLAMA, hidden_size=256, num_hidden_layers=1, intermediate_size=32)),
    "llama-scaled": ("BF16", dict(LLAMA, num_key_value_heads=2, tie_word_embeddings=True, rope_theta=500.0, rope_scaling={
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16})),
    "llama-biased": ("F32", dict(LLAMA, num_key_value_heads=1, attention_bias=True, mlp_bias=True,
                                 rope_scaling={"type": "linear", "factor": 2.5})),
    "mistral": ("BF16", dict(LLAMA, model_type="mistral", num_key_value_heads=2, head_dim=12, sliding_window=4)),
    "mixtral": ("F16", dict(LLAMA, model_type="mixtral", num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2,
                            rope_theta=1e6)),
    "qwen2": ("BF16", dict(LLAMA, model_type="qwen2", num_key_value_heads=2)),
    "qwen2-yarn": ("BF16", dict(LLAMA, model_type="qwen2", num_key_value_heads=2, use_sliding_window=True, sliding_window=5,
                                max_window_layers=1, hidden_size=48, rope_theta=1000.0, rope_scaling={
                                    "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64})),
    "qwen3": ("BF16", dict(LLAMA, model_type="qwen3", num_key_value_heads=2, head_dim=16, tie_word_embeddings=True)),
    "qwen3_moe": ("BF16", dict(LLAMA, model_type="qwen3_moe", num_key_value_heads=2, head_dim=16, num_experts=6,
                               num_experts_per_tok=3, moe_intermediate_size=20, norm_topk_prob=True)),
    "gemma": ("BF16", dict(LLAMA, model_type="gemma", num_key_value_heads=1, head_dim=12, hidden_activation="gelu_pytorch_tanh")),
    "gemma2": ("BF16", dict(LLAMA, model_type="gemma2", num_key_value_heads=2, head_dim=12, num_hidden_layers=3,
                            hidden_activation="gelu_pytorch_tanh", attn_logit_softcapping=1.5, final_logit_softcapping=3.0,
                            query_pre_attn_scalar=20, sliding_window=4)),
    "phi3": ("BF16", dict(LLAMA, model_type="phi3", num_key_value_heads=2, sliding_window=5)),
    "phi3-long": ("BF16", dict(LLAMA, model_type="phi3", num_key_value_heads=2, partial_rotary_factor=0.75,
                               original_max_position_embeddings=8, rope_scaling={
                                   "type": "longrope", "short_factor": PAIRS, "long_factor": [2 * p for p in PAIRS]})),
    "gpt2": ("F32", {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 16, "vocab_size": 61,
                     "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new"}),
    "opt": ("F16", {"model_type": "opt", "hidden_size": 32, "ffn_dim": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
                    "max_position_embeddings": 16, "vocab_size": 61, "activation_function": "relu",
                    "do_layer_norm_before": True, "word_embed_proj_dim": 32}),
    "bloom": ("F16", {"model_type": "bloom", "hidden_size": 36, "n_layer": 2, "n_head": 6, "vocab_size": 61,
                      "layer_norm_epsilon": 1e-5}),
    "deepseek_v2": ("BF16", dict(DEEPSEEK, model_type="deepseek_v2", q_lora_rank=None, scoring_func="softmax",
                                 topk_method="group_limited_greedy", norm_topk_prob=False, routed_scaling_factor=4.0)),
    "deepseek_v3": ("BF16", dict(DEEPSEEK, model_type="deepseek_v3", q_lora_rank=16, scoring_func="sigmoid",
                                 topk_method="noaux_tc", norm_topk_prob=True, routed_scaling_factor=2.5, rope_scaling={
                                     "type": "yarn", "factor": 40, "original_max_position_embeddings": 16, "beta_fast": 32,
                                     "beta_slow": 1, "mscale": 0.8, "mscale_all_dim": 1.0})),
}


def rounded(tensor):
    return [float(f"{v:.10g}") for v in tensor.tolist()]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (kind, config) in MODELS.items():
        weights = Weights(kind)
        run = getattr(layer_norm_like, config["model_type"], llama_like.run)
        states, logits = run(weights, config, torch.tensor(IDS))
        assert logits.dtype == torch.float64
        result = {"config": config, "ids": IDS, "tensors": weights.recipes,
                  "steps": [{"position": p, "residuals": [rounded(s[p]) for s in states], "logits": rounded(logits[p])} for p in KEPT]}
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in result.items())
        (folder / f"{name}.json").write_text("{" + lines + "}\n")


if __name__ == "__main__":
    main()
