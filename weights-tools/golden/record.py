# SPDX-License-Identifier: Apache-2.0
"""How golden files are stored: safetensors whose header names the script, versions, date and seed.

A module of the scripts beside it; it is not run by itself.
"""
import datetime
import json
import os
import platform
import sys

import numpy
import torch
from safetensors.torch import save_file


def origin(seed, *modules):
    """Where a golden file comes from: the header's `__metadata__`, text to text."""
    versions = {m.__name__: m.__version__ for m in (torch, numpy, *modules)}
    return {
        "script": "weights-tools/golden/" + os.path.basename(sys.argv[0]),
        "python": platform.python_version(),
        **versions,
        "date": datetime.date.today().isoformat(),
        "seed": str(seed),
    }


def relative_difference(a, b):
    """|a - b| / |b| in the Euclidean norm, in float64."""
    a, b = a.double(), b.double()
    return float((a - b).norm() / b.norm())


def save(path, tensors, metadata):
    """Writes tensors (name to tensor, stored as they are) with a header."""
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, path, metadata=metadata)


def save_json(path, value):
    with open(path, "w") as f:
        f.write(json.dumps(value, indent=1) + "\n")


def edit_json(path, **changes):
    with open(path) as f:
        value = json.load(f)
    save_json(path, dict(value, **changes))
