# SPDX-License-Identifier: Apache-2.0
"""Writes and reads a model folder in the layout of Stable Diffusion 1.x.

    python3 folder.py CACHE.pt UNET.pt BPE_FILE OUT_FOLDER
"""
import json
import os
import sys

import torch

import weights
from model import (SCHEDULER, TEXT, UNET, VAE, AutoencoderKL, CLIPTextModel, UNet2DConditionModel)
from tokenizer import Tokenizer, small

INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.21.0",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def put(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(json.dumps(value, indent=2) + "\n")


def write(out, vae, unet, text, scaling_factor, tok):
    def half(state):
        return {k: v.half() for k, v in state.items()}

    put(f"{out}/model_index.json", INDEX)
    put(f"{out}/scheduler/scheduler_config.json", SCHEDULER)
    put(f"{out}/vae/config.json", dict(VAE, scaling_factor=scaling_factor))
    put(f"{out}/unet/config.json", UNET)
    n = len(tok.vocab)
    put(f"{out}/text_encoder/config.json", dict(TEXT, vocab_size=n))
    tok.save(f"{out}/tokenizer")
    weights.save(half(vae), f"{out}/vae/diffusion_pytorch_model.safetensors")
    weights.save(half(unet), f"{out}/unet/diffusion_pytorch_model.safetensors")
    weights.save(half(text), f"{out}/text_encoder/model.safetensors")


class Pipeline:
    """All parts of a folder, in float32 from the stored float16 weights."""

    def __init__(self, path):
        def part(cls, name, file):
            with open(f"{path}/{name}/config.json") as f:
                cfg = json.load(f)
            m = cls(cfg).eval().requires_grad_(False)
            state = {k: v.float() for k, v in weights.load(f"{path}/{name}/{file}").items()}
            m.load_state_dict(state, strict=True)
            return m, cfg

        self.vae, cfg = part(AutoencoderKL, "vae", "diffusion_pytorch_model.safetensors")
        self.scaling_factor = cfg["scaling_factor"]
        self.unet, _ = part(UNet2DConditionModel, "unet", "diffusion_pytorch_model.safetensors")
        self.text, _ = part(CLIPTextModel, "text_encoder", "model.safetensors")
        with open(f"{path}/tokenizer/merges.txt", encoding="utf-8") as f:
            self.tok = Tokenizer([tuple(x.split()) for x in f.read().strip().split("\n")[1:]])

    def embed(self, prompts):
        return self.text(torch.tensor([self.tok.ids(p) for p in prompts]))

    @torch.no_grad()
    def ddim(self, prompts, z, abar, steps=50, cfg=3.0):
        """Deterministic DDIM with the scheduler settings of the folder."""
        n = len(prompts)
        ctx = self.embed([""] * n + list(prompts))
        ts = [i * (1000 // steps) + 1 for i in range(steps)][::-1]
        for t in ts:
            e = self.unet(torch.cat([z, z]), torch.full((2 * n,), t), ctx)
            e = e[:n] + cfg * (e[n:] - e[:n])
            prev = t - 1000 // steps
            a, b = abar[t], abar[prev] if prev >= 0 else abar[0]
            z = b.sqrt() * (z - (1 - a).sqrt() * e) / a.sqrt() + (1 - b).sqrt() * e
        return z

    def decode(self, z):
        return self.vae.decode(z / self.scaling_factor)


if __name__ == "__main__":
    cache, unet, bpe, out = sys.argv[1:5]
    c, u = torch.load(cache), torch.load(unet)
    write(out, c["vae"], u["unet"], u["text"], c["scaling_factor"], small(bpe))
    Pipeline(out)
    print("steps", u["step"], "scaling factor", c["scaling_factor"])
