# SPDX-License-Identifier: Apache-2.0
"""Two tiny random models with the layouts of Stable Diffusion 1.5 and 2.1, with golden values.

    python weights-tools/golden/tiny_models.py weights-tools/demo-model/tokenizer src/test/resources/golden

Arguments: TOKENIZER_FOLDER OUT. Writes OUT/tiny-sd15 and OUT/tiny-sd21: diffusers' folders (F16 safetensors), each
with golden/golden.safetensors (F32, computed from the stored weights in F32; unet.hvp in float64; ids and timesteps I64) and golden/golden.json.
tiny-sd15 has the tensor names of the published 1.x files: query, key, value and proj_attn in the autoencoder's
attention, position_ids in the text encoder. tiny-sd21 pads prompts with token 0, "!", as 2.x does.
TOKENIZER_FOLDER: a CLIP tokenizer of 649 tokens; it is copied into both. Needs torch, diffusers, transformers.
"""
import os
import shutil
import sys

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import networks
import record

SEED = 20231200852
VOCABULARY, START, END = 649, 647, 648
WIDTH = 32  # of the text encoder
LATENT = (8, 12)
FACTOR = 4  # pixels per latent position
CONTRAST = 0.1  # between prompts; guidance on unrelated prompts makes a random network's DDIM chaotic

PROMPTS = ["a photo of a t-shirt", "A photo of  a Longsleeve!", ""]

BETAS = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
             steps_offset=1, set_alpha_to_one=False, trained_betas=None)


def text_encoder(activation):
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=77, hidden_act=activation, projection_dim=WIDTH,
        bos_token_id=START, eos_token_id=END, pad_token_id=1))


def autoencoder(scaling_factor):
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(8, 16, 16), layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3, norm_num_groups=8,
        sample_size=64, scaling_factor=scaling_factor)


def unet(down, **options):
    up = tuple(d.replace("Down", "Up") for d in reversed(down))
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(16, 24, 24), layers_per_block=2,
        down_block_types=down, up_block_types=up, cross_attention_dim=WIDTH, norm_num_groups=8, **options)


MODELS = {
    "tiny-sd15": dict(
        text=lambda: text_encoder("quick_gelu"),
        unet=lambda: unet(("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"), attention_head_dim=4),
        vae=lambda: autoencoder(0.18215),
        scheduler=lambda: PNDMScheduler(**BETAS, prediction_type="epsilon", skip_prk_steps=True)),
    "tiny-sd21": dict(
        text=lambda: text_encoder("gelu"),
        unet=lambda: unet(("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"), attention_head_dim=[2, 4, 4],
                          use_linear_projection=True, upcast_attention=True),
        vae=lambda: autoencoder(0.18215),
        scheduler=lambda: DDIMScheduler(**BETAS, prediction_type="v_prediction", clip_sample=False)),
}


def randomise(model, generator, last, gain):
    """Random weights that keep activations near 1: normal with variance 1 / inputs, `last` layers times gain,
    norms near (1, 0), biases and embeddings not zero."""
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if weight is None:
            continue
        noise = torch.randn(weight.shape, generator=generator)
        norm = isinstance(module, (torch.nn.GroupNorm, torch.nn.LayerNorm))
        if norm:
            weight.data = 1 + 0.2 * noise
        elif isinstance(module, torch.nn.Embedding):
            weight.data = 0.7 * noise
        else:
            weight.data = noise * weight[0].numel() ** -0.5 * (gain if name in last else 1)
        if getattr(module, "bias", None) is not None:
            module.bias.data = 0.2 * torch.randn(module.bias.shape, generator=generator)
    return model.half()


def write(folder, parts, generator):
    torch.manual_seed(SEED)  # the constructors draw too, though all is drawn again
    text = randomise(parts["text"](), generator, (), 1)
    net = randomise(parts["unet"](), generator, ("conv_out",), 0.7)  # more makes ten DDIM steps chaotic
    vae = randomise(parts["vae"](), generator, ("encoder.conv_out", "decoder.conv_out"), 1.8)
    state = {"text_model." + k.removeprefix("text_model."): v for k, v in text.state_dict().items()}
    text.save_pretrained(folder + "/text_encoder", state_dict=state)
    net.save_pretrained(folder + "/unet")
    vae.save_pretrained(folder + "/vae")
    parts["scheduler"]().save_pretrained(folder + "/scheduler")
    # Published PNDM configurations have clip_sample, though PNDM itself has no such option; DDIM's default is to clip.
    record.edit_json(folder + "/scheduler/scheduler_config.json", clip_sample=False)
    record.save_json(folder + "/model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": diffusers.__version__,
        "feature_extractor": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
        "scheduler": ["diffusers", type(parts["scheduler"]()).__name__], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]})


def rename(path, change):
    """Stores a weights file again with change(state)."""
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def published_names(folder):
    """Names of the 1.x checkpoints, which the libraries still read."""
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def attention(key):
        for new, old in names.items():
            key = key.replace(f"attentions.0.{new}.", f"attentions.0.{old}.")
        return key

    rename(folder + "/vae/diffusion_pytorch_model.safetensors", lambda s: {attention(k): v for k, v in s.items()})
    rename(folder + "/text_encoder/model.safetensors",
           lambda s: {**s, "text_model.embeddings.position_ids": torch.arange(77)[None]})


def pad_with_zero(folder):
    for name in ("special_tokens_map", "tokenizer_config"):
        record.edit_json(f"{folder}/tokenizer/{name}.json", pad_token="!")


def token_ids(folder):
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    return {p: tokenizer(p, padding="max_length", max_length=77, truncation=True).input_ids for p in PROMPTS}


def inputs(generator):
    h, w = LATENT

    def randn(*shape):
        return torch.randn(*shape, generator=generator)

    ids = torch.full((2, 77), END)
    ids[:, 0] = START
    ids[0, 1:8] = torch.randint(0, START, (7,), generator=generator)
    ids[1, 1:76] = torch.randint(0, START, (75,), generator=generator)
    uncond = randn(1, 77, WIDTH)
    return {
        "input_ids": ids,
        "unet.sample": randn(2, 4, h, w), "unet.timestep": torch.tensor([701, 41]),
        "unet.encoder_hidden_states": randn(2, 77, WIDTH),
        "unet.cotangent": randn(2, 4, h, w), "unet.tangent": randn(2, 4, h, w),
        "encode.image": torch.tanh(randn(1, 3, h * FACTOR, w * FACTOR)),
        "encode.cotangent": randn(1, 4, h, w), "encode.tangent": randn(1, 3, h * FACTOR, w * FACTOR),
        "decode.latent": randn(1, 4, h, w),
        "decode.cotangent": randn(1, 3, h * FACTOR, w * FACTOR), "decode.tangent": randn(1, 4, h, w),
        "ddim.start": randn(1, 4, h, w), "ddim.uncond": uncond,
        "ddim.cond": uncond + CONTRAST * randn(1, 77, WIDTH),
    }


def golden(folder, given):
    single = networks.compute(folder, given, torch.float32, True)
    double = networks.compute(folder, given, torch.float64, True)
    differences = {k: record.relative_difference(single[k], double[k]) for k in single
                   if single[k].is_floating_point() and k not in given}
    single["unet.hvp"] = double["unet.hvp"].float()
    metadata = record.origin(SEED, diffusers, transformers)
    os.makedirs(folder + "/golden", exist_ok=True)
    record.save(folder + "/golden/golden.safetensors", single, metadata)
    about = {
        "origin": metadata,
        "guidance": networks.GUIDANCE,
        "tensors": networks.ABOUT,
        "tokenizer": token_ids(folder),
        "spread": {k: float(v.double().std()) for k, v in single.items() if k not in given and v.is_floating_point()},
        "float32_relative_difference_from_float64": differences,
        "adjoint_gap_float64": {k: networks.adjoint_gap(double, k) for k in ("unet", "encode", "decode")},
        "hvp_relative_difference_from_central_difference_float64": networks.central_difference(folder, double),
        "note": "diffusers computes the sinusoids of the timestep in float32 in both runs",
    }
    record.save_json(folder + "/golden/golden.json", about)
    return about


def main():
    tokenizer, out = sys.argv[1:]
    torch.set_num_threads(2)
    for i, (name, parts) in enumerate(MODELS.items()):
        folder = f"{out}/{name}"
        g = torch.Generator().manual_seed(SEED + i)
        write(folder, parts, g)
        shutil.copytree(tokenizer, folder + "/tokenizer", dirs_exist_ok=True)
        (published_names if name == "tiny-sd15" else pad_with_zero)(folder)
        about = golden(folder, inputs(g))
        print(name, {k: v for k, v in about.items() if k not in ("tensors", "origin")})


if __name__ == "__main__":
    main()
