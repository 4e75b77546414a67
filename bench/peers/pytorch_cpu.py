# SPDX-License-Identifier: Apache-2.0
"""Runs Stable Diffusion's networks in PyTorch on the CPU, one run for each line of its standard input, and prints the seconds of each.

    echo unet | python bench/peers/pytorch_cpu.py bench/sd15 --latent 64 64 --mode compiled --dtype bf16 --threads 2

A line is one of unet, unet-vjp, decode, decode-vjp, inner-step (of STSL, with the trace term) and restore (first-order STSL of T levels with K inner
steps each, of a picture of noise). The first line of each kind is answered after two runs that are not counted, which is where compilation takes place.
The answer is a JSON object with the seconds of one run and the peak resident memory of the process so far, or with an error.

MODEL is a folder in diffusers' layout. If it holds configuration files alone, the weights are random.
Modes: eager; channels-last (eager, images with channels last); compiled (torch.compile with channels last; forwards with frozen weights).
Needs torch, diffusers and transformers.
"""
import argparse
import json
import pathlib
import resource
import sys
import time

import diffusers
import torch

TIMESTEP, LAMBDA, ETA = 501, 1.0, 0.02
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("model", type=pathlib.Path)
    p.add_argument("--latent", type=int, nargs=2, required=True, metavar=("H", "W"))
    p.add_argument("--mode", choices=["eager", "channels-last", "compiled"], required=True)
    p.add_argument("--dtype", choices=sorted(DTYPES), required=True)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--steps", type=int, default=2, help="T of restore")
    p.add_argument("--inner", type=int, default=2, help="K of restore")
    return p.parse_args()


def network(kind, args, part):
    folder = args.model / part
    if any(folder.glob("*.safetensors")):
        m = kind.from_pretrained(folder)
    else:
        m = kind.from_config(kind.load_config(folder))
    m = m.to(DTYPES[args.dtype]).eval().requires_grad_(False)
    return m if args.mode == "eager" else m.to(memory_format=torch.channels_last)


def alpha_bar(t):
    root = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64)
    return float(torch.cumprod(1 - root ** 2, 0)[t])


class Peer:
    """The networks and what is timed of them. Each timed function takes its picture as an argument, so that no result can be a constant."""

    def __init__(self, args):
        self.args = args
        self.unet = network(diffusers.UNet2DConditionModel, args, "unet")
        self.vae = network(diffusers.AutoencoderKL, args, "vae")
        self.factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.text = self.tensor(1, 77, self.unet.config.cross_attention_dim)
        self.t = torch.full((1,), TIMESTEP)
        self.ready = {}

    def tensor(self, *shape):
        x = torch.randn(*shape).to(DTYPES[self.args.dtype])
        return x.contiguous(memory_format=torch.channels_last) if len(shape) == 4 and self.args.mode != "eager" else x

    def latent(self):
        return self.tensor(1, 4, *self.args.latent)

    def image(self):
        return self.tensor(1, 3, *(self.factor * n for n in self.args.latent))

    def noise(self, z, text):
        return self.unet(z, self.t.expand(z.shape[0]), text.expand(z.shape[0], -1, -1)).sample

    def decoded(self, z):
        return self.vae.decode(z / self.vae.config.scaling_factor).sample

    def compiled(self, f, frozen):
        if self.args.mode != "compiled":
            return f
        import torch._inductor.config as inductor
        inductor.freezing = frozen
        return torch.compile(f)

    def forward(self, f):
        f = self.compiled(f, True)
        return lambda x: self.without_gradients(f, x)

    @staticmethod
    def without_gradients(f, x):
        with torch.no_grad():
            return f(x)

    def pulled(self, f, cotangent):
        f = self.compiled(f, False)

        def run(x):
            x = x.detach().requires_grad_()
            return torch.autograd.grad(f(x), x, cotangent)[0]
        return run

    def surrogate(self, second):
        """The gradient of STSL's loss in z: the masked residual's norm, and the trace term if second is true."""
        abar = alpha_bar(TIMESTEP)
        sigma = (1 - abar) ** 0.5
        image = self.image()
        mask = (torch.rand_like(image[:, :1].float()) < 0.5).to(image.dtype)
        y = mask * image.clamp(-1, 1)

        def loss(z, e):
            eps = self.noise(torch.cat([z, z + e]) if second else z, self.text)
            residual = mask * (y - self.decoded((z - sigma * eps[:1]) / abar ** 0.5))
            data = LAMBDA * residual.float().norm()
            return data + ETA / z.numel() * -(e * (eps[1:] - eps[:1])).float().sum() / sigma if second else data

        loss = self.compiled(loss, False)

        def gradient(z):
            z = z.detach().requires_grad_()
            return torch.autograd.grad(loss(z, torch.randn_like(z)), z)[0]
        return gradient

    def restoration(self):
        gradient = self.surrogate(False)
        noise = self.forward(lambda z: self.noise(z, self.text))
        decoded = self.forward(self.decoded)

        def run(z):
            for _ in range(self.args.steps):
                for _ in range(self.args.inner):
                    g = gradient(z)
                    z = (z - 0.01 * g / g.float().norm()).to(z.dtype)
                z = (0.9 * z + 0.1 * noise(z)).detach()
            return decoded(z)
        return run

    def make(self, what):
        if what == "unet":
            return self.forward(lambda z: self.noise(z, self.text))
        if what == "unet-vjp":
            return self.pulled(lambda z: self.noise(z, self.text), self.latent())
        if what == "decode":
            return self.forward(self.decoded)
        if what == "decode-vjp":
            return self.pulled(self.decoded, self.image())
        if what == "inner-step":
            return self.surrogate(True)
        if what == "restore":
            return self.restoration()
        raise ValueError(f"expected unet, unet-vjp, decode, decode-vjp, inner-step or restore, got '{what}'")

    def seconds(self, what):
        if what not in self.ready:
            self.ready[what] = self.make(what)
            for _ in range(2):
                self.ready[what](self.latent())
        z = self.latent()
        start = time.perf_counter()
        self.ready[what](z)
        return time.perf_counter() - start


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    torch.backends.nnpack.set_flags(False)  # else a warning per convolution where it is missing
    peer = Peer(args)
    for line in sys.stdin:
        try:
            answer = {"seconds": peer.seconds(line.strip())}
        except Exception as e:  # the driver prints it and goes on with another mode
            answer = {"error": f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"}
        answer["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
