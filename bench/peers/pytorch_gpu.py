# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch on Stable Diffusion 1.5's sizes with random weights: networks, derivatives, STSL's inner step, and what the card can do at most.

    python3 bench/peers/pytorch_gpu.py --modes eager,reduce-overhead --dtypes f16,bf16 --seconds 120
    python3 bench/peers/pytorch_gpu.py --device cpu --tiny --modes eager --dtypes f32 --repeat 1      (does the script run? its times say nothing)

Needs torch alone. Channels lie last, attention is PyTorch's scaled_dot_product_attention, weights ask for no gradient. Prints a JSON object a line:
median and fastest seconds (CUDA events around each run, after warm-ups), the most memory that tensors took, or why there is no time.

`eager` is measured first, a process for each dtype. Then each other mode (of torch.compile) has a process for each thing and dtype; they compile side by
side and wait, and are measured one after the other, so that none disturbs another. Whatever has not been compiled when the time is up is ended and
said to be so. `jvp` is eager only, with attention by plain products and a copy before each group norm: torch.func.jvp has no rule for the fused
attention kernels, and its rule for group norms takes tensors with channels first only.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time

WHAT = "unet:1,unet:2,unet-vjp:1,unet-vjp:2,inner-step:1,decode:1,decode-vjp:1,encode:1,encode-vjp:1,unet-jvp:1,decode-jvp:1"
COMPILED = "inner-step:1,unet:2,unet-vjp:1,decode-vjp:1"  # each takes a minute or so to compile, and memory of its own
AUTOTUNED = "inner-step:1"  # for the modes that try out kernels, which takes many minutes
T, LAMBDA, ETA = 501, 1.0, 0.02
MEASURING = 0.4  # the share of the time for compiled code that is kept for measuring it


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--device", default="cuda")
    p.add_argument("--tiny", action="store_true", help="a small model, to see whether the script runs")
    p.add_argument("--latent", type=int, nargs=2, default=(64, 64), metavar=("H", "W"))
    p.add_argument("--what", default=WHAT, help="NAME:BATCH, ... or copy:MIB, gemm:SIDE; default: %(default)s")
    p.add_argument("--compiled", default=COMPILED, help="what of it for modes other than eager; default: %(default)s")
    p.add_argument("--autotuned", default=AUTOTUNED, help="what of it for modes max-autotune...; default: %(default)s")
    p.add_argument("--modes", default="eager,reduce-overhead,max-autotune-no-cudagraphs")
    p.add_argument("--dtypes", default="f16,bf16")
    p.add_argument("--repeat", type=int, default=20)
    p.add_argument("--seconds", type=float, default=130, help="for everything")
    p.add_argument("--wait", action="store_true", help=argparse.SUPPRESS)  # a process of the second kind: warm up, say so, measure when told
    return p.parse_args()


def say(**facts):
    print(json.dumps(facts), flush=True)


# What there is to time. Each function gives a function without arguments; compile is torch.compile or does nothing.

def alpha_bar(torch, t):
    root = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64)
    return float(torch.cumprod(1 - root ** 2, 0)[t])


class Bench:
    def __init__(self, args, dtype):
        import torch
        import sd15
        self.torch, self.args, self.dtype = torch, args, {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[dtype]
        self.sd15, self.device = sd15, torch.device(args.device)
        self.latent = (16, 16) if args.tiny else tuple(args.latent)
        self.context = sd15.TINY_UNET["context"] if args.tiny else 768
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        self._unet = self._vae = None

    def network(self, kind, tiny):
        torch = self.torch
        with torch.device(self.device):
            m = kind(**tiny if self.args.tiny else {})
        return m.to(dtype=self.dtype, memory_format=torch.channels_last).eval().requires_grad_(False)

    @property
    def unet(self):
        self._unet = self._unet or self.network(self.sd15.UNet, self.sd15.TINY_UNET)
        return self._unet

    @property
    def vae(self):
        self._vae = self._vae or self.network(self.sd15.Autoencoder, self.sd15.TINY_VAE)
        return self._vae

    def noise(self, *shape, dtype=None):
        torch = self.torch
        x = torch.randn(*shape, device=self.device, dtype=dtype or self.dtype)
        return x.to(memory_format=torch.channels_last) if x.dim() == 4 else x

    def parts(self, network, batch):
        """The network as a function of one tensor, and such a tensor."""
        h, w = self.latent
        if network == "unet":
            text, t = self.noise(batch, 77, self.context), self.torch.full((batch,), T, device=self.device)
            unet = self.unet
            return (lambda x: unet(x, t, text)), self.noise(batch, 4, h, w)
        if network == "decode":
            return self.vae.decode, self.noise(batch, 4, h, w)
        if network == "encode":
            return self.vae.encode, self.noise(batch, 3, 8 * h, 8 * w)
        raise SystemExit(f"--what: '{network}' is unknown; known are {WHAT}, copy:MIB, gemm:SIDE")

    def call(self, name, batch, compile):
        torch = self.torch
        if name == "copy":
            a, b = (torch.rand(batch << 18, device=self.device) for _ in range(2))
            return lambda: b.copy_(a)
        if name == "gemm":
            a, b = (torch.randn(batch, batch, device=self.device, dtype=self.dtype) for _ in range(2))
            return lambda: a @ b
        if name == "inner-step":
            return self.inner_step(batch, compile)
        network, _, derivative = name.partition("-")
        f, x = self.parts(network, batch)
        if derivative == "":
            g = torch.no_grad()(compile(f))
            return lambda: g(x)
        if derivative == "vjp":
            g, c = compile(f), self.noise(*f(x).shape)
            x.requires_grad_()
            return lambda: torch.autograd.grad(g(x), x, c)
        tangent = self.noise(*x.shape)
        first = lambda norm, args: (args[0].clone(memory_format=torch.contiguous_format),)
        norms = [m for m in (self.unet if network == "unet" else self.vae).modules() if isinstance(m, torch.nn.GroupNorm)]
        from torch.nn.attention import SDPBackend, sdpa_kernel

        def jvp():
            hooks = [n.register_forward_pre_hook(first) for n in norms]
            try:
                with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
                    return torch.func.jvp(f, (x,), (tangent,))
            finally:
                for h in hooks:
                    h.remove()
        return jvp

    def inner_step(self, batch, compile):
        """docs/stsl.md: probe `unit`, data term `norm`, half of the pixels missing. The solver's own tensors are F32, as here."""
        torch, wide = self.torch, self.torch.float32
        h, w = self.latent
        z0, e = self.noise(batch, 4, h, w, dtype=wide), self.noise(batch, 4, h, w, dtype=wide)
        text = self.noise(1, 77, self.context).expand(2 * batch, -1, -1)
        t = torch.full((2 * batch,), T, device=self.device)
        mask = (self.noise(1, 1, 8 * h, 8 * w, dtype=wide) > 0).to(wide)
        y = mask * self.noise(batch, 3, 8 * h, 8 * w, dtype=wide)
        abar = alpha_bar(torch, T)
        sigma = (1 - abar) ** 0.5
        unet, vae, dtype = self.unet, self.vae, self.dtype

        def loss(z):
            eps, eps2 = unet(torch.cat([z, z + e]).to(dtype), t, text).to(wide).chunk(2)
            clean = (z - sigma * eps) / abar ** 0.5
            residual = mask * (y - vae.decode((clean / self.sd15.SCALING_FACTOR).to(dtype)).to(wide))
            trace = -(e * (eps2 - eps)).sum() / sigma
            return LAMBDA * residual.norm() + ETA * batch / z.numel() * trace

        f = compile(loss)

        def step():
            z = z0.detach().requires_grad_()
            return torch.autograd.grad(f(z), z)[0]
        return step

    def measure(self, run):
        """Median and fastest seconds, the most bytes that tensors took meanwhile."""
        torch, cuda = self.torch, self.device.type == "cuda"
        if cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        seconds = []
        for _ in range(self.args.repeat):
            if cuda:
                start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                start.record()
                run()
                end.record()
                end.synchronize()
                seconds.append(start.elapsed_time(end) / 1e3)
            else:
                begin = time.perf_counter()
                run()
                seconds.append(time.perf_counter() - begin)
        return dict(median_s=statistics.median(seconds), fastest_s=min(seconds), repeat=self.args.repeat,
                    peak_bytes=torch.cuda.max_memory_allocated() if cuda else None)


def items(words):
    return [(w.partition(":")[0], int(w.partition(":")[2] or 1)) for w in words.split(",") if w]


def stepping(torch, mode, run):
    """With torch's own graphs each run must say that it begins, so that the outputs of the last may be overwritten."""
    if mode != "reduce-overhead":
        return run

    def step():
        torch.compiler.cudagraph_mark_step_begin()
        return run()
    return step


def run_here(args):
    """One dtype and one mode in this process."""
    mode, dtype = args.modes, args.dtypes
    try:
        bench = Bench(args, dtype)
    except Exception as e:
        say(status=f"failed: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}", mode=mode, dtype=dtype)
        return
    compile = (lambda f: f) if mode == "eager" else (lambda f: bench.torch.compile(f, mode=mode))
    for name, batch in items(args.what):
        head = dict(peer="pytorch", what=name, batch=batch, mode=mode, dtype=dtype, device=args.device, latent=list(bench.latent), torch=bench.torch.__version__)
        try:
            begin = time.perf_counter()
            run = stepping(bench.torch, mode, bench.call(name, batch, compile))
            for _ in range(3):
                run()
            if args.device == "cuda":
                bench.torch.cuda.synchronize()
            warm = time.perf_counter() - begin
            if args.wait:
                say(status="ready")
                sys.stdin.readline()
            say(**head, status="ok", warm_up_s=warm, **bench.measure(run))
        except Exception as e:  # a failure of one thing hides no other
            say(**head, status=f"failed: {type(e).__name__}: {str(e).strip().splitlines()[0][:200] if str(e).strip() else ''}")


class Child:
    """This script in a process of its own; its lines are passed on as they come."""

    def __init__(self, args, mode, dtype, what, wait, beside=1):
        self.mode, self.dtype, self.what, self.done, self.ready = mode, dtype, what, set(), threading.Event()
        line = [sys.executable, __file__, "--modes", mode, "--dtypes", dtype, "--what", what, "--device", args.device, "--repeat", str(args.repeat),
                "--latent", *map(str, args.latent)] + ["--tiny"] * args.tiny + ["--wait"] * wait
        self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env={
            **os.environ, "TWEEDIE_PEER": "child", "TORCHINDUCTOR_COMPILE_THREADS": str(max(1, (os.cpu_count() or 1) // beside))})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            try:
                facts = json.loads(line)
            except ValueError:
                continue  # a library's remark
            if facts.get("status") == "ready":
                self.ready.set()
            else:
                self.done.add((facts.get("what"), facts.get("batch")))
                print(line, end="", flush=True)
        self.ready.set()  # ended, whatever it said

    def tell(self):
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended and said why

    def finish(self, seconds, why):
        """Waits that long, ends it if need be, and says what it did not come to."""
        try:
            self.process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        for name, batch in items(self.what):
            if (name, batch) not in self.done:
                say(peer="pytorch", what=name, batch=batch, mode=self.mode, dtype=self.dtype, status=f"not run: {why}")


def main():
    args = arguments()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    if os.environ.get("TWEEDIE_PEER") == "child":
        run_here(args)
        return
    end = time.monotonic() + args.seconds
    left = lambda: end - time.monotonic()
    modes, dtypes = args.modes.split(","), args.dtypes.split(",")
    compiled = [m for m in modes if m != "eager"]
    if "eager" in modes:
        share = max(1, args.seconds * (0.5 if compiled else 1) / len(dtypes))
        for d in dtypes:
            Child(args, "eager", d, args.what, False).finish(min(share, left()), f"time limit of {share:.0f} s")
    asked = set(items(args.what))
    jobs = [(m, d, f"{n}:{b}") for m in compiled for n, b in items(args.autotuned if m.startswith("max-autotune") else args.compiled)
            if (n, b) in asked for d in dtypes]
    children = [Child(args, *job, True, len(jobs)) for job in jobs]
    compile_until = time.monotonic() + (1 - MEASURING) * left()
    for c in children:
        c.ready.wait(max(0, compile_until - time.monotonic()))
    late = [c for c in children if not c.ready.is_set()]
    for c in late:
        c.finish(0, "not compiled in time")
    for c in children:
        if c not in late:
            c.tell()
            c.finish(left(), "time limit")


if __name__ == "__main__":
    main()
