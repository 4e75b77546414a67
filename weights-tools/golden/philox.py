# SPDX-License-Identifier: Apache-2.0
"""Golden values of Philox4x32-10, written from Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
1, 2, 3" (2011), and of the uniform and normal numbers that are made from it.

    python weights-tools/golden/philox.py src/test/resources/golden

Writes OUT/philox.safetensors (words as I64, numbers as F64) and OUT/philox.json. The first three blocks are known
answers of the paper's authors (Random123, kat_vectors); the script fails if it does not reproduce them.
Needs numpy, torch, safetensors.
"""
import math
import sys

import numpy as np
import torch

import record

SEED = 20231200855
PI, NAUGHT, ONES = "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0", "00000000 " * 6, "ffffffff " * 6
KNOWN = {  # counter, key -> output
    NAUGHT: "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ONES: "408f276d 41c83b0e a20bc7c6 6d5451fd",
    PI: "d16cfe09 94fdcceb 5001e420 24126ea1",
}
DRAWS = [  # seed, stream, first index: 40 numbers each
    (0, 1, 0), (20231200852, 2, 3), (-1, 5, 2 ** 34 - 6), (2 ** 63 - 1, 3, 2 ** 40 + 1)]
COUNT = 40
ABOUT = {
    "counter": "four words a row", "key": "two words a row", "output": "four words a row, after ten rounds",
    "seed": "64-bit seeds, signed", "stream": "streams", "offset": "first index of each row",
    "bits": "32 random bits of index offset, offset + 1, ...: word j mod 4 of the block with key (low, high of seed) "
            "and counter (low, high of j div 4, low, high of stream)",
    "uniform": "floor(bits / 256) / 2^24",
    "normal": "word pairs (a, b) of a block: sqrt(-2 ln((a + 1) / 2^32)) times cos, then sin, of 2 pi b / 2^32",
}


def words(text):
    return [int(w, 16) for w in text.split()]


def philox(counter, key):
    """Ten rounds: (L0, R0, L1, R1) -> products of the first and third word, keys bumped by Weyl constants."""
    (a, b, c, d), (k, l) = counter, key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k, q & 0xFFFFFFFF, (p >> 32) ^ d ^ l, p & 0xFFFFFFFF
        k, l = (k + 0x9E3779B9) & 0xFFFFFFFF, (l + 0xBB67AE85) & 0xFFFFFFFF
    return [a, b, c, d]


def halves(x):
    return [x & 0xFFFFFFFF, x >> 32 & 0xFFFFFFFF]


def block(seed, stream, index):
    return philox(halves(index // 4) + halves(stream), halves(seed))


def normal(seed, stream, index):
    pair = block(seed, stream, index)[index % 4 & 2:][:2]
    r, angle = math.sqrt(-2 * math.log((pair[0] + 1) / 2 ** 32)), 2 * math.pi * pair[1] / 2 ** 32
    return r * (math.sin(angle) if index % 2 else math.cos(angle))


def main():
    out = sys.argv[1]
    for given, answer in KNOWN.items():
        got = philox(words(given)[:4], words(given)[4:])
        if got != words(answer):
            raise SystemExit(f"known answer {answer}, got {[f'{w:08x}' for w in got]}")
    rng = np.random.default_rng(SEED)
    rows = np.concatenate([[words(k) for k in KNOWN], rng.integers(0, 2 ** 32, (13, 6))]).tolist()
    bits = [[block(s, t, o + i)[(o + i) % 4] for i in range(COUNT)] for s, t, o in DRAWS]
    o = {
        "counter": [r[:4] for r in rows], "key": [r[4:] for r in rows], "output": [philox(r[:4], r[4:]) for r in rows],
        "seed": [d[0] for d in DRAWS], "stream": [d[1] for d in DRAWS], "offset": [d[2] for d in DRAWS],
        "bits": bits, "uniform": [[(w >> 8) / 2 ** 24 for w in r] for r in bits],
        "normal": [[normal(s, t, o + i) for i in range(COUNT)] for s, t, o in DRAWS],
    }
    tensors = {k: torch.tensor(v, dtype=torch.float64 if k in ("uniform", "normal") else torch.int64) for k, v in o.items()}
    origin = record.origin(SEED)
    record.save(out + "/philox.safetensors", tensors, origin)
    record.save_json(out + "/philox.json", {"origin": origin, "known_answers_reproduced": len(KNOWN), "tensors": ABOUT})
    print({k: list(v.shape) for k, v in tensors.items()}, o["bits"][0][:4], o["normal"][0][:4])


if __name__ == "__main__":
    main()
