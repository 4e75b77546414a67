# SPDX-License-Identifier: Apache-2.0
"""Golden values of the measurement operators and of PSNR and SSIM.

    python weights-tools/golden/operators.py src/test/resources/golden [DPS_CHECKOUT]

Writes OUT/operators.safetensors and OUT/metrics.safetensors (F64) and a JSON file beside each. The operators are dense
matrices written from their definitions, in float64. DPS_CHECKOUT, a checkout of DPS2022/diffusion-posterior-sampling,
makes the script run that project's own operators on the same picture and record how far they are.
PSNR and SSIM are scikit-image's. Needs numpy, torch, safetensors, scikit-image; with DPS_CHECKOUT also scipy.
"""
import sys
import types

import numpy as np
import skimage
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import record

SEED = 20231200853
HEIGHT, WIDTH = 64, 48
STD, KERNEL = 3.0, 61

OPERATORS = {
    "image": "picture [1, H, W, 3] in -1 .. 1",
    "sr4": "bicubic, factor 4: kernel a = -0.5 stretched by the factor, weights normalised, ends mirrored with the edge twice",
    "sr8": "the same, factor 8",
    "blur": "Gaussian of standard deviation 3 cut at 12 pixels, normalised, ends reflected with the edge once",
    "motion.kernel": "a kernel [61, 61] without symmetry, sum 1",
    "motion": "correlation of the picture with motion.kernel (out[i] = sum_k kernel[k] in[i + k - 30]), ends as for blur",
}
METRICS = {
    "first": "picture [H, W, 3] in -1 .. 1",
    "second": "the same, blurred and with noise",
    "psnr": "dB, data range 2",
    "ssim": "on the scale of [0,2], data range 2, Gaussian weights of sigma 1.5, population covariance, mean over channels",
}


def picture(rng):
    """Smooth colour, edges, fine texture, in -1 .. 1: [H, W, 3]."""
    y, x = np.meshgrid(np.arange(HEIGHT) / HEIGHT, np.arange(WIDTH) / WIDTH, indexing="ij")
    smooth = np.stack([np.sin(3 * x + 2 * y), np.cos(4 * x * y + 1), np.sin(5 * y - x)], -1)
    disc = ((x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.06)[..., None] * np.array([0.8, -0.5, 0.3])
    bars = (np.floor(9 * (x + 0.7 * y)) % 2)[..., None] * np.array([0.2, 0.3, -0.25])
    return np.clip(0.5 * smooth + disc + bars + 0.05 * rng.standard_normal((HEIGHT, WIDTH, 3)), -1, 1)


def cubic(t, a=-0.5):
    """Keys' cubic convolution kernel."""
    t = np.abs(t)
    near = (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1
    far = a * (t ** 3 - 5 * t ** 2 + 8 * t - 4)
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def mirrored(j, n):
    """Index beyond the ends, the edge counted twice: ... 1 0 | 0 1 2 ..."""
    j = np.mod(j, 2 * n)
    return np.where(j < n, j, 2 * n - 1 - j)


def reflected(j, n):
    """Index beyond the ends, the edge counted once: ... 2 1 | 0 1 2 ..."""
    j = np.mod(j, 2 * n - 2)
    return np.where(j < n, j, 2 * n - 2 - j)


def downsampling(n, s):
    """[n / s, n]: the output's pixel centres lie at (i + 1/2) s - 1/2 of the input's grid."""
    m = np.zeros((n // s, n))
    for i in range(n // s):
        centre = (i + 0.5) * s - 0.5
        j = np.arange(np.floor(centre - 2 * s), np.ceil(centre + 2 * s) + 1)
        w = cubic((j - centre) / s)
        np.add.at(m[i], mirrored(j, n).astype(int), w / w.sum())
    return m


def gaussian(n, std):
    """[n, n]: blur by a Gaussian cut at 4 standard deviations."""
    k = np.arange(-int(4 * std + 0.5), int(4 * std + 0.5) + 1)
    w = np.exp(-k ** 2 / (2 * std ** 2))
    m = np.zeros((n, n))
    for i in range(n):
        np.add.at(m[i], reflected(i + k, n), w / w.sum())
    return m


def separable(matrix, image):
    """matrix(n) along both axes of [H, W, C]."""
    return np.einsum("ih,jw,hwc->ijc", matrix(image.shape[0]), matrix(image.shape[1]), image)


def correlate(image, kernel):
    r = kernel.shape[0] // 2
    h, w, _ = image.shape
    out = np.zeros_like(image)
    for a in range(-r, r + 1):
        for b in range(-r, r + 1):
            rows, columns = reflected(np.arange(h) + a, h), reflected(np.arange(w) + b, w)
            out += kernel[a + r, b + r] * image[rows][:, columns]
    return out


def operators(rng):
    x = picture(rng)
    kernel = rng.random((KERNEL, KERNEL)) * (rng.random((KERNEL, KERNEL)) < 0.05)
    kernel /= kernel.sum()
    return {
        "image": x, "sr4": separable(lambda n: downsampling(n, 4), x), "sr8": separable(lambda n: downsampling(n, 8), x),
        "blur": separable(lambda n: gaussian(n, STD), x), "motion.kernel": kernel, "motion": correlate(x, kernel),
    }


def against_dps(checkout, o):
    """Largest absolute differences of DPS's own operators (weights rounded to float32, run in float64)."""
    for name in ("motionblur", "motionblur.motionblur", "matplotlib", "matplotlib.pyplot"):
        sys.modules[name] = types.ModuleType(name)  # imported there, not used by these operators
    sys.modules["motionblur.motionblur"].Kernel = None
    sys.path.insert(0, checkout)
    from util.img_utils import Blurkernel
    from util.resizer import Resizer
    x = torch.from_numpy(o["image"]).permute(2, 0, 1)[None]
    motion = Blurkernel("gaussian", KERNEL, STD, "cpu")
    motion.update_weights(torch.from_numpy(o["motion.kernel"]))
    theirs = {"sr4": Resizer(x.shape, 1 / 4), "sr8": Resizer(x.shape, 1 / 8), "blur": Blurkernel("gaussian", KERNEL, STD, "cpu"),
              "motion": motion}
    with torch.no_grad():
        return {k: float(np.abs(m.double()(x)[0].permute(1, 2, 0).numpy() - o[k]).max()) for k, m in theirs.items()}


def metrics(rng, x):
    second = np.clip(separable(lambda n: gaussian(n, 0.8), x) + 0.08 * rng.standard_normal(x.shape), -1, 1)
    return {
        "first": x, "second": second,
        "psnr": np.array([peak_signal_noise_ratio(x, second, data_range=2)]),
        "ssim": np.array([structural_similarity(x + 1, second + 1, data_range=2, gaussian_weights=True, sigma=1.5,
                                                use_sample_covariance=False, channel_axis=2)]),
    }


def write(path, arrays, about, **facts):
    origin = record.origin(SEED, skimage)
    record.save(path + ".safetensors", {k: torch.from_numpy(v) for k, v in arrays.items()}, origin)
    record.save_json(path + ".json", {"origin": origin, **facts, "tensors": about})
    print(path, facts)


def main():
    out, dps = sys.argv[1], sys.argv[2:]
    torch.set_num_threads(2)
    rng = np.random.default_rng(SEED)
    o = operators(rng)
    facts = {"largest_absolute_difference_of_dps": against_dps(dps[0], o)} if dps else {}
    m = metrics(rng, o["image"])
    write(out + "/operators", {k: v if k == "motion.kernel" else v[None] for k, v in o.items()}, OPERATORS, **facts)
    write(out + "/metrics", m, METRICS, psnr=float(m["psnr"][0]), ssim=float(m["ssim"][0]))


if __name__ == "__main__":
    main()
