# SPDX-License-Identifier: Apache-2.0
"""Reads the clothing photo set: images as uint8 NCHW tensors, and prompts."""
import csv
import io
import os
import sys
import tarfile

import numpy as np
import torch
from PIL import Image

GENERIC = {"", "Not sure", "Other", "Skip"}


def prompt_of(label):
    return "a photo of clothes" if label in GENERIC else f"a photo of a {label.lower()}"


def load(folder, split):
    """(uint8 tensor N x 3 x 128 x 128, list of prompts, list of names)"""
    tar = {"train": "train-128.tar", "validation": "validation-256.tar"}[split]
    with open(os.path.join(folder, "labels.csv")) as f:
        labels = {r["image"]: r["label"] for r in csv.DictReader(f)}
    images, prompts, names = [], [], []
    with tarfile.open(os.path.join(folder, tar)) as t:
        for m in sorted((m for m in t if m.isfile()), key=lambda m: m.name):
            im = Image.open(io.BytesIO(t.extractfile(m).read())).convert("RGB")
            if im.size != (128, 128):
                im = im.resize((128, 128), Image.LANCZOS)
            name = os.path.splitext(os.path.basename(m.name))[0]
            images.append(np.asarray(im).transpose(2, 0, 1))
            prompts.append(prompt_of(labels.get(name, "")))
            names.append(name)
    return torch.from_numpy(np.stack(images)), prompts, names


def cached(folder, cache):
    """load() of both splits, kept in one file: a training process that never
    touched the decoder has a tidier heap and runs faster."""
    if not os.path.exists(cache):
        torch.save({s: load(folder, s) for s in ("train", "validation")}, cache)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    return torch.load(cache)


def to_float(u8):
    """uint8 to the range -1 .. 1, channels last."""
    x = u8.float().div_(127.5).sub_(1)
    return x.contiguous(memory_format=torch.channels_last)
