# SPDX-License-Identifier: Apache-2.0
"""Trains the U-Net together with the text encoder on cached latents.

    python3 train_unet.py DATA_FOLDER VAE.pt BPE_FILE OUT.pt --minutes 47

The first run encodes all photos, plain and mirrored, into OUT-latents.pt.
"""
import argparse
import copy
import math
import os
import time

import torch

from data import cached, to_float
from model import TEXT, AutoencoderKL, CLIPTextModel, UNet2DConditionModel, alphas_cumprod, count
from tokenizer import small


def round16(m):
    """Round all weights to what float16 can hold."""
    with torch.no_grad():
        for p in m.parameters():
            p.copy_(p.half().float())
    return m


@torch.no_grad()
def balance(vae, images):
    """Give every latent channel mean 0 and one common spread, exactly, by
    folding a shift and a scale into the two 1x1 convolutions around it."""
    z = torch.cat([vae.encode(to_float(b))[0] for b in images.split(16)])
    mu, sd = z.mean((0, 2, 3)), z.std((0, 2, 3))
    common = sd.square().mean().sqrt()
    s, n = common / sd, len(sd)
    q, p = vae.quant_conv, vae.post_quant_conv
    q.weight[:n] *= s[:, None, None, None]
    q.bias[:n] = (q.bias[:n] - mu) * s
    q.bias[n:] += 2 * s.log()
    p.bias += p.weight[:, :, 0, 0] @ mu
    p.weight /= s[None, :, None, None]


@torch.no_grad()
def latents(vae, images, flip):
    out = [vae.encode(to_float(b.flip(-1) if flip else b))[0] for b in images.split(16)]
    return torch.cat(out)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data")
    p.add_argument("vae")
    p.add_argument("bpe")
    p.add_argument("out")
    p.add_argument("--minutes", type=float, default=47)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--lr", type=float, default=6e-4)
    p.add_argument("--seed", type=int, default=2)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)

    data = cached(a.data, a.vae + ".data")
    (train, prompts, _), (val, val_prompts, _) = data["train"], data["validation"]
    cache = os.path.splitext(a.out)[0] + "-latents.pt"
    if os.path.exists(cache):
        c = torch.load(cache)
    else:
        vae = AutoencoderKL().to(memory_format=torch.channels_last).eval()
        vae.load_state_dict(torch.load(a.vae)["vae"])
        balance(vae, train[torch.randperm(len(train))[:800]])
        round16(vae)
        z = torch.stack([latents(vae, train, f) for f in (False, True)])
        c = {"vae": vae.state_dict(), "train": z, "val": latents(vae, val, False),
             "scaling_factor": round(1 / z.std().item(), 5), "channel_std": z.std((0, 1, 3, 4)).tolist()}
        torch.save(c, cache)
    del data, train, val
    print("scaling factor", c["scaling_factor"], "channel std", c["channel_std"], flush=True)
    z_train, z_val = c["train"] * c["scaling_factor"], c["val"] * c["scaling_factor"]

    tok = small(a.bpe)
    texts = sorted({"", *prompts, *val_prompts})
    ids = torch.tensor([tok.ids(t) for t in texts])
    row = {t: i for i, t in enumerate(texts)}
    y_train = torch.tensor([row[t] for t in prompts])
    y_val = torch.tensor([row[t] for t in val_prompts])

    text = CLIPTextModel(dict(TEXT, vocab_size=len(tok.vocab)))
    unet = UNet2DConditionModel().to(memory_format=torch.channels_last)
    both = torch.nn.ModuleDict({"unet": unet, "text": text})
    ema = copy.deepcopy(both).requires_grad_(False)
    params, slow = list(both.parameters()), list(ema.parameters())
    opt = torch.optim.AdamW(params, lr=a.lr, betas=(0.9, 0.99), weight_decay=0.01)
    abar = alphas_cumprod()
    snr = abar / (1 - abar)
    print("parameters: unet", count(unet), "text", count(text), "prompts", len(texts), flush=True)

    g = torch.Generator().manual_seed(7)
    noise_val = torch.randn(z_val.shape, generator=g)

    @torch.no_grad()
    def validate(n):
        out = []
        for t in (50, 200, 400, 600, 800, 950):
            s = 0.0
            for i in range(0, n, 32):
                z, e, y = z_val[i:min(n, i + 32)], noise_val[i:min(n, i + 32)], y_val[i:min(n, i + 32)]
                x = abar[t].sqrt() * z + (1 - abar[t]).sqrt() * e
                u, k = torch.unique(y, return_inverse=True)
                h = ema["text"](ids[u]).bfloat16()
                d = ema["unet"](x.bfloat16(), torch.full((len(z),), t), h, k).float() - e
                s += d.square().mean((1, 2, 3)).sum().item()
            out.append(f"{t}:{s / n:.4f}")
        return " ".join(out)

    def save(step):
        torch.save({"unet": ema["unet"].state_dict(), "text": ema["text"].state_dict(), "step": step}, a.out + ".new")
        os.replace(a.out + ".new", a.out)

    start, step, running, report = time.time(), 0, None, time.time() + 60
    while True:
        done = (time.time() - start) / max(1e-9, 60 * a.minutes)
        if done >= 1:
            break
        for gr in opt.param_groups:
            gr["lr"] = a.lr * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        n = a.batch
        i = torch.randint(z_train.shape[1], (n,))
        z = z_train[torch.randint(2, (n,)), i]
        y = torch.where(torch.rand(n) < 0.15, torch.full((n,), row[""]), y_train[i])
        t = ((torch.arange(n) + torch.rand(n)) / n * 1000).long().clamp(max=999)
        e = torch.randn_like(z)
        ab = abar[t][:, None, None, None]
        x = (ab.sqrt() * z + (1 - ab).sqrt() * e).contiguous(memory_format=torch.channels_last)
        u, k = torch.unique(y, return_inverse=True)
        h = text(ids[u]).bfloat16()
        d = (unet(x.bfloat16(), t, h, k).float() - e).square().mean((1, 2, 3))
        loss = (d * snr[t].clamp(max=5) / snr[t]).mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        step += 1
        decay = min(0.999, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_mul_(slow, decay)
            torch._foreach_add_(slow, params, alpha=1 - decay)
        m = d.mean().item()
        running = m if running is None else 0.99 * running + 0.01 * m
        if time.time() > report:
            report += 180
            save(step)
            print(f"{(time.time() - start) / 60:.1f} min step {step} mse {running:.4f} val {validate(64)}", flush=True)
    save(step)
    print(f"end: steps {step} val {validate(len(z_val))}", flush=True)


if __name__ == "__main__":
    main()
