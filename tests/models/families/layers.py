# SPDX-License-Identifier: Apache-2.0
"""What the families are made of, as their papers and PyTorch have it: whole sequences at once, [tokens][width]."""
import math

import torch
import torch.nn.functional as F


def rms_norm(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def get_mscale(scale, mscale=1.0):
    return 1.0 if scale <= 1 else 0.1 * mscale * math.log(scale) + 1.0


def frequencies(dims, theta, scaling, positions):
    """Inverse frequencies [dims / 2] and the factor of cosines and sines."""
    inverse = 1.0 / theta ** (torch.arange(0, dims, 2, dtype=torch.float64) / dims)
    kind = (scaling or {}).get("rope_type", (scaling or {}).get("type", "default"))
    if kind == "linear":
        return inverse / scaling["factor"], 1.0
    if kind == "llama3":
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        original = scaling["original_max_position_embeddings"]
        wavelength = 2 * math.pi / inverse
        scaled = torch.where(wavelength > original / low, inverse / scaling["factor"], inverse)
        smooth = (original / wavelength - low) / (high - low)
        smoothed = (1 - smooth) * inverse / scaling["factor"] + smooth * inverse
        medium = ~(wavelength < original / high) & ~(wavelength > original / low)
        return torch.where(medium, smoothed, scaled), 1.0
    if kind == "yarn":
        factor, original = scaling["factor"], scaling["original_max_position_embeddings"]

        def dimension(rotations):
            return dims * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(theta))

        low = max(math.floor(dimension(scaling.get("beta_fast", 32))), 0)
        high = min(math.ceil(dimension(scaling.get("beta_slow", 1))), dims - 1)
        if low == high:
            high += 0.001
        ramp = torch.clamp((torch.arange(dims // 2, dtype=torch.float64) - low) / (high - low), 0, 1)
        keep = 1 - ramp
        inverse = inverse / factor * (1 - keep) + inverse * keep
        if scaling.get("mscale") and scaling.get("mscale_all_dim"):
            return inverse, get_mscale(factor, scaling["mscale"]) / get_mscale(factor, scaling["mscale_all_dim"])
        return inverse, get_mscale(factor)
    if kind == "longrope":
        original, longest = scaling["original_max_position_embeddings"], scaling["max_position_embeddings"]
        factors = scaling["long_factor"] if positions > original else scaling["short_factor"]
        stretch = longest / original
        amplitude = 1.0 if stretch <= 1 else math.sqrt(1 + math.log(stretch) / math.log(original))
        return inverse / torch.tensor(factors, dtype=torch.float64), amplitude
    return inverse, 1.0


def rotate_half(x, angles, amplitude):
    """[tokens][heads][dims]: pairs (i, i + dims/2)."""
    cos = torch.cat((angles, angles), -1).cos().unsqueeze(1) * amplitude
    sin = torch.cat((angles, angles), -1).sin().unsqueeze(1) * amplitude
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


def rotate_pairs(x, angles, amplitude):
    """[tokens][heads][dims]: pairs (2i, 2i + 1) as complex numbers."""
    turned = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2)) * torch.polar(torch.full_like(angles, amplitude), angles).unsqueeze(1)
    return torch.view_as_real(turned).flatten(-2)


def alibi(heads):
    """As published with the code of the paper."""
    power = 2 ** math.floor(math.log2(heads))
    base = 2 ** (-(2 ** -(math.log2(power) - 3)))
    slopes = [base**i for i in range(1, power + 1)]
    if power != heads:
        extra = 2 ** (-(2 ** -(math.log2(2 * power) - 3)))
        slopes += [extra**i for i in range(1, 1 + 2 * (heads - power), 2)]
    return torch.tensor(slopes, dtype=torch.float64)


def attend(q, k, v, scale, window=None, cap=None, slopes=None):
    """q [tokens][heads][dim], k and v [tokens][kv heads][dim]; returns [tokens][heads * dim]."""
    tokens, heads, _ = q.shape
    k = k.repeat_interleave(heads // k.shape[1], 1)
    v = v.repeat_interleave(heads // v.shape[1], 1)
    scores = torch.einsum("qhd,khd->hqk", q, k) * scale
    if cap:
        scores = cap * torch.tanh(scores / cap)
    if slopes is not None:
        scores = scores + slopes[:, None, None] * torch.arange(tokens, dtype=torch.float64)[None, None, :]
    allowed = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    if window:
        allowed &= ~torch.ones(tokens, tokens, dtype=torch.bool).tril(-window)
    scores = scores.masked_fill(~allowed, -math.inf)
    return torch.einsum("hqk,khd->qhd", F.softmax(scores, -1), v).reshape(tokens, -1)


ACTIVATIONS = {
    "silu": F.silu,
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu_pytorch_tanh": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}
