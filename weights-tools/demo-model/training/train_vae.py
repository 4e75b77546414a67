# SPDX-License-Identifier: Apache-2.0
"""Trains the autoencoder.

    python3 train_vae.py DATA_FOLDER OUT.pt --minutes 30

The learning-rate schedule follows the clock, so a run ends on time whatever
the machine. Most steps see 64-pixel crops; the last part sees whole images.
"""
import argparse
import copy
import math
import time

import torch
import torch.nn.functional as F

from data import cached, to_float
from model import AutoencoderKL, count


def edges(x):
    return x[:, :, :, 1:] - x[:, :, :, :-1], x[:, :, 1:] - x[:, :, :-1]


def reconstruction_loss(y, x):
    loss = F.l1_loss(y, x) + F.mse_loss(y, x)
    for a, b in zip(edges(y), edges(x)):
        loss = loss + 0.5 * F.l1_loss(a, b)
    for k in (2, 4):
        loss = loss + 0.5 * F.l1_loss(F.avg_pool2d(y, k), F.avg_pool2d(x, k))
    return loss


@torch.no_grad()
def psnr(vae, u8, n=64):
    total = 0.0
    for b in to_float(u8[:n]).split(16):
        y = vae.decode(vae.encode(b)[0]).clamp(-1, 1)
        total += (10 * torch.log10(4 / (y - b).square().mean((1, 2, 3)))).sum().item()
    return total / len(u8[:n])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data")
    p.add_argument("out")
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--whole", type=float, default=0.3, help="last share of the time on whole images")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--lr", type=float, default=8e-4)
    p.add_argument("--kl", type=float, default=2e-5)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    data = cached(a.data, a.out + ".data")
    train, val = data["train"][0], data["validation"][0]
    vae = AutoencoderKL().to(memory_format=torch.channels_last)
    ema = copy.deepcopy(vae).requires_grad_(False)
    opt = torch.optim.AdamW(vae.parameters(), lr=a.lr, betas=(0.9, 0.99), weight_decay=1e-4)
    print("parameters", count(vae), "images", len(train), len(val), flush=True)
    start, step, running, report = time.time(), 0, None, time.time() + 30
    while True:
        done = (time.time() - start) / max(1e-9, 60 * a.minutes)
        if done >= 1:
            break
        whole = done > 1 - a.whole
        for g in opt.param_groups:
            g["lr"] = a.lr * min(1, (step + 1) / 150) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        n, s = (max(1, a.batch // 4), 128) if whole else (a.batch, 64)
        rows = []
        for i in torch.randint(len(train), (n,)).tolist():
            r, c = torch.randint(128 - s + 1, (2,)).tolist()
            crop = train[i, :, r:r + s, c:c + s]
            rows.append(crop.flip(-1) if torch.rand(()) < 0.5 else crop)
        x = to_float(torch.stack(rows))
        mean, logvar = vae.encode(x.bfloat16())
        mean, logvar = mean.float(), logvar.float()
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        y = vae.decode(z.bfloat16()).float()
        rec = reconstruction_loss(y, x)
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        opt.zero_grad(set_to_none=True)
        (rec + a.kl * kl).backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        opt.step()
        step += 1
        decay = min(0.998, step / (step + 20))
        with torch.no_grad():
            torch._foreach_mul_(list(ema.parameters()), decay)
            torch._foreach_add_(list(ema.parameters()), list(vae.parameters()), alpha=1 - decay)
        running = rec.item() if running is None else 0.98 * running + 0.02 * rec.item()
        if time.time() > report:
            report += 120
            torch.save({"vae": ema.state_dict(), "step": step}, a.out)
            print(f"{(time.time() - start) / 60:.1f} min step {step} loss {running:.4f} kl {kl.item():.2f} "
                  f"latent std {mean.std().item():.2f} psnr {psnr(ema, val):.2f}", flush=True)
    torch.save({"vae": ema.state_dict(), "step": step}, a.out)
    print(f"end: steps {step} psnr {psnr(ema, val, len(val)):.3f}", flush=True)


if __name__ == "__main__":
    main()
