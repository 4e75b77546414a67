# SPDX-License-Identifier: Apache-2.0
"""Golden values of STSL's surrogate loss and its gradient, for an inpainting measurement.

    python weights-tools/golden/surrogate.py weights-tools/demo-model src/test/resources/golden

Arguments: MODEL_FOLDER OUT. Writes OUT/surrogate.safetensors and OUT/surrogate.json: with s(z) = -eps(z) / sigma,

    L = lambda data + (eta / d) trace
    data  = |r|^2 (sum), |r|^2 / size(r) (mean) or |r| (norm),  r = mask (y - D(zbar / scaling_factor))
    zbar  = (z - sigma eps(z)) / sqrt(abar)
    trace = e.(s(z + h e) - s(z)) / h,  h = 1 (unit) or 0.1 sigma (scaled); e.(J e) with J = ds/dz (exact)

Computed in float64 from inputs that are exact in float32; stored as F32, scalars as F64.
MODEL_FOLDER has golden/golden.safetensors with a picture, "vae.image". Needs torch, diffusers, transformers.
"""
import json
import sys

import diffusers
import torch
import transformers
from safetensors.torch import load_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTokenizer

import networks
import record

SEED = 20231200854
TIMESTEP, LAMBDA, ETA, NOISE = 501, 0.7, 0.02, 0.01
NORMS, PROBES = ("sum", "mean", "norm"), ("unit", "scaled", "exact")
ABOUT = {
    "z": "noisy latents: a picture's latents at timestep 501", "timestep": "501",
    "encoder_hidden_states": "text embeddings of the empty prompt", "e": "probe, standard normal",
    "mask": "1 where a pixel is measured", "y": "measurement: mask * picture + 0.01 * noise everywhere",
    "eps": "U-Net output at z", "zbar": "clean estimate", "decoded": "D(zbar / scaling_factor)",
    "data.*": "data term by norm", "trace.*": "trace term by probe", "loss.*": "L by norm and probe",
    "grad.data.*": "gradient of the data term by z", "grad.trace.*": "gradient of the trace term by z",
    "grad.loss.*": "gradient of L by z",
}


class Surrogate:
    """The terms for one model in one precision."""

    def __init__(self, folder, dtype, o):
        _, self.unet, self.vae = networks.load(folder, dtype)
        self.o = {k: v.to(dtype) if v.is_floating_point() else v for k, v in o.items()}
        schedule = networks.scheduler(folder, torch.float64)
        self.abar = float(schedule.alphas_cumprod[TIMESTEP])
        self.sigma = (1 - self.abar) ** 0.5

    def eps(self, z):
        return self.unet(z, self.o["timestep"], self.o["encoder_hidden_states"]).sample

    def score(self, z):
        return -self.eps(z) / self.sigma

    def zbar(self, z):
        return (z - self.sigma * self.eps(z)) / self.abar ** 0.5

    def decoded(self, z):
        return self.vae.decode(self.zbar(z) / self.vae.config.scaling_factor).sample

    def data(self, z, norm):
        r = self.o["mask"] * (self.o["y"] - self.decoded(z))
        return {"sum": r.square().sum, "mean": r.square().mean, "norm": r.norm}[norm]()

    def trace(self, z, probe):
        e = self.o["e"]
        if probe == "exact":
            return (e * networks.jvp(self.score, z, e)).sum()
        h = {"unit": 1.0, "scaled": 0.1 * self.sigma}[probe]
        return (e * (self.score(z + h * e) - self.score(z))).sum() / h

    def loss(self, z, norm, probe):
        return LAMBDA * self.data(z, norm) + ETA / z.numel() * self.trace(z, probe)


def gradient(f, z):
    z = z.detach().clone().requires_grad_()
    value = f(z)
    return value.detach().reshape(1), torch.autograd.grad(value, z)[0]


def inputs(folder):
    g = torch.Generator().manual_seed(SEED)
    text, _, vae = networks.load(folder, torch.float64)
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    ids = tokenizer([""], padding="max_length", max_length=77, return_tensors="pt").input_ids
    x = load_file(folder + "/golden/golden.safetensors")["vae.image"]
    abar = networks.scheduler(folder, torch.float64).alphas_cumprod[TIMESTEP]
    with torch.no_grad():
        z0 = vae.encode(x.double()).latent_dist.mean * vae.config.scaling_factor
        context = text(ids).last_hidden_state
    z = abar.sqrt() * z0 + (1 - abar).sqrt() * torch.randn(z0.shape, generator=g)
    mask = (torch.rand(1, 1, *x.shape[2:], generator=g) < 0.6).float()
    mask[..., 40:72, 56:104] = 0  # a hole, besides single pixels
    mask = mask.expand(x.shape)
    o = {"z": z, "encoder_hidden_states": context, "e": torch.randn(z.shape, generator=g),
         "mask": mask, "y": mask * x + NOISE * torch.randn(x.shape, generator=g)}
    return {k: v.float() for k, v in o.items()} | {"timestep": torch.tensor([TIMESTEP])}


def compute(folder, given, dtype):
    s = Surrogate(folder, dtype, given)
    z, o = s.o["z"], {}
    with torch.no_grad():
        o["eps"], o["zbar"], o["decoded"] = s.eps(z), s.zbar(z), s.decoded(z)
    for n in NORMS:
        o["data." + n], o["grad.data." + n] = gradient(lambda y: s.data(y, n), z)
    for p in PROBES:
        if p == "exact":  # the gradient of e.(J e) is the second derivative of e.s along e
            e = s.o["e"]
            o["trace." + p], o["grad.trace." + p] = s.trace(z, p).reshape(1), networks.hvp(s.score, z, e, e)
        else:
            o["trace." + p], o["grad.trace." + p] = gradient(lambda y: s.trace(y, p), z)
    for n in NORMS:
        for p in PROBES[:2]:
            o[f"loss.{n}.{p}"], o[f"grad.loss.{n}.{p}"] = gradient(lambda y: s.loss(y, n, p), z)
    return s, o


def central_differences(s, o, h=1e-5):
    """Each gradient against a difference along a random direction, float64: relative difference."""
    v = torch.randn(o["zbar"].shape, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64)
    z, out = s.o["z"], {}
    terms = {"data." + n: lambda y, n=n: s.data(y, n) for n in NORMS}
    terms |= {"trace." + p: lambda y, p=p: s.trace(y, p) for p in PROBES}
    terms["loss.norm.scaled"] = lambda y: s.loss(y, "norm", "scaled")
    with torch.no_grad():
        for k, f in terms.items():
            slope = (o["grad." + k] * v).sum()
            out[k] = float(((f(z + h * v) - f(z - h * v)) / (2 * h) - slope).abs() / slope.abs())
    return out


def main():
    folder, out = sys.argv[1:]
    torch.set_num_threads(2)
    given = inputs(folder)
    with sdpa_kernel(SDPBackend.MATH):
        s, fine = compute(folder, given, torch.float64)
        checks = central_differences(s, fine)
        _, coarse = compute(folder, given, torch.float32)
    origin = record.origin(SEED, diffusers, transformers)
    record.save(out + "/surrogate.safetensors",
                given | {k: v if v.numel() == 1 else v.float() for k, v in fine.items()}, origin)
    facts = {
        "origin": origin, "lambda": LAMBDA, "eta": ETA, "d": given["z"].numel(), "abar": s.abar, "sigma": s.sigma,
        "scaling_factor": s.vae.config.scaling_factor, "h.scaled": 0.1 * s.sigma,
        "mean": "divided by all 3 * 128 * 128 entries of y, masked ones included",
        "values": {k: float(v) for k, v in fine.items() if v.numel() == 1},
        "gradient_norms": {k: float(v.norm()) for k, v in fine.items() if k.startswith("grad.")},
        "float32_relative_difference_from_float64": {k: record.relative_difference(coarse[k], fine[k]) for k in fine},
        "relative_difference_from_central_differences_float64": checks,
        "note": "diffusers computes the sinusoids of the timestep in float32 in both runs",
        "tensors": ABOUT,
    }
    record.save_json(out + "/surrogate.json", facts)
    print(json.dumps({k: v for k, v in facts.items() if k != "tensors"}, indent=1))


if __name__ == "__main__":
    main()
