# SPDX-License-Identifier: Apache-2.0
"""Golden values of diffusers' and transformers' networks: outputs, VJPs, JVPs, a second-order
product and ten DDIM steps. Attention runs by its formula (SDPBackend.MATH), which can be
differentiated forwards and twice.

A module of the scripts beside it; it is not run by itself.
"""
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTextModel

torch.backends.nnpack.set_flags(False)  # else a warning per convolution where it is missing

GUIDANCE = 3.0
DDIM_STEPS = 10

ABOUT = {
    "input_ids": "token ids",
    "last_hidden_state": "text encoder output for input_ids, after the final layer norm",
    "unet.sample": "noisy latents z",
    "unet.timestep": "a timestep per sample",
    "unet.encoder_hidden_states": "text embeddings",
    "unet.out_sample": "U-Net output u(z)",
    "unet.cotangent": "c",
    "unet.grad": "gradient of <c, u(z)> by z",
    "unet.tangent": "v",
    "unet.jvp": "derivative of u(z + r v) by r at r = 0",
    "unet.hvp": "derivative of the gradient of <c, u(z + r v)> by r at r = 0; computed in float64",
    "encode.image": "picture x in -1 .. 1",
    "encode.mean": "mean of the encoder's distribution, before the scaling factor",
    "encode.logvar": "its log variance",
    "encode.cotangent": "c",
    "encode.grad": "gradient of <c, mean(x)> by x",
    "encode.tangent": "v",
    "encode.jvp": "derivative of mean(x + r v) by r at r = 0",
    "decode.latent": "latents w of the decoder, after division by the scaling factor",
    "decode.image": "decode(w), not clamped",
    "decode.cotangent": "c",
    "decode.grad": "gradient of <c, decode(w)> by w",
    "decode.tangent": "v",
    "decode.jvp": "derivative of decode(w + r v) by r at r = 0",
    "ddim.start": "start latents",
    "ddim.cond": "text embeddings of the prompt",
    "ddim.uncond": "text embeddings of the empty prompt",
    "ddim.timesteps": "timesteps of the 10 DDIM steps",
    "ddim.latents": "latents after the 10 steps: output = uncond + 3 (cond - uncond), eta 0",
}


def load(folder, dtype, variant=None):
    """Text encoder, U-Net, autoencoder of a folder, computing in dtype."""
    options = {"variant": variant} if variant else {}
    text = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", dtype=torch.float32, **options)
    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", torch_dtype=torch.float32, **options)
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", torch_dtype=torch.float32, **options)
    return tuple(m.to(dtype).eval().requires_grad_(False) for m in (text, unet, vae))


def scheduler(folder, dtype):
    """diffusers' DDIMScheduler from the folder's configuration; for float64 its abar in float64."""
    s = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    if dtype == torch.float64:
        c = s.config
        root = torch.linspace(c.beta_start ** 0.5, c.beta_end ** 0.5, c.num_train_timesteps, dtype=dtype)
        s.alphas_cumprod = torch.cumprod(1 - root ** 2, 0)
        s.final_alpha_cumprod = torch.ones((), dtype=dtype) if c.set_alpha_to_one else s.alphas_cumprod[0]
    return s


def vjp(f, x, c):
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad((f(x) * c).sum(), x)[0]


def jvp(f, x, v):
    return torch.func.jvp(f, (x,), (v,))[1]


def hvp(f, x, c, v):
    x = x.detach().clone().requires_grad_()
    g = torch.autograd.grad((f(x) * c).sum(), x, create_graph=True)[0]
    return torch.autograd.grad((g * v).sum(), x)[0]


def products(o, prefix, f, at, c, v):
    o[prefix + ".cotangent"], o[prefix + ".grad"] = c, vjp(f, at, c)
    o[prefix + ".tangent"], o[prefix + ".jvp"] = v, jvp(f, at, v)


def ddim(folder, unet, start, cond, uncond, dtype):
    """Latents after DDIM_STEPS steps, and the timesteps."""
    s = scheduler(folder, dtype)
    s.set_timesteps(DDIM_STEPS)
    z, text = start, torch.cat([uncond, cond])
    for t in s.timesteps:
        a, b = unet(torch.cat([z, z]), t, text).sample.chunk(2)
        z = s.step(a + GUIDANCE * (b - a), t, z).prev_sample
    return z, s.timesteps


def compute(folder, inputs, dtype, second_order, variant=None):
    """All golden values of a folder. Inputs: tensors by the names in ABOUT."""
    text, unet, vae = load(folder, dtype, variant)
    o = {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}
    with sdpa_kernel(SDPBackend.MATH):
        with torch.no_grad():
            o["last_hidden_state"] = text(o["input_ids"]).last_hidden_state
        if "unet.encoder_hidden_states" not in o:
            o["unet.encoder_hidden_states"] = o["last_hidden_state"]
        z, t, ctx = o["unet.sample"], o["unet.timestep"], o["unet.encoder_hidden_states"]

        def u(y):
            return unet(y, t, ctx).sample

        def mean(x):
            return vae.encode(x).latent_dist.mean

        def decode(w):
            return vae.decode(w).sample

        with torch.no_grad():
            o["unet.out_sample"] = u(z)
            d = vae.encode(o["encode.image"]).latent_dist
            o["encode.mean"], o["encode.logvar"] = d.mean, d.logvar
            o["decode.image"] = decode(o["decode.latent"])
        products(o, "unet", u, z, o["unet.cotangent"], o["unet.tangent"])
        if second_order:
            o["unet.hvp"] = hvp(u, z, o["unet.cotangent"], o["unet.tangent"])
        products(o, "encode", mean, o["encode.image"], o["encode.cotangent"], o["encode.tangent"])
        products(o, "decode", decode, o["decode.latent"], o["decode.cotangent"], o["decode.tangent"])
        if "ddim.start" in o:
            with torch.no_grad():
                o["ddim.latents"], o["ddim.timesteps"] = ddim(
                    folder, unet, o["ddim.start"], o["ddim.cond"], o["ddim.uncond"], dtype)
    return o


def adjoint_gap(o, prefix):
    """| <v, J'c> - <J v, c> | / | <J v, c> |."""
    a = (o[prefix + ".tangent"].double() * o[prefix + ".grad"].double()).sum()
    b = (o[prefix + ".jvp"].double() * o[prefix + ".cotangent"].double()).sum()
    return float((a - b).abs() / b.abs())


def central_difference(folder, o, h=1e-4):
    """Checks unet.hvp (float64) by a central difference of gradients; returns the relative difference."""
    _, unet, _ = load(folder, torch.float64)
    z, t, ctx, c, v = (o["unet." + k] for k in ("sample", "timestep", "encoder_hidden_states", "cotangent", "tangent"))
    with sdpa_kernel(SDPBackend.MATH):
        g = [vjp(lambda y: unet(y, t, ctx).sample, z + s * h * v, c) for s in (1, -1)]
    d = (g[0] - g[1]) / (2 * h)
    return float((d - o["unet.hvp"]).norm() / d.norm())
