# SPDX-License-Identifier: Apache-2.0
"""A random model of Stable Diffusion 1.5's full size and layout, with golden values; about 2.2 GB.

    python weights-tools/golden/full_size.py OUT_DIR weights-tools/demo-model/tokenizer

Arguments: OUT_DIR TOKENIZER_FOLDER. Writes diffusers' folders (F16, variant fp16, so *.fp16.safetensors) and
OUT_DIR/golden: golden.safetensors (F32 from the stored weights; latents 32 x 32, one sample) and golden.json.
The tokenizer is copied; it may be smaller than the vocabulary. Takes about 10 GB of memory; most of the time goes into
the float64 run that measures the rounding of the values. Needs torch, diffusers, transformers.
"""
import os
import shutil
import sys

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import networks
import record
from tiny_models import BETAS, randomise

SEED = 20231200854
VOCABULARY, WIDTH, LATENT, FACTOR = 49408, 768, 32, 8


def text_encoder():
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=12, num_attention_heads=12,
        max_position_embeddings=77, hidden_act="quick_gelu", projection_dim=WIDTH, bos_token_id=0, eos_token_id=2,
        pad_token_id=1))


def unet():
    return UNet2DConditionModel(
        sample_size=64, block_out_channels=(320, 640, 1280, 1280), layers_per_block=2, cross_attention_dim=WIDTH,
        attention_head_dim=8, norm_num_groups=32, down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)


def autoencoder():
    return AutoencoderKL(
        latent_channels=4, block_out_channels=(128, 256, 512, 512), layers_per_block=2, norm_num_groups=32, sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, scaling_factor=0.18215)


def write(folder, generator):
    text = randomise(text_encoder(), generator, (), 1)
    state = {"text_model." + k.removeprefix("text_model."): v for k, v in text.state_dict().items()}
    text.save_pretrained(folder + "/text_encoder", state_dict=state, variant="fp16")
    randomise(unet(), generator, ("conv_out",), 1.8).save_pretrained(folder + "/unet", variant="fp16")
    randomise(autoencoder(), generator, ("encoder.conv_out", "decoder.conv_out"), 1.8).save_pretrained(
        folder + "/vae", variant="fp16")
    os.makedirs(folder + "/scheduler", exist_ok=True)
    record.save_json(folder + "/scheduler/scheduler_config.json", {
        "_class_name": "PNDMScheduler", "_diffusers_version": diffusers.__version__, **BETAS,
        "clip_sample": False, "prediction_type": "epsilon", "skip_prk_steps": True})
    record.save_json(folder + "/model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": diffusers.__version__,
        "feature_extractor": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]})


def inputs(generator):
    latent, image = (1, 4, LATENT, LATENT), (1, 3, LATENT * FACTOR, LATENT * FACTOR)

    def randn(*shape):
        return torch.randn(*shape, generator=generator)

    return {
        "input_ids": torch.randint(0, VOCABULARY, (1, 77), generator=generator),
        "unet.sample": randn(*latent), "unet.timestep": torch.tensor([501]),
        "unet.encoder_hidden_states": randn(1, 77, WIDTH),
        "unet.cotangent": randn(*latent), "unet.tangent": randn(*latent),
        "encode.image": torch.tanh(randn(*image)), "encode.cotangent": randn(*latent), "encode.tangent": randn(*image),
        "decode.latent": randn(*latent), "decode.cotangent": randn(*image), "decode.tangent": randn(*latent),
    }


def golden(folder, given):
    """The float64 run only measures rounding; the golden values are the float32 ones."""
    o = networks.compute(folder, given, torch.float32, False, "fp16")
    metadata = record.origin(SEED, diffusers, transformers)
    os.makedirs(folder + "/golden", exist_ok=True)
    record.save(folder + "/golden/golden.safetensors", o, metadata)
    double = networks.compute(folder, given, torch.float64, False, "fp16")
    computed = [k for k in o if k not in given]
    about = {
        "origin": metadata,
        "tensors": {k: networks.ABOUT[k] for k in o},
        "spread": {k: float(o[k].double().std()) for k in computed},
        "float32_relative_difference_from_float64": {k: record.relative_difference(o[k], double[k]) for k in computed},
        "adjoint_gap_float64": {k: networks.adjoint_gap(double, k) for k in ("unet", "encode", "decode")},
    }
    record.save_json(folder + "/golden/golden.json", about)
    return about


def main():
    folder, tokenizer = sys.argv[1:]
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    g = torch.Generator().manual_seed(SEED)
    write(folder, g)
    shutil.copytree(tokenizer, folder + "/tokenizer", dirs_exist_ok=True)
    about = golden(folder, inputs(g))
    print({k: v for k, v in about.items() if k not in ("tensors", "origin")})


if __name__ == "__main__":
    main()
