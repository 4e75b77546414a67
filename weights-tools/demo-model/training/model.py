# SPDX-License-Identifier: Apache-2.0
"""Small Stable-Diffusion-shaped networks.

Module and parameter names follow the layout of the diffusers classes
AutoencoderKL and UNet2DConditionModel and of the transformers class
CLIPTextModel, so a state dict saved from here is a checkpoint for those.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

VAE = {
    "_class_name": "AutoencoderKL",
    "_diffusers_version": "0.21.0",
    "act_fn": "silu",
    "block_out_channels": [32, 64, 128, 128],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "force_upcast": False,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 16,
    "out_channels": 3,
    "sample_size": 128,
    "scaling_factor": 1.0,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}

UNET = {
    "_class_name": "UNet2DConditionModel",
    "_diffusers_version": "0.21.0",
    "act_fn": "silu",
    "attention_head_dim": 8,
    "block_out_channels": [96, 128, 128],
    "center_input_sample": False,
    "cross_attention_dim": 128,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "downsample_padding": 1,
    "dual_cross_attention": False,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 4,
    "layers_per_block": 1,
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "norm_eps": 1e-05,
    "norm_num_groups": 32,
    "only_cross_attention": False,
    "out_channels": 4,
    "sample_size": 16,
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "use_linear_projection": False,
}

TEXT = {
    "architectures": ["CLIPTextModel"],
    "attention_dropout": 0.0,
    "bos_token_id": 0,
    "dropout": 0.0,
    "eos_token_id": 2,
    "hidden_act": "quick_gelu",
    "hidden_size": 128,
    "initializer_factor": 1.0,
    "initializer_range": 0.02,
    "intermediate_size": 512,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 77,
    "model_type": "clip_text_model",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 1,
    "projection_dim": 128,
    "torch_dtype": "float16",
    "transformers_version": "4.30.0",
    "vocab_size": 0,
}

SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "_diffusers_version": "0.21.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "trained_betas": None,
}


def alphas_cumprod():
    c = SCHEDULER
    betas = torch.linspace(c["beta_start"] ** 0.5, c["beta_end"] ** 0.5,
                           c["num_train_timesteps"], dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


# Convolutions and linear maps run in the dtype of their input, so the same
# modules serve float32 inference and bfloat16 training with float32 weights.
class Conv(nn.Conv2d):
    def forward(self, x):
        return self._conv_forward(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class Linear(nn.Linear):
    def forward(self, x):
        b = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), b)


class Norm(nn.GroupNorm):
    """Group norm, computed in the dtype of its weights, and the SiLU that often follows."""

    def forward(self, x, silu=False):
        y = super().forward(x.to(self.weight.dtype))
        return (F.silu(y) if silu else y).to(x.dtype)


class LNorm(nn.LayerNorm):
    def forward(self, x):
        return F.layer_norm(x, self.normalized_shape, self.weight.to(x.dtype),
                            self.bias.to(x.dtype), self.eps)


def up2(x):
    """Nearest-neighbour doubling."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class ResnetBlock(nn.Module):
    def __init__(self, cin, cout, groups, eps, temb=None):
        super().__init__()
        self.norm1 = Norm(groups, cin, eps)
        self.conv1 = Conv(cin, cout, 3, padding=1)
        if temb:
            self.time_emb_proj = Linear(temb, cout)
        self.norm2 = Norm(groups, cout, eps)
        self.conv2 = Conv(cout, cout, 3, padding=1)
        self.conv_shortcut = Conv(cin, cout, 1) if cin != cout else None

    def forward(self, x, temb=None):
        h = self.conv1(self.norm1(x, silu=True))
        if temb is not None:
            h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(self.norm2(h, silu=True))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Downsample(nn.Module):
    def __init__(self, c, padding):
        super().__init__()
        self.conv = Conv(c, c, 3, stride=2, padding=padding)
        self.asymmetric = padding == 0

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)) if self.asymmetric else x)


class Upsample(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = Conv(c, c, 3, padding=1)

    def forward(self, x):
        return self.conv(up2(x))


def attend(q, k, v, heads):
    b, n, c = q.shape
    q, k, v = (t.reshape(b, -1, heads, c // heads).transpose(1, 2) for t in (q, k, v))
    w = torch.softmax(q @ k.transpose(-1, -2) * (c // heads) ** -0.5, -1)
    return (w @ v).transpose(1, 2).reshape(b, n, c)


class VaeAttention(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.group_norm = Norm(groups, c, 1e-6)
        self.to_q = Linear(c, c)
        self.to_k = Linear(c, c)
        self.to_v = Linear(c, c)
        self.to_out = nn.ModuleList([Linear(c, c), nn.Identity()])

    def forward(self, x):
        b, c, h, w = x.shape
        y = self.group_norm(x).permute(0, 2, 3, 1).reshape(b, h * w, c)
        y = self.to_out[0](attend(self.to_q(y), self.to_k(y), self.to_v(y), 1))
        return x + y.reshape(b, h, w, c).permute(0, 3, 1, 2)


class VaeMid(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.attentions = nn.ModuleList([VaeAttention(c, groups)])
        self.resnets = nn.ModuleList([ResnetBlock(c, c, groups, 1e-6) for _ in range(2)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class VaeBlock(nn.Module):
    def __init__(self, cin, cout, layers, groups, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList(
            [ResnetBlock(cin if i == 0 else cout, cout, groups, 1e-6) for i in range(layers)])
        if down:
            self.downsamplers = nn.ModuleList([Downsample(cout, 0)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample(cout)])
        self.down, self.up = down, up

    def forward(self, x):
        for r in self.resnets:
            x = r(x)
        if self.down:
            x = self.downsamplers[0](x)
        if self.up:
            x = self.upsamplers[0](x)
        return x


class Encoder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        ch, g = cfg["block_out_channels"], cfg["norm_num_groups"]
        self.conv_in = Conv(cfg["in_channels"], ch[0], 3, padding=1)
        self.down_blocks = nn.ModuleList([
            VaeBlock(ch[max(i - 1, 0)], c, cfg["layers_per_block"], g, down=i < len(ch) - 1)
            for i, c in enumerate(ch)])
        self.mid_block = VaeMid(ch[-1], g)
        self.conv_norm_out = Norm(g, ch[-1], 1e-6)
        self.conv_out = Conv(ch[-1], 2 * cfg["latent_channels"], 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for b in self.down_blocks:
            x = b(x)
        return self.conv_out(self.conv_norm_out(self.mid_block(x), silu=True))


class Decoder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        ch, g = cfg["block_out_channels"][::-1], cfg["norm_num_groups"]
        self.conv_in = Conv(cfg["latent_channels"], ch[0], 3, padding=1)
        self.mid_block = VaeMid(ch[0], g)
        self.up_blocks = nn.ModuleList([
            VaeBlock(ch[max(i - 1, 0)], c, cfg["layers_per_block"] + 1, g, up=i < len(ch) - 1)
            for i, c in enumerate(ch)])
        self.conv_norm_out = Norm(g, ch[-1], 1e-6)
        self.conv_out = Conv(ch[-1], cfg["out_channels"], 3, padding=1)

    def forward(self, z):
        x = self.mid_block(self.conv_in(z))
        for b in self.up_blocks:
            x = b(x)
        return self.conv_out(self.conv_norm_out(x, silu=True))


class AutoencoderKL(nn.Module):
    def __init__(self, cfg=VAE):
        super().__init__()
        n = cfg["latent_channels"]
        self.encoder = Encoder(cfg)
        self.decoder = Decoder(cfg)
        self.quant_conv = Conv(2 * n, 2 * n, 1)
        self.post_quant_conv = Conv(n, n, 1)

    def encode(self, x):
        """Mean and log variance of the latent (unscaled)."""
        mean, logvar = self.quant_conv(self.encoder(x)).chunk(2, 1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))


class Attention(nn.Module):
    def __init__(self, c, ctx, heads):
        super().__init__()
        self.heads = heads
        self.to_q = Linear(c, c, bias=False)
        self.to_k = Linear(ctx, c, bias=False)
        self.to_v = Linear(ctx, c, bias=False)
        self.to_out = nn.ModuleList([Linear(c, c), nn.Identity()])

    def forward(self, x, ctx=None, index=None):
        # ctx may hold each distinct prompt once; index then picks a row per sample.
        ctx = x if ctx is None else ctx
        k, v = self.to_k(ctx), self.to_v(ctx)
        if index is not None:
            k, v = k[index], v[index]
        return self.to_out[0](attend(self.to_q(x), k, v, self.heads))


class GEGLU(nn.Module):
    def __init__(self, c, inner):
        super().__init__()
        self.proj = Linear(c, 2 * inner)

    def forward(self, x):
        a, gate = self.proj(x).chunk(2, -1)
        return a * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.net = nn.ModuleList([GEGLU(c, 4 * c), nn.Identity(), Linear(4 * c, c)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class TransformerBlock(nn.Module):
    def __init__(self, c, ctx, heads):
        super().__init__()
        self.norm1, self.attn1 = LNorm(c), Attention(c, c, heads)
        self.norm2, self.attn2 = LNorm(c), Attention(c, ctx, heads)
        self.norm3, self.ff = LNorm(c), FeedForward(c)

    def forward(self, x, ctx, index):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), ctx, index)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, c, ctx, heads, groups):
        super().__init__()
        self.norm = Norm(groups, c, 1e-6)
        self.proj_in = Conv(c, c, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(c, ctx, heads)])
        self.proj_out = Conv(c, c, 1)

    def forward(self, x, ctx, index):
        b, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(b, h * w, c)
        y = self.transformer_blocks[0](y, ctx, index)
        return x + self.proj_out(y.reshape(b, h, w, c).permute(0, 3, 1, 2))


class UNetBlock(nn.Module):
    """A down or an up block; ins lists the input width of each resnet."""

    def __init__(self, ins, cout, cross, temb, cfg, down=False, up=False):
        super().__init__()
        g = cfg["norm_num_groups"]
        if cross:
            self.attentions = nn.ModuleList([
                Transformer(cout, cfg["cross_attention_dim"], cfg["attention_head_dim"], g)
                for _ in ins])
        self.resnets = nn.ModuleList(
            [ResnetBlock(i, cout, g, cfg["norm_eps"], temb) for i in ins])
        if down:
            self.downsamplers = nn.ModuleList([Downsample(cout, 1)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample(cout)])
        self.cross, self.down, self.up = cross, down, up

    def forward(self, x, temb, ctx, index, skips, ascending):
        for i, r in enumerate(self.resnets):
            if ascending:
                x = torch.cat([x, skips.pop()], 1)
            x = r(x, temb)
            if self.cross:
                x = self.attentions[i](x, ctx, index)
            if not ascending:
                skips.append(x)
        if self.down:
            x = self.downsamplers[0](x)
            skips.append(x)
        if self.up:
            x = self.upsamplers[0](x)
        return x


class UNetMid(nn.Module):
    def __init__(self, c, temb, cfg):
        super().__init__()
        g = cfg["norm_num_groups"]
        self.attentions = nn.ModuleList(
            [Transformer(c, cfg["cross_attention_dim"], cfg["attention_head_dim"], g)])
        self.resnets = nn.ModuleList(
            [ResnetBlock(c, c, g, cfg["norm_eps"], temb) for _ in range(2)])

    def forward(self, x, temb, ctx, index):
        x = self.attentions[0](self.resnets[0](x, temb), ctx, index)
        return self.resnets[1](x, temb)


class TimestepEmbedding(nn.Module):
    def __init__(self, c, temb):
        super().__init__()
        self.linear_1 = Linear(c, temb)
        self.linear_2 = Linear(temb, temb)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class UNet2DConditionModel(nn.Module):
    def __init__(self, cfg=UNET):
        super().__init__()
        ch, n = cfg["block_out_channels"], cfg["layers_per_block"]
        temb = 4 * ch[0]
        self.width = ch[0]
        self.conv_in = Conv(cfg["in_channels"], ch[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(ch[0], temb)
        skips, c, blocks = [ch[0]], ch[0], []
        for i, cout in enumerate(ch):
            last = i == len(ch) - 1
            blocks.append(UNetBlock([c] + [cout] * (n - 1), cout,
                                    "Cross" in cfg["down_block_types"][i], temb, cfg, down=not last))
            skips += [cout] * (n if last else n + 1)
            c = cout
        self.down_blocks = nn.ModuleList(blocks)
        self.mid_block = UNetMid(c, temb, cfg)
        blocks = []
        for i, cout in enumerate(ch[::-1]):
            ins = []
            for j in range(n + 1):
                ins.append((c if j == 0 else cout) + skips.pop())
            blocks.append(UNetBlock(ins, cout, "Cross" in cfg["up_block_types"][i], temb, cfg,
                                    up=i < len(ch) - 1))
            c = cout
        self.up_blocks = nn.ModuleList(blocks)
        self.conv_norm_out = Norm(cfg["norm_num_groups"], ch[0], cfg["norm_eps"])
        self.conv_out = Conv(ch[0], cfg["out_channels"], 3, padding=1)

    def forward(self, z, t, ctx, index=None):
        half = self.width // 2
        f = torch.exp(torch.arange(half, dtype=torch.float32) * (-math.log(10000.0) / half))
        a = t.float()[:, None] * f[None]
        temb = self.time_embedding(torch.cat([a.cos(), a.sin()], -1).to(z.dtype))
        x = self.conv_in(z)
        skips = [x]
        for b in self.down_blocks:
            x = b(x, temb, ctx, index, skips, False)
        x = self.mid_block(x, temb, ctx, index)
        for b in self.up_blocks:
            x = b(x, temb, ctx, index, skips, True)
        return self.conv_out(self.conv_norm_out(x, silu=True))


class ClipAttention(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.k_proj, self.v_proj = Linear(c, c), Linear(c, c)
        self.q_proj, self.out_proj = Linear(c, c), Linear(c, c)
        self.heads = heads

    def forward(self, x, mask):
        b, n, c = x.shape
        q, k, v = (p(x).reshape(b, n, self.heads, -1).transpose(1, 2)
                   for p in (self.q_proj, self.k_proj, self.v_proj))
        w = torch.softmax(q @ k.transpose(-1, -2) * (c // self.heads) ** -0.5 + mask, -1)
        return self.out_proj((w @ v).transpose(1, 2).reshape(b, n, c))


class ClipMlp(nn.Module):
    def __init__(self, c, inner):
        super().__init__()
        self.fc1, self.fc2 = Linear(c, inner), Linear(inner, c)

    def forward(self, x):
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h))


class ClipLayer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        c, eps = cfg["hidden_size"], cfg["layer_norm_eps"]
        self.self_attn = ClipAttention(c, cfg["num_attention_heads"])
        self.layer_norm1 = LNorm(c, eps)
        self.mlp = ClipMlp(c, cfg["intermediate_size"])
        self.layer_norm2 = LNorm(c, eps)

    def forward(self, x, mask):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class ClipEmbeddings(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.token_embedding = nn.Embedding(cfg["vocab_size"], cfg["hidden_size"])
        self.position_embedding = nn.Embedding(cfg["max_position_embeddings"], cfg["hidden_size"])
        nn.init.normal_(self.token_embedding.weight, std=0.2)
        nn.init.normal_(self.position_embedding.weight, std=0.1)

    def forward(self, ids):
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]


class ClipEncoder(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.layers = nn.ModuleList([ClipLayer(cfg) for _ in range(cfg["num_hidden_layers"])])


class ClipText(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embeddings = ClipEmbeddings(cfg)
        self.encoder = ClipEncoder(cfg)
        self.final_layer_norm = LNorm(cfg["hidden_size"], cfg["layer_norm_eps"])

    def forward(self, ids):
        n = ids.shape[1]
        mask = torch.full((n, n), float("-inf")).triu(1)
        x = self.embeddings(ids)
        for layer in self.encoder.layers:
            x = layer(x, mask)
        return self.final_layer_norm(x)


class CLIPTextModel(nn.Module):
    def __init__(self, cfg=TEXT):
        super().__init__()
        self.text_model = ClipText(cfg)

    def forward(self, ids):
        """Last hidden state, as Stable Diffusion 1.x uses it."""
        return self.text_model(ids)


def count(m):
    return sum(p.numel() for p in m.parameters())
