# SPDX-License-Identifier: Apache-2.0
"""A minimal reader and writer of the safetensors format."""
import json
import struct

import numpy as np
import torch

TYPES = {torch.float16: "F16", torch.float32: "F32", torch.int64: "I64"}
BACK = {"F16": np.float16, "F32": np.float32, "I64": np.int64}


def save(tensors, path, metadata=None):
    header, data, at = {"__metadata__": metadata or {"format": "pt"}}, [], 0
    for name in sorted(tensors):
        t = tensors[name].detach().contiguous()
        raw = t.numpy().tobytes()
        header[name] = {"dtype": TYPES[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        data.append(raw)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + b"".join(data))


def load(path):
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack_from("<Q", raw)[0]
    header, base = json.loads(raw[8:8 + n]), 8 + n
    out = {}
    for name, e in header.items():
        if name != "__metadata__":
            a, b = e["data_offsets"]
            x = np.frombuffer(raw[base + a:base + b], BACK[e["dtype"]]).reshape(e["shape"])
            out[name] = torch.from_numpy(x.copy())
    return out
