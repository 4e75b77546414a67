# SPDX-License-Identifier: Apache-2.0
"""Writes inputs and outputs of a model folder, for another implementation to
check itself against: MODEL_FOLDER/golden/golden.safetensors and golden.json.

    python3 golden.py MODEL_FOLDER
"""
import json
import os
import sys

import torch

import weights
from folder import Pipeline
from model import alphas_cumprod

PROMPTS = ["a photo of a dress", ""]
STEPS = [981, 741, 501, 261, 21]
ABOUT = {
    "prompt.ids": "token ids of the prompts listed above",
    "prompt.embeddings": "text encoder output (last hidden state after the final layer norm)",
    "unet.z": "noisy latents",
    "unet.timesteps": "timesteps",
    "unet.eps": "U-Net output for [timestep, prompt] at unet.z",
    "unet.cotangent": "c, for timestep index 2 (501) and prompt 0",
    "unet.grad_z": "gradient of sum(c * eps(z)) by z",
    "unet.direction": "v",
    "unet.jvp": "the forward-mode product J(z) v of eps at timestep 501, prompt 0",
    "vae.image": "a picture the model made itself, in -1 .. 1",
    "vae.mean": "encoder mean of vae.image, before the scaling factor",
    "vae.logvar": "encoder log variance of vae.image",
    "vae.decoded": "decode(vae.mean)",
    "vae.decode_cotangent": "c",
    "vae.decode_grad_z": "gradient of sum(c * decode(z)) by z, at z = vae.mean",
    "vae.encode_cotangent": "c",
    "vae.encode_grad_x": "gradient of sum(c * mean(x)) by x, at x = vae.image",
    "ddim.start": "start latents",
    "ddim.latents": "after 10 DDIM steps at ddim_timesteps, guidance scale 3, prompt 0, the empty prompt as the unconditional one",
    "ddim.image": "decode(ddim.latents / scaling_factor), not clamped",
}


def compute(p, x, dtype):
    g = torch.Generator().manual_seed(20261124)

    def randn(*shape):
        return torch.randn(*shape, generator=g).to(dtype)

    for m in (p.vae, p.unet, p.text):
        m.to(dtype)
    x = x.to(dtype)
    o = {"prompt.ids": torch.tensor([p.tok.ids(q) for q in PROMPTS])}
    ctx = o["prompt.embeddings"] = p.embed(PROMPTS)
    z = o["unet.z"] = randn(1, 4, 16, 16)
    o["unet.timesteps"] = torch.tensor(STEPS)
    o["unet.eps"] = torch.stack([
        torch.cat([p.unet(z, torch.tensor([t]), ctx[i:i + 1]) for i in range(len(PROMPTS))]) for t in STEPS])

    def eps(y):
        return p.unet(y, torch.tensor([STEPS[2]]), ctx[:1])

    def pull(f, at, c):
        at = at.clone().requires_grad_()
        return torch.autograd.grad((f(at) * c).sum(), at)[0]

    c = o["unet.cotangent"] = randn(1, 4, 16, 16)
    o["unet.grad_z"] = pull(eps, z, c)
    v = o["unet.direction"] = randn(1, 4, 16, 16)
    o["unet.jvp"] = torch.autograd.functional.jvp(eps, z, v)[1]
    o["vae.image"] = x
    mean, logvar = o["vae.mean"], o["vae.logvar"] = p.vae.encode(x)
    o["vae.decoded"] = p.vae.decode(mean)
    c = o["vae.decode_cotangent"] = randn(1, 3, 128, 128)
    o["vae.decode_grad_z"] = pull(p.vae.decode, mean, c)
    c = o["vae.encode_cotangent"] = randn(1, 4, 16, 16)
    o["vae.encode_grad_x"] = pull(lambda y: p.vae.encode(y)[0], x, c)
    s = o["ddim.start"] = randn(1, 4, 16, 16)
    o["ddim.latents"] = p.ddim(PROMPTS[:1], s, alphas_cumprod().to(dtype), steps=10, cfg=3.0)
    o["ddim.image"] = p.decode(o["ddim.latents"])
    return o


def main():
    model = sys.argv[1]
    torch.set_num_threads(2)
    p = Pipeline(model)
    start = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(11))
    x = p.decode(p.ddim(PROMPTS[:1], start, alphas_cumprod())).clamp(-1, 1).detach()
    out = compute(Pipeline(model), x, torch.float32)
    fine = compute(Pipeline(model), x, torch.float64)
    rounding = {k: float(((out[k].double() - fine[k]).norm() / fine[k].norm())) for k in out
                if out[k].is_floating_point()}
    # A central difference in float64 checks the forward product.
    p = Pipeline(model)
    p.unet.double()
    p.text.double()
    ctx, t, h = p.embed(PROMPTS[:1]), torch.tensor([STEPS[2]]), 1e-5
    z, v = fine["unet.z"], fine["unet.direction"]
    d = (p.unet(z + h * v, t, ctx) - p.unet(z - h * v, t, ctx)) / (2 * h)
    check = float((d - fine["unet.jvp"]).norm() / d.norm())
    adjoint = float(((fine["unet.jvp"] * fine["unet.cotangent"]).sum() - (v * fine["unet.grad_z"]).sum()).abs())
    print("finite difference", check, "adjoint gap", adjoint)
    print(json.dumps(rounding, indent=1))
    os.makedirs(f"{model}/golden", exist_ok=True)
    weights.save(out, f"{model}/golden/golden.safetensors")
    texts = ["a photo of a t-shirt", "A photo of  a Longsleeve", "a photo of clothes", "",
             "two red shoes, 1990's!", "caf\u00e9 \u65e5\u672c"]
    with open(f"{model}/golden/golden.json", "w") as f:
        f.write(json.dumps({
            "prompts": PROMPTS,
            "scaling_factor": p.scaling_factor,
            "ddim_timesteps": [i * 100 + 1 for i in range(10)][::-1],
            "tensors": ABOUT,
            "relative_difference_from_float64": rounding,
            "tokenizer": {q: p.tok.ids(q) for q in texts},
        }, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
