# SPDX-License-Identifier: Apache-2.0
"""Weights that a name and an index determine, so that a test can make the same model without PyTorch."""
import zlib

import torch


class Weights:
    """Gives a tensor the first time that it is asked for, and keeps a list of all.

    Element i is offset + k * step, where k is -128 .. 127 from a hash of the name's CRC-32 and i. All values are exact
    in the type that they are stored in.
    """

    def __init__(self, matrix_type):
        self.matrix_type = matrix_type
        self.made = {}
        self.recipes = {}

    def __call__(self, name, *shape, step=2.0**-9, offset=0.0):
        if name not in self.made:
            kind = self.matrix_type if len(shape) > 1 else "F32"
            self.recipes[name] = {"shape": list(shape), "type": kind, "offset": offset, "step": step}
            count = 1
            for length in shape:
                count *= length
            mask = 0xFFFFFFFF
            x = (zlib.crc32(name.encode()) + torch.arange(count, dtype=torch.int64) * 0x9E3779B9) & mask
            x = (x ^ (x >> 16)) * 0x7FEB352D & mask
            x = (x ^ (x >> 15)) * 0x846CA68B & mask
            x = x ^ (x >> 16)
            self.made[name] = (offset + ((x & 255) - 128).double() * step).reshape(shape)
        assert self.recipes[name]["shape"] == list(shape), name
        return self.made[name]

    def embedding(self, name, *shape):
        return self(name, *shape, step=2.0**-7)

    def norm(self, name, width, offset=1.0):
        return self(name, width, step=2.0**-8, offset=offset)

    def bias(self, name, width):
        return self(name, width, step=2.0**-10)
