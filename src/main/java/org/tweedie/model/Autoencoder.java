// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.tweedie.nn.Conv2d;
import org.tweedie.nn.GroupNorm;
import org.tweedie.nn.ResnetBlock;
import org.tweedie.nn.VaeAttention;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.Fn;
import org.tweedie.weights.Json;
import org.tweedie.weights.Weights;

/** Stable Diffusion's autoencoder (diffusers' AutoencoderKL): maps pictures in [-1,1] to unscaled latents and back. */
public final class Autoencoder {
    /** The resnets of a level and the convolution that changes the size after them (null at the last level). */
    private record Block(List<ResnetBlock> resnets, Conv2d resample) {}

    private record Mid(ResnetBlock first, VaeAttention attention, ResnetBlock second) {
        static Mid of(Weights w, int channels, int groups) {
            return new Mid(resnet(w.at("resnets.0"), channels, channels, groups),
                    VaeAttention.of(w.at("attentions.0"), channels, groups),
                    resnet(w.at("resnets.1"), channels, channels, groups));
        }

        Value apply(Tracer t, Value x) {
            return second.apply(t, attention.apply(t, first.apply(t, x, null)), null);
        }
    }

    private record Coder(Conv2d convIn, List<Block> blocks, Mid mid, GroupNorm convNormOut, Conv2d convOut) {}

    private final int latentChannels;
    private final double scalingFactor;
    private final Coder encoder;
    private final Conv2d quantConv;
    private final Conv2d postQuantConv;
    private final Coder decoder;

    /**
     * Builds the network.
     *
     * @throws IllegalArgumentException when the config has a setting that is not supported, or the weights do not fit the
     *         config
     */
    public Autoencoder(Json c, Weights w) {
        c.only("act_fn", "silu");
        c.only("mid_block_add_attention", true);
        c.only("use_quant_conv", true);
        c.only("use_post_quant_conv", true);
        requireBlocks(c, "down_block_types", "DownEncoderBlock2D");
        requireBlocks(c, "up_block_types", "UpDecoderBlock2D");
        latentChannels = c.integer("latent_channels");
        scalingFactor = c.number("scaling_factor", 0.18215);
        encoder = encoder(c, w.at("encoder"), 2 * latentChannels);
        quantConv = Conv2d.of(w.at("quant_conv"), 2 * latentChannels, 2 * latentChannels, 1, 1, 0);
        postQuantConv = Conv2d.of(w.at("post_quant_conv"), latentChannels, latentChannels, 1, 1, 0);
        decoder = decoder(c, w.at("decoder"), latentChannels);
        w.finish(Set.of());
    }

    private static void requireBlocks(Json c, String key, String type) {
        for (String s : c.texts(key)) {
            if (!s.equals(type)) {
                throw new IllegalArgumentException(c.where() + ": '" + key + "' expected " + type + " only, got " + s);
            }
        }
    }

    private static ResnetBlock resnet(Weights w, int in, int out, int groups) {
        return ResnetBlock.of(w, in, out, 0, groups, 1e-6);
    }

    private static Coder encoder(Json c, Weights w, int out) {
        List<Integer> width = c.integers("block_out_channels");
        int groups = c.integer("norm_num_groups", 32);
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < width.size(); i++) {
            Weights b = w.at("down_blocks." + i);
            int n = width.get(i);
            List<ResnetBlock> resnets = new ArrayList<>();
            for (int j = 0; j < c.integer("layers_per_block", 1); j++) {
                resnets.add(resnet(b.at("resnets." + j), j == 0 ? width.get(Math.max(i - 1, 0)) : n, n, groups));
            }
            // the encoder pads only at the bottom and on the right
            var halve = new Convolution(2, 0, 0, 1, 1);
            blocks.add(new Block(resnets, i == width.size() - 1 ? null : Conv2d.of(b.at("downsamplers.0.conv"), n, n, 3, halve)));
        }
        return new Coder(Conv2d.of(w.at("conv_in"), c.integer("in_channels", 3), width.getFirst(), 3, 1, 1), blocks,
                Mid.of(w.at("mid_block"), width.getLast(), groups),
                GroupNorm.of(w.at("conv_norm_out"), width.getLast(), groups, 1e-6),
                Conv2d.of(w.at("conv_out"), width.getLast(), out, 3, 1, 1));
    }

    private static Coder decoder(Json c, Weights w, int in) {
        List<Integer> width = c.integers("block_out_channels").reversed();
        int groups = c.integer("norm_num_groups", 32);
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < width.size(); i++) {
            Weights b = w.at("up_blocks." + i);
            int n = width.get(i);
            List<ResnetBlock> resnets = new ArrayList<>();
            for (int j = 0; j < c.integer("layers_per_block", 1) + 1; j++) {
                resnets.add(resnet(b.at("resnets." + j), j == 0 ? width.get(Math.max(i - 1, 0)) : n, n, groups));
            }
            blocks.add(new Block(resnets, i == width.size() - 1 ? null : Conv2d.of(b.at("upsamplers.0.conv"), n, n, 3, 1, 1)));
        }
        return new Coder(Conv2d.of(w.at("conv_in"), in, width.getFirst(), 3, 1, 1), blocks,
                Mid.of(w.at("mid_block"), width.getFirst(), groups),
                GroupNorm.of(w.at("conv_norm_out"), width.getLast(), groups, 1e-6),
                Conv2d.of(w.at("conv_out"), width.getLast(), c.integer("out_channels", 3), 3, 1, 1));
    }

    /** The number of pixels per latent position along each side. */
    public int factor() {
        return 1 << (encoder.blocks.size() - 1);
    }

    public int latentChannels() {
        return latentChannels;
    }

    /** The factor by which a latent is multiplied before the diffusion works on it. */
    public double scalingFactor() {
        return scalingFactor;
    }

    /** The distribution of a picture's latent that the encoder gives, [B,h,w,4] each. */
    public record Posterior(Value mean, Value logvar) {}

    /** Traces the encoder: image [B,H,W,3] in [-1,1] to the latent's mean and log variance. */
    public Posterior encode(Tracer t, Value image) {
        if (image.dim(1) % factor() != 0 || image.dim(2) % factor() != 0) {
            throw new IllegalArgumentException("autoencoder: image sides " + image.dim(2) + " x " + image.dim(1)
                    + " are not multiples of " + factor());
        }
        Value x = encoder.convIn.apply(t, image);
        for (Block b : encoder.blocks) {
            for (ResnetBlock r : b.resnets) {
                x = r.apply(t, x, null);
            }
            x = b.resample == null ? x : b.resample.apply(t, x); // [B,H/2,W/2,C]
        }
        x = encoder.convOut.apply(t, encoder.convNormOut.applySilu(t, encoder.mid.apply(t, x))); // [B,h,w,8]
        x = quantConv.apply(t, x);
        return new Posterior(t.slice(x, 3, 0, latentChannels),
                t.unary(Fn.LOGVAR_CLAMP, t.slice(x, 3, latentChannels, 2 * latentChannels)));
    }

    /** Traces the decoder: an unscaled latent [B,h,w,4] to a picture [B,H,W,3], not clamped. */
    public Value decode(Tracer t, Value latent) {
        Value x = decoder.mid.apply(t, decoder.convIn.apply(t, postQuantConv.apply(t, latent)));
        for (Block b : decoder.blocks) {
            for (ResnetBlock r : b.resnets) {
                x = r.apply(t, x, null);
            }
            x = b.resample == null ? x : b.resample.apply(t, t.upsample(x, 2)); // [B,2h,2w,C]
        }
        return decoder.convOut.apply(t, decoder.convNormOut.applySilu(t, x));
    }
}
