# SPDX-License-Identifier: Apache-2.0
"""Stable Diffusion 1.5's U-Net and autoencoder in plain PyTorch, with weights drawn at random: for timing where diffusers is not installed.

The modules bear the names of the checkpoint's tensors. `python bench/peers/sd15.py` counts the parameters, and where diffusers can be imported
also copies weights over and compares outputs and gradients. Last done on 2026-11-24 with diffusers 0.40.0.dev0 and torch 2.13.0+cpu: parameters
equal, largest relative distance 1.9e-7 (tiny, F64; diffusers' time embedding is F32 all the same) and 1.6e-6 (full size, F32).
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

UNET_PARAMETERS = 859_520_964
DECODER_PARAMETERS = 49_490_199  # with post_quant_conv
ENCODER_PARAMETERS = 34_163_664  # with quant_conv
SCALING_FACTOR = 0.18215


class Resnet(nn.Module):
    def __init__(self, cin, cout, temb, groups, eps):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, cin, eps)
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.time_emb_proj = nn.Linear(temb, cout) if temb else None
        self.norm2 = nn.GroupNorm(groups, cout, eps)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else None

    def forward(self, x, temb=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if self.time_emb_proj is not None:
            h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    def __init__(self, width, context, heads, bias):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=bias)
        self.to_k = nn.Linear(context, width, bias=bias)
        self.to_v = nn.Linear(context, width, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x, context=None):
        context = x if context is None else context
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B,heads,N,d]
        o = F.scaled_dot_product_attention(split(self.to_q(x)), split(self.to_k(context)), split(self.to_v(context)))
        return self.to_out[0](o.transpose(1, 2).flatten(2))


class Geglu(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x):
        h, gate = self.proj(x).chunk(2, -1)
        return h * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.ModuleList([Geglu(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class Block(nn.Module):
    def __init__(self, width, context, heads):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn1 = Attention(width, width, heads, bias=False)
        self.attn2 = Attention(width, context, heads, bias=False)
        self.ff = FeedForward(width)

    def forward(self, x, context):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, width, context, heads, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, 1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([Block(width, context, heads)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x, context):
        h = self.proj_in(self.norm(x))
        tokens = h.permute(0, 2, 3, 1).flatten(1, 2)  # [B,hw,C]: a view where channels lie last
        for b in self.transformer_blocks:
            tokens = b(tokens, context)
        h = tokens.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
        return x + self.proj_out(h)


class Resample(nn.Module):
    def __init__(self, width, stride, padding):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=stride, padding=padding)


class Level(nn.Module):
    """Resnets, transformers behind them where there are some, and the convolution that changes the size."""

    def __init__(self, resnets, attentions, down=None, up=None):
        super().__init__()
        self.resnets = nn.ModuleList(resnets)
        self.attentions = nn.ModuleList(attentions)
        if down is not None:
            self.downsamplers = nn.ModuleList([down])
        if up is not None:
            self.upsamplers = nn.ModuleList([up])

    def layer(self, j, x, temb, context):
        x = self.resnets[j](x, temb)
        return self.attentions[j](x, context) if len(self.attentions) else x

    def enlarged(self, x):
        return self.upsamplers[0].conv(F.interpolate(x, scale_factor=2.0, mode="nearest")) if hasattr(self, "upsamplers") else x


class UNet(nn.Module):
    def __init__(self, widths=(320, 640, 1280, 1280), context=768, heads=8, groups=32):
        super().__init__()
        temb, n = 4 * widths[0], len(widths)
        resnet = lambda cin, cout: Resnet(cin, cout, temb, groups, 1e-5)
        transformer = lambda i: Transformer(widths[i], context, heads, groups)
        self.conv_in = nn.Conv2d(4, widths[0], 3, padding=1)
        self.time_embedding = nn.ModuleDict({"linear_1": nn.Linear(widths[0], temb), "linear_2": nn.Linear(temb, temb)})
        skips, cin, downs, ups = [widths[0]], widths[0], [], []
        for i, w in enumerate(widths):
            last = i == n - 1
            downs.append(Level([resnet(cin, w), resnet(w, w)], [] if last else [transformer(i), transformer(i)],
                               down=None if last else Resample(w, 2, 1)))
            skips += [w, w] + ([] if last else [w])
            cin = w
        self.down_blocks = nn.ModuleList(downs)
        self.mid_block = Level([resnet(cin, cin), resnet(cin, cin)], [transformer(n - 1)])
        for i in reversed(range(n)):
            w, resnets = widths[i], []
            for _ in range(3):
                resnets.append(resnet(cin + skips.pop(), w))
                cin = w
            ups.append(Level(resnets, [] if i == n - 1 else [transformer(i) for _ in range(3)], up=None if i == 0 else Resample(w, 1, 1)))
        self.up_blocks = nn.ModuleList(ups)
        self.conv_norm_out = nn.GroupNorm(groups, widths[0], 1e-5)
        self.conv_out = nn.Conv2d(widths[0], 4, 3, padding=1)

    def temb(self, timestep, dtype):
        half = self.conv_in.out_channels // 2
        wide = torch.promote_types(torch.float32, dtype)
        angle = timestep.to(wide)[:, None] * torch.exp(-math.log(10000) / half * torch.arange(half, device=timestep.device, dtype=wide))
        e = torch.cat([angle.cos(), angle.sin()], -1).to(dtype)
        return self.time_embedding["linear_2"](F.silu(self.time_embedding["linear_1"](e)))

    def forward(self, x, timestep, context):
        temb = self.temb(timestep, x.dtype)
        x = self.conv_in(x)
        skips = [x]
        for level in self.down_blocks:
            for j in range(2):
                x = level.layer(j, x, temb, context)
                skips.append(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0].conv(x)
                skips.append(x)
        x = self.mid_block.resnets[0](x, temb)
        x = self.mid_block.resnets[1](self.mid_block.attentions[0](x, context), temb)
        for level in self.up_blocks:
            for j in range(3):
                x = level.layer(j, torch.cat([x, skips.pop()], 1), temb, context)
            x = level.enlarged(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class VaeAttention(nn.Module):
    def __init__(self, width, groups):
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, width, 1e-6)
        self.to_q, self.to_k, self.to_v = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x):
        t = self.group_norm(x).permute(0, 2, 3, 1).flatten(1, 2)[:, None]  # [B,1,hw,C]: one head
        o = F.scaled_dot_product_attention(self.to_q(t), self.to_k(t), self.to_v(t))[:, 0]
        return x + self.to_out[0](o).unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)


class Coder(nn.Module):
    """Either half of the autoencoder."""

    def __init__(self, widths, cin, cout, layers, groups, encodes):
        super().__init__()
        resnet = lambda a, b: Resnet(a, b, 0, groups, 1e-6)
        width, levels = widths[0], []
        for i, w in enumerate(widths):
            last = i == len(widths) - 1
            resnets = [resnet(width if j == 0 else w, w) for j in range(layers)]
            levels.append(Level(resnets, [], down=Resample(w, 2, 0) if encodes and not last else None,
                                up=Resample(w, 1, 1) if not encodes and not last else None))
            width = w
        middle = widths[-1] if encodes else widths[0]
        self.conv_in = nn.Conv2d(cin, widths[0], 3, padding=1)
        setattr(self, "down_blocks" if encodes else "up_blocks", nn.ModuleList(levels))
        self.mid_block = Level([resnet(middle, middle), resnet(middle, middle)], [VaeAttention(middle, groups)])
        self.conv_norm_out = nn.GroupNorm(groups, widths[-1], 1e-6)
        self.conv_out = nn.Conv2d(widths[-1], cout, 3, padding=1)

    def middle(self, x):
        return self.mid_block.resnets[1](self.mid_block.attentions[0](self.mid_block.resnets[0](x)))

    def forward(self, x):
        x = self.conv_in(x)
        if hasattr(self, "up_blocks"):
            x = self.middle(x)
        for level in getattr(self, "up_blocks", None) or self.down_blocks:
            for r in level.resnets:
                x = r(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0].conv(F.pad(x, (0, 1, 0, 1)))
            x = level.enlarged(x)
        if hasattr(self, "down_blocks"):
            x = self.middle(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Autoencoder(nn.Module):
    def __init__(self, widths=(128, 256, 512, 512), groups=32, layers=2):
        super().__init__()
        self.encoder = Coder(widths, 3, 8, layers, groups, True)
        self.decoder = Coder(widths[::-1], 4, 3, layers + 1, groups, False)
        self.quant_conv = nn.Conv2d(8, 8, 1)
        self.post_quant_conv = nn.Conv2d(4, 4, 1)

    def encode(self, image):
        """The mean of the latent."""
        return self.quant_conv(self.encoder(image)).chunk(2, 1)[0]

    def decode(self, latent):
        return self.decoder(self.post_quant_conv(latent))


TINY_UNET = dict(widths=(32, 64, 64, 64), context=24, heads=4, groups=8)
TINY_VAE = dict(widths=(16, 32, 32, 32), groups=8)


def parameters(*modules):
    return sum(p.numel() for m in modules for p in m.parameters())


def _distance(a, b):
    return float(((a - b).norm() / b.norm()).detach())


def _compare(tiny, dtype):
    """The largest relative distance of outputs and gradients from diffusers' on the same weights."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    down = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
    up = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
    widths = TINY_UNET["widths"] if tiny else (320, 640, 1280, 1280)
    theirs = UNet2DConditionModel(block_out_channels=widths, cross_attention_dim=24 if tiny else 768, attention_head_dim=4 if tiny else 8,
                                  norm_num_groups=8 if tiny else 32, down_block_types=down, up_block_types=up).to(dtype).requires_grad_(False)
    ours = UNet(**TINY_UNET if tiny else {}).to(dtype).requires_grad_(False)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x, t = torch.randn(2, 4, 16, 16, dtype=dtype, requires_grad=True), torch.tensor([501, 3])
    text, c = torch.randn(2, 77, 24 if tiny else 768, dtype=dtype), torch.randn(2, 4, 16, 16, dtype=dtype)
    a, b = ours(x, t, text), theirs(x, t, text).sample
    worst = [_distance(a, b), _distance(torch.autograd.grad(a, x, c)[0], torch.autograd.grad(b, x, c)[0])]
    widths = TINY_VAE["widths"] if tiny else (128, 256, 512, 512)
    theirs = AutoencoderKL(block_out_channels=widths, layers_per_block=2, norm_num_groups=8 if tiny else 32, latent_channels=4,
                           down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4).to(dtype).requires_grad_(False)
    ours = Autoencoder(**TINY_VAE if tiny else {}).to(dtype).requires_grad_(False)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image, latent = torch.randn(1, 3, 64, 64, dtype=dtype), torch.randn(1, 4, 8, 8, dtype=dtype)
    worst += [_distance(ours.encode(image), theirs.encode(image).latent_dist.mean), _distance(ours.decode(latent), theirs.decode(latent).sample)]
    return max(worst)


def main():
    with torch.device("meta"):
        unet, vae = UNet(), Autoencoder()
    got = (parameters(unet), parameters(vae.decoder, vae.post_quant_conv), parameters(vae.encoder, vae.quant_conv))
    assert got == (UNET_PARAMETERS, DECODER_PARAMETERS, ENCODER_PARAMETERS), got
    print("parameters:", *got)
    try:
        import diffusers
    except ImportError as e:
        print("not compared with diffusers:", e)
        return
    torch.manual_seed(1)
    print(f"diffusers {diffusers.__version__}, torch {torch.__version__}: largest relative distance of outputs and gradients: "
          f"{_compare(True, torch.float64):.1e} (tiny, F64), {_compare(False, torch.float32):.1e} (full size, F32)")


if __name__ == "__main__":
    main()
