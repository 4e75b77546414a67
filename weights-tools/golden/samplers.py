# SPDX-License-Identifier: Apache-2.0
"""Golden values of the samplers: diffusers' own schedulers over 10 and 25 steps of a network that is a formula.

    python weights-tools/golden/samplers.py src/test/resources/golden DIFFUSERS_COMMIT

Writes OUT/samplers.safetensors (F64) and OUT/samplers.json. The network's output, eps or v, is elementwise
u(z, t) = 0.8 sin(1.3 z + t / 400) + 0.1 z, where z is the scheduler's scaled model input: z = sqrt(abar) z0 + sigma n.
The schedulers are built from the checkpoints' configurations as pipelines do it: X.from_config(own scheduler.config).

diffusers computes its tables, and the steps of Euler and DPM-Solver, in float32. The values here come from the same
code with float64 in its place (Doubled); how far the code as it is lies from them is measured and recorded.
Needs torch, numpy, diffusers.
"""
import sys

import diffusers
import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler
from diffusers.schedulers import scheduling_ddim, scheduling_dpmsolver_multistep, scheduling_euler_discrete

import record

SEED = 20231200856
NUMBERS, STEPS = 8, (10, 25)
MODULES = scheduling_ddim, scheduling_dpmsolver_multistep, scheduling_euler_discrete
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
         "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None, "clip_sample": False}
MODELS = {"sd15": (PNDMScheduler, {**BETAS}), "sd21": (DDIMScheduler, {**BETAS, "prediction_type": "v_prediction"})}
SAMPLERS = {  # name: scheduler, its options, arguments of a step
    "ddim": (DDIMScheduler, {}, {"eta": 0.0}),
    "ddim_eta": (DDIMScheduler, {}, {"eta": 1.0}),
    "euler": (EulerDiscreteScheduler, {}, {}),
    "euler_karras": (EulerDiscreteScheduler, {"use_karras_sigmas": True}, {}),
    "dpmpp2m": (DPMSolverMultistepScheduler, {}, {}),
    "dpmpp2m_karras": (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}, {}),
}
SPACINGS = "unsaid", "leading", "linspace", "trailing"
ABOUT = {
    "n": "N(0,I), where each generation starts before it is scaled",
    "noise": "N(0,I) for each step of ddim_eta",
    "MODEL.SAMPLER.SPACING.STEPS.timesteps": "what the network is told",
    "MODEL.SAMPLER.SPACING.STEPS.abar": "of the levels, and of the one at which sampling ends",
    "MODEL.SAMPLER.SPACING.STEPS.latents": "z at each level and at the end, on the scale sqrt(abar) z0 + sigma n",
    "MODEL.SAMPLER.SPACING.STEPS.stock": "the last of them from diffusers' code as it is",
}


class Doubled:
    """A module, torch or numpy, whose float32 is float64."""

    def __init__(self, module):
        self.module, self.float32 = module, module.float64

    def __getattr__(self, name):
        return getattr(self.module, name)


def precision(wrap):
    for m in MODULES:
        m.torch, m.np = wrap(torch), wrap(np)


def network(z, t):
    return 0.8 * torch.sin(1.3 * z + float(t) / 400) + 0.1 * z


def levels(scheduler, steps):
    """abar of the timesteps and of the end."""
    if isinstance(scheduler, DDIMScheduler):
        ends = [t - 1000 // steps for t in scheduler.timesteps.tolist()]
        if ends[:-1] != scheduler.timesteps.tolist()[1:]:
            raise SystemExit("DDIM would not step from a timestep to the next")
        return torch.cat([scheduler.alphas_cumprod[scheduler.timesteps], scheduler.final_alpha_cumprod[None]]).double()
    return 1 / (1 + scheduler.sigmas.double() ** 2)


def sample(own, config, kind, options, arguments, steps, n, noise):
    scheduler = kind.from_config(own.from_config(config).config, **options)
    scheduler.set_timesteps(steps)
    abar = levels(scheduler, steps)
    scale = abar.sqrt() if kind is EulerDiscreteScheduler else torch.ones_like(abar)  # to z from the scheduler's latents
    x = n * scheduler.init_noise_sigma
    latents = [x * scale[0]]
    for i, t in enumerate(scheduler.timesteps):
        z = scheduler.scale_model_input(x, t)
        extra = {**arguments, "variance_noise": noise[i]} if arguments.get("eta") else arguments
        x = scheduler.step(network(z, t), t, x, **extra).prev_sample
        latents.append(x * scale[i + 1])
    return {"timesteps": scheduler.timesteps.double(), "abar": abar, "latents": torch.stack(latents)}


def cases():
    for model, (own, config) in MODELS.items():
        for name in SAMPLERS:
            for spacing in SPACINGS:
                if not (name.startswith("ddim") and spacing == "linspace"):  # there it steps beside its own timesteps
                    for steps in STEPS:
                        said = {} if spacing == "unsaid" else {"timestep_spacing": spacing}
                        yield f"{model}.{name}.{spacing}.{steps}", (own, {**config, **said}, *SAMPLERS[name], steps)


def main():
    out, commit = sys.argv[1:3]
    rng = np.random.default_rng(SEED)
    n, noise = (torch.from_numpy(rng.standard_normal(shape)) for shape in (NUMBERS, (max(STEPS), NUMBERS)))
    tensors, far = {"n": n, "noise": noise}, {}
    for name, case in cases():
        precision(Doubled)
        golden = sample(*case, n, noise)
        precision(lambda module: module)
        stock = sample(*case, n.float(), noise.float())
        for key in ("timesteps", "abar", "latents"):
            far[key] = max(far.get(key, 0), record.relative_difference(stock[key], golden[key]))
        tensors |= {f"{name}.{key}": value for key, value in golden.items()} | {f"{name}.stock": stock["latents"][-1]}
    origin = {**record.origin(SEED, diffusers), "diffusers_commit": commit}
    record.save(out + "/samplers.safetensors", tensors, origin)
    record.save_json(out + "/samplers.json", {
        "origin": origin, "relative_difference_of_code_in_float32": far, "configurations": {k: v[1] for k, v in MODELS.items()},
        "tensors": ABOUT})
    print(len(tensors), far)


if __name__ == "__main__":
    main()
