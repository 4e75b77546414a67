# SPDX-License-Identifier: Apache-2.0
"""Times one inner step of STSL in PyTorch: the gradient of the surrogate loss for inpainting.

    python bench/peers/pytorch_step.py MODEL_DIR --latent 64 64 --threads 2 --repeat 5 [--variant fp16]

A step is: the U-Net on z and on z + e (one batch of 2), the decoder on the estimate of the clean latents, the masked
residual, the trace term, and one reverse sweep to z. F32, one picture. Prints one JSON line: median seconds, the peak
resident memory of the process in bytes, versions. Needs torch, diffusers, transformers.
"""
import diffusers
import torch

from pytorch_unet import arguments, load, median_seconds, report

T, LAMBDA, ETA = 501, 1.0, 0.02


def alpha_bar(t):
    root = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64)
    return float(torch.cumprod(1 - root ** 2, 0)[t])


def main():
    args = arguments(__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    unet = load(diffusers.UNet2DConditionModel, args, "unet")
    vae = load(diffusers.AutoencoderKL, args, "vae")
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    z0 = torch.randn(1, 4, *args.latent)
    e = torch.randn_like(z0)
    text = torch.randn(1, 77, unet.config.cross_attention_dim).expand(2, -1, -1)
    t = torch.full((2,), T)
    mask = (torch.rand(1, 1, factor * args.latent[0], factor * args.latent[1]) < 0.5).float()
    y = mask * torch.randn(1, 3, *mask.shape[2:]).clamp(-1, 1)
    abar = alpha_bar(T)
    sigma = (1 - abar) ** 0.5

    def step():
        z = z0.clone().requires_grad_()
        eps, eps2 = unet(torch.cat([z, z + e]), t, text).sample.chunk(2)
        clean = (z - sigma * eps) / abar ** 0.5
        residual = mask * (y - vae.decode(clean / vae.config.scaling_factor).sample)
        trace = -(e * (eps2 - eps)).sum() / sigma
        loss = LAMBDA * residual.norm() + ETA / z.numel() * trace
        return torch.autograd.grad(loss, z)[0]

    report(what="stsl inner step", latent=args.latent, threads=args.threads, repeat=args.repeat,
           step_s=median_seconds(step, args.repeat))


if __name__ == "__main__":
    main()
