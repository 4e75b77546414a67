# SPDX-License-Identifier: Apache-2.0
"""Measures a model folder on the validation photos and draws a sample sheet.

    python3 evaluate.py MODEL_FOLDER DATA_FOLDER SHEET.png
"""
import json
import sys

import torch
from PIL import Image, ImageDraw

from data import load, to_float
from folder import Pipeline
from model import alphas_cumprod, count

PROMPTS = ["a photo of a t-shirt", "a photo of a dress", "a photo of a shoes", "a photo of a pants",
           "a photo of a longsleeve", "a photo of a hat", "a photo of a shorts", "a photo of a shirt"]


def picture(x):
    x = ((x.clamp(-1, 1) + 1) * 127.5).round().byte()
    return Image.fromarray(x.permute(1, 2, 0).contiguous().numpy())


def sheet(rows, captions, path):
    w, h, text = 128, 128, 14
    im = Image.new("RGB", (w * len(rows[0]), (h + text) * len(rows)), "white")
    draw = ImageDraw.Draw(im)
    for r, (row, names) in enumerate(zip(rows, captions)):
        for c, x in enumerate(row):
            im.paste(picture(x), (c * w, r * (h + text) + text))
            draw.text((c * w + 3, r * (h + text) + 1), names[c], fill="black")
    im.save(path)


@torch.no_grad()
def main():
    model, data, out = sys.argv[1:4]
    torch.set_num_threads(2)
    p = Pipeline(model)
    abar = alphas_cumprod()
    u8, prompts, _ = load(data, "validation")
    psnr, latents, shown = [], [], []
    for b in u8.split(16):
        x = to_float(b)
        mean = p.vae.encode(x)[0]
        y = p.vae.decode(mean).clamp(-1, 1)
        psnr.append(10 * torch.log10(4 / (y - x).square().mean((1, 2, 3))))
        latents.append(mean * p.scaling_factor)
        if len(shown) < 8:
            shown += list(zip(x, y))
    psnr, z = torch.cat(psnr), torch.cat(latents)
    ctx = p.embed(prompts)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(7))
    mse = {}
    for t in (1, 50, 100, 200, 400, 600, 800, 950, 999):
        s = 0.0
        for i in range(0, len(z), 32):
            k = slice(i, i + 32)
            x = abar[t].sqrt() * z[k] + (1 - abar[t]).sqrt() * noise[k]
            e = p.unet(x, torch.full((len(x),), t), ctx[k])
            s += (e - noise[k]).square().mean((1, 2, 3)).sum().item()
        mse[str(t)] = round(s / len(z), 5)
    report = {
        "parameters": {"vae": count(p.vae), "unet": count(p.unet), "text_encoder": count(p.text)},
        "scaling_factor": p.scaling_factor,
        "validation_images": len(u8),
        "vae_psnr_db": {"mean": round(psnr.mean().item(), 3), "median": round(psnr.median().item(), 3),
                        "min": round(psnr.min().item(), 3), "max": round(psnr.max().item(), 3)},
        "validation_latent_std": round(z.std().item(), 4),
        "unet_noise_mse": mse,
    }
    with open(f"{model}/metrics.json", "w") as f:
        f.write(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    start = torch.randn(8, 4, 16, 16, generator=torch.Generator().manual_seed(11))
    made = p.decode(p.ddim(PROMPTS, start, abar))
    sheet([list(made), [s[0] for s in shown[:8]], [s[1] for s in shown[:8]]],
          [[q[11:] for q in PROMPTS], [f"photo {i}" for i in range(8)],
           [f"rebuilt {psnr[i]:.1f} dB" for i in range(8)]], out)


if __name__ == "__main__":
    main()
