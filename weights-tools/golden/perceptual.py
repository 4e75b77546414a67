# SPDX-License-Identifier: Apache-2.0
"""Golden values of MS-SSIM, LPIPS, the features for Frechet distances, and the Frechet distance.

    python weights-tools/golden/perceptual.py src/test/resources/golden

Writes OUT/perceptual.safetensors (values F64, pictures U8), OUT/perceptual.json and three files of weights in OUT/lpips.
The networks are AlexNet and VGG16 with torchvision's layers and keys but few channels and random weights, since trained ones
may not be given away and are large; the script checks its layers against torchvision's own. The arithmetic is written from
the package lpips 0.1 (its LPIPS class with default settings) and from pytorch-msssim (its ms_ssim), and runs in float64.
Needs numpy, torch, torchvision, scipy, safetensors.
"""
import os
import sys

import numpy as np
import scipy
import torch
import torch.nn.functional as F
import torchvision
from scipy.linalg import sqrtm
from torch import nn

import record

SEED = 20231200857
HEIGHT, WIDTH = 181, 178  # odd and even: pytorch-msssim halves them by different rules
SCALES = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
ABOUT = {
    "first": "picture [H, W, 3], v stands for v / 127.5 - 1 in F32", "second": "the same, blurred and with noise",
    "ms_ssim": "five scales, on the scale of [0,2], data range 2, of the whole pictures",
    "ms_ssim3": "three scales, weights divided by their sum, of the top left 45 x 59 pixels",
    "alex.terms": "LPIPS by lpips/alexnet + lpips/alexnet-linear, a term per feature map, of the top left 71 x 66 pixels",
    "vgg.terms": "LPIPS by lpips/vgg16 (one file), of the top left 49 x 34 pixels",
    "alex.features": "mean over pixels of the last feature map of the first picture's top left 71 x 66 pixels",
    "vgg.features": "the same of VGG, 49 x 34 pixels",
    "set1": "40 vectors of 7 features, correlated", "set2": "25 vectors of 7 features",
    "frechet": "|m1 - m2|^2 + tr(S1 + S2 - 2 sqrtm(S1 S2)), covariances over n - 1",
}


def pictures(rng):
    """Smooth colour, an edge and texture as bytes [H, W, 3], and a worse copy."""
    y, x = np.meshgrid(np.arange(HEIGHT) / HEIGHT, np.arange(WIDTH) / WIDTH, indexing="ij")
    smooth = np.stack([np.sin(4 * x + 2 * y), np.cos(5 * x * y + 1), np.sin(6 * y - x)], -1)
    disc = ((x - 0.2) ** 2 + (y - 0.2) ** 2 < 0.02)[..., None] * np.array([0.5, -0.6, 0.4])
    bars = (np.floor(23 * (x + 0.7 * y)) % 2)[..., None] * np.array([0.2, 0.3, -0.25])
    a = 0.25 + 0.4 * smooth + disc + bars + 0.05 * rng.standard_normal(smooth.shape)
    b = (a + np.roll(a, 1, 0) + np.roll(a, 1, 1)) / 3 * 0.95 + 0.08 * rng.standard_normal(a.shape)
    return [np.clip(np.round((p + 1) * 127.5), 0, 255).astype(np.uint8) for p in (a, b)]


def tensor(byte, height=HEIGHT, width=WIDTH):
    """The top left of a picture as float64 [1, 3, H, W] with the values that F32 has."""
    x = byte[:height, :width].astype(np.float32) / np.float32(127.5) - np.float32(1)
    return torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None]


def means(x, y):
    """Means over windows of SSIM and of its contrast, per channel [3]; range 2."""
    k = torch.exp(-(torch.arange(11.0, dtype=torch.float64) - 5) ** 2 / (2 * 1.5 ** 2))
    k = torch.outer(k / k.sum(), k / k.sum()).expand(3, 1, 11, 11)
    mx, my, xx, yy, xy = (F.conv2d(p, k, groups=3) for p in (x, y, x * x, y * y, x * y))
    c1, c2 = 0.02 ** 2, 0.06 ** 2
    contrast = (2 * (xy - mx * my) + c2) / (xx - mx ** 2 + yy - my ** 2 + c2)
    ssim = (2 * mx * my + c1) / (mx ** 2 + my ** 2 + c1) * contrast
    return ssim.mean((0, 2, 3)), contrast.mean((0, 2, 3))


def ms_ssim(x, y, scales):
    weights = np.array(SCALES[:scales]) / (1 if scales == 5 else sum(SCALES[:scales]))
    value = torch.ones(3, dtype=torch.float64)
    for i, w in enumerate(weights):
        ssim, contrast = means(x, y)
        value = value * torch.relu(ssim if i == scales - 1 else contrast) ** w
        odd = (x.shape[2] % 2, x.shape[3] % 2)
        x, y = (F.avg_pool2d(p, 2, padding=odd) for p in (x, y))
    return value.mean()


def alexnet(c):
    relu = nn.ReLU
    return nn.Sequential(
        nn.Conv2d(3, c[0], 11, 4, 2), relu(), nn.MaxPool2d(3, 2), nn.Conv2d(c[0], c[1], 5, 1, 2), relu(), nn.MaxPool2d(3, 2),
        nn.Conv2d(c[1], c[2], 3, 1, 1), relu(), nn.Conv2d(c[2], c[3], 3, 1, 1), relu(), nn.Conv2d(c[3], c[4], 3, 1, 1), relu(),
        nn.MaxPool2d(3, 2)), [1, 4, 7, 9, 11]


def vgg16(c):
    layers, before = [], 3
    for channels, convolutions in zip(c, (2, 2, 3, 3, 3)):
        for _ in range(convolutions):
            layers += [nn.Conv2d(before, channels, 3, 1, 1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers), [3, 8, 15, 22, 29]


def same_layers(ours, theirs):
    """Stops unless a network has torchvision's layers, channels apart."""
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        for fact in ("kernel_size", "stride", "padding", "dilation", "ceil_mode"):
            x, y = (np.ravel(getattr(layer, fact, 0)) for layer in (a, b))
            if type(a) is not type(b) or not (x == y).all():
                raise SystemExit(f"layer {i}: {a} is not torchvision's {b}")


def randomise(network, gen):
    """Weights that keep a layer's size, and biases, so that about half of the features are above 0."""
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            fan = layer.weight[0].numel()
            layer.weight.data = torch.randn(layer.weight.shape, generator=gen) * (2 / fan) ** 0.5
            layer.bias.data = torch.randn(layer.bias.shape, generator=gen) * 0.3


def maps(network, taps, x):
    """Feature maps of x in -1 .. 1."""
    x = (x - torch.tensor([-.030, -.088, -.188]).double()[None, :, None, None]) / \
        torch.tensor([.458, .448, .450]).double()[None, :, None, None]
    out = []
    for i, layer in enumerate(network[:taps[-1] + 1]):
        x = layer(x)
        if i in taps:
            out.append(x)
    return out


def unit(f):
    return f / (torch.sqrt((f ** 2).sum(1, keepdim=True)) + 1e-10)


def lpips(network, taps, linear, x, y):
    """A term per feature map; their sum is the distance."""
    terms = []
    for f, g, w in zip(maps(network, taps, x), maps(network, taps, y), linear, strict=True):
        terms.append(F.conv2d((unit(f) - unit(g)) ** 2, w.double()).mean((2, 3)).sum())
    return torch.stack(terms)


def frechet(a, b):
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(s1 @ s2)
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(s1 + s2 - 2 * root.real)


def network(build, theirs, channels, gen):
    """A thin network in float64, its taps, its state dict as torchvision names it, and linear weights as lpips names them."""
    full, taps = build([layer.out_channels for i, layer in enumerate(theirs) if isinstance(layer, nn.Conv2d)
                        and (build is alexnet or isinstance(theirs[i + 2], nn.MaxPool2d))])
    same_layers(full, theirs)
    thin, _ = build(channels)
    randomise(thin, gen)
    state = {"features." + k: v.clone() for k, v in thin.state_dict().items()}
    linear = [torch.rand((1, c, 1, 1), generator=gen) for c in channels]
    return thin.double(), taps, state, linear, {f"lin{k}.model.1.weight": w for k, w in enumerate(linear)}


def main():
    out = sys.argv[1]
    torch.set_num_threads(2)
    rng, gen = np.random.default_rng(SEED), torch.Generator().manual_seed(SEED)
    origin = record.origin(SEED, torchvision, scipy)
    first, second = pictures(rng)
    o = {"ms_ssim": ms_ssim(tensor(first) + 1, tensor(second) + 1, 5),  # black is 0, as in the package's 0 to 255
         "ms_ssim3": ms_ssim(tensor(first, 45, 59) + 1, tensor(second, 45, 59) + 1, 3)}
    os.makedirs(out + "/lpips", exist_ok=True)
    with torch.no_grad():
        net, taps, state, linear, keys = network(alexnet, torchvision.models.alexnet().features, [6, 5, 8, 7, 4], gen)
        x, y = tensor(first, 71, 66), tensor(second, 71, 66)
        o["alex.terms"], o["alex.features"] = lpips(net, taps, linear, x, y), maps(net, taps, x)[-1].mean((2, 3))[0]
        record.save(out + "/lpips/alexnet.safetensors", {**state, "classifier.1.bias": torch.zeros(2)}, origin)
        record.save(out + "/lpips/alexnet-linear.safetensors", keys, origin)
        net, taps, state, linear, keys = network(vgg16, torchvision.models.vgg16().features, [3, 4, 6, 5, 7], gen)
        x, y = tensor(first, 49, 34), tensor(second, 49, 34)
        o["vgg.terms"], o["vgg.features"] = lpips(net, taps, linear, x, y), maps(net, taps, x)[-1].mean((2, 3))[0]
        record.save(out + "/lpips/vgg16.safetensors", {**state, **keys}, origin)
    a = rng.standard_normal((40, 7)) @ rng.standard_normal((7, 7)) + 0.5
    b = rng.standard_normal((25, 7)) @ rng.standard_normal((7, 7)) - 0.2
    o["frechet"] = torch.tensor(frechet(a, b))
    tensors = {"first": torch.from_numpy(first), "second": torch.from_numpy(second), "set1": torch.from_numpy(a),
               "set2": torch.from_numpy(b), **{k: v.double().reshape(-1) for k, v in o.items()}}
    record.save(out + "/perceptual.safetensors", tensors, origin)
    record.save_json(out + "/perceptual.json", {"origin": origin, "tensors": ABOUT})
    print({k: v.tolist() for k, v in o.items()})


if __name__ == "__main__":
    main()
