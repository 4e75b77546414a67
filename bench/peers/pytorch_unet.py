# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch's U-Net: forward, and forward with the gradient by the sample.

    python bench/peers/pytorch_unet.py MODEL_DIR --latent 64 64 --batch 1 --threads 2 --repeat 5 [--variant fp16]

MODEL_DIR: a folder in diffusers' layout. F32, weights without gradient, PyTorch's own attention. Prints one JSON line:
median seconds of each, the peak resident memory of the process in bytes, versions. Needs torch, diffusers, transformers.
Where other programs use the cores too, set OMP_WAIT_POLICY=PASSIVE: threads that spin at barriers took 20 times as long.
"""
import argparse
import json
import platform
import resource
import statistics
import time

import diffusers
import torch


def arguments(about):
    p = argparse.ArgumentParser(description=about)
    p.add_argument("model")
    p.add_argument("--latent", type=int, nargs=2, default=(64, 64), metavar=("H", "W"))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--variant", help="fp16 where the files are called so")
    return p


def load(kind, args, folder):
    torch.backends.nnpack.set_flags(False)  # else a warning per convolution where it is missing
    m = kind.from_pretrained(args.model, subfolder=folder, torch_dtype=torch.float32, variant=args.variant)
    return m.eval().requires_grad_(False)


def median_seconds(f, repeat):
    """After one run that is not counted."""
    f()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        f()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def report(**facts):
    print(json.dumps({
        **facts,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "python": platform.python_version(), "torch": torch.__version__, "diffusers": diffusers.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability()}))


def main():
    p = arguments(__doc__.splitlines()[0])
    p.add_argument("--batch", type=int, default=1)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    unet = load(diffusers.UNet2DConditionModel, args, "unet")
    z = torch.randn(args.batch, unet.config.in_channels, *args.latent)
    c = torch.randn_like(z)
    text = torch.randn(args.batch, 77, unet.config.cross_attention_dim)
    t = torch.full((args.batch,), 501)

    @torch.no_grad()
    def forward():
        return unet(z, t, text).sample

    def forward_and_vjp():
        x = z.clone().requires_grad_()
        return torch.autograd.grad(unet(x, t, text).sample, x, c)

    seconds = {"forward_s": median_seconds(forward, args.repeat)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds["forward_vjp_s"] = median_seconds(forward_and_vjp, args.repeat)
    report(what="unet", latent=args.latent, batch=args.batch, threads=args.threads, repeat=args.repeat, **seconds,
           peak_rss_forward_only_bytes=peak)


if __name__ == "__main__":
    main()
