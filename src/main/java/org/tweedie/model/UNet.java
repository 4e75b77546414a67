// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.tweedie.nn.Conv2d;
import org.tweedie.nn.GroupNorm;
import org.tweedie.nn.ResnetBlock;
import org.tweedie.nn.SpatialTransformer;
import org.tweedie.nn.TimeEmbedding;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.weights.Json;
import org.tweedie.weights.Weights;

/**
 * The denoising network of Stable Diffusion 1.x and 2.x (diffusers' UNet2DConditionModel): maps a latent, a timestep and a
 * text to the predicted noise (or v, see the scheduler's prediction_type).
 */
public final class UNet {
    /** A level of the down or up path. If the block has cross-attention, a transformer follows each resnet. */
    private record Block(List<ResnetBlock> resnets, List<SpatialTransformer> attentions, Conv2d resample) {}

    private final int inChannels;
    private final int contextWidth;
    private final Conv2d convIn;
    private final TimeEmbedding timeEmbedding;
    private final List<Block> downBlocks = new ArrayList<>();
    private final Block midBlock;
    private final List<Block> upBlocks = new ArrayList<>();
    private final GroupNorm convNormOut;
    private final Conv2d convOut;

    /**
     * Builds the network.
     *
     * @throws IllegalArgumentException when the config has a setting that is not supported, or the weights do not fit the
     *         config
     */
    public UNet(Json c, Weights w) {
        requireSupported(c);
        Sizes s = Sizes.of(c);
        List<Integer> width = s.widths;
        inChannels = c.integer("in_channels");
        contextWidth = s.context;
        convIn = Conv2d.of(w.at("conv_in"), inChannels, width.getFirst(), 3, 1, 1);
        timeEmbedding = TimeEmbedding.of(w.at("time_embedding"), width.getFirst(), s.temb, c.flag("flip_sin_to_cos", true),
                c.number("freq_shift", 0));
        Deque<Integer> skips = new ArrayDeque<>(List.of(width.getFirst()));
        int in = width.getFirst();
        for (int i = 0; i < width.size(); i++) {
            downBlocks.add(down(w.at("down_blocks." + i), c.texts("down_block_types").get(i), s, i, in, skips));
            in = width.get(i);
        }
        midBlock = mid(w.at("mid_block"), s);
        for (int i = 0; i < width.size(); i++) {
            upBlocks.add(up(w.at("up_blocks." + i), c.texts("up_block_types").get(i), s, width.size() - 1 - i, in, skips));
            in = width.get(width.size() - 1 - i);
        }
        convNormOut = GroupNorm.of(w.at("conv_norm_out"), width.getFirst(), s.groups, s.eps);
        convOut = Conv2d.of(w.at("conv_out"), width.getFirst(), c.integer("out_channels"), 3, 1, 1);
        w.finish(Set.of());
    }

    /** The settings of the config for all levels. */
    private record Sizes(List<Integer> widths, List<Integer> heads, List<Integer> layers, List<Integer> depth, int temb,
            int context, int groups,
                         double eps, boolean linear) {
        static Sizes of(Json c) {
            List<Integer> widths = c.integers("block_out_channels");
            int n = widths.size();
            // diffusers calls the number of heads attention_head_dim in these models
            List<Integer> heads = c.integers(c.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", n);
            return new Sizes(widths, heads, c.has("layers_per_block") ? c.integers("layers_per_block", n)
                    : java.util.Collections.nCopies(n, 2),
                    c.has("transformer_layers_per_block") ? c.integers("transformer_layers_per_block", n)
                    : java.util.Collections.nCopies(n, 1),
                    4 * widths.getFirst(), c.integer("cross_attention_dim"), c.integer("norm_num_groups", 32),
                    c.number("norm_eps", 1e-5),
                    c.flag("use_linear_projection", false));
        }

        SpatialTransformer transformer(Weights w, int level) {
            return SpatialTransformer.of(w, widths.get(level), context, heads.get(level), groups, depth.get(level), linear);
        }
    }

    private static void requireSupported(Json c) {
        c.only("act_fn", "silu");
        c.only("center_input_sample", false);
        c.only("dual_cross_attention", false);
        c.only("only_cross_attention", false);
        c.only("mid_block_scale_factor", 1);
        c.only("downsample_padding", 1);
        c.only("resnet_time_scale_shift", "default");
        c.only("time_embedding_type", "positional");
        c.only("mid_block_type", "UNetMidBlock2DCrossAttn");
        for (String key : List.of("class_embed_type", "addition_embed_type", "encoder_hid_dim", "time_cond_proj_dim",
                "num_class_embeds",
                "cross_attention_norm", "timestep_post_act")) {
            if (c.has(key)) {
                c.only(key, "null");
            }
        }
    }

    private static boolean hasAttention(Weights w, String type) {
        return switch (type) {
            case "CrossAttnDownBlock2D", "CrossAttnUpBlock2D" -> true;
            case "DownBlock2D", "UpBlock2D" -> false;
            default -> throw new IllegalArgumentException(w.prefix() + ": block type '" + type
                    + "' is not supported; known are DownBlock2D, CrossAttnDownBlock2D, UpBlock2D, CrossAttnUpBlock2D");
        };
    }

    private static Block down(Weights w, String type, Sizes s, int level, int in, Deque<Integer> skips) {
        boolean attention = hasAttention(w, type);
        int out = s.widths.get(level);
        List<ResnetBlock> resnets = new ArrayList<>();
        List<SpatialTransformer> attentions = new ArrayList<>();
        for (int j = 0; j < s.layers.get(level); j++) {
            resnets.add(ResnetBlock.of(w.at("resnets." + j), j == 0 ? in : out, out, s.temb, s.groups, s.eps));
            if (attention) {
                attentions.add(s.transformer(w.at("attentions." + j), level));
            }
            skips.push(out);
        }
        boolean last = level == s.widths.size() - 1;
        if (!last) {
            skips.push(out);
        }
        return new Block(resnets, attentions, last ? null : Conv2d.of(w.at("downsamplers.0.conv"), out, out, 3, 2, 1));
    }

    private static Block mid(Weights w, Sizes s) {
        int level = s.widths.size() - 1;
        int c = s.widths.get(level);
        return new Block(List.of(ResnetBlock.of(w.at("resnets.0"), c, c, s.temb, s.groups, s.eps),
                ResnetBlock.of(w.at("resnets.1"), c, c, s.temb, s.groups, s.eps)),
                List.of(s.transformer(w.at("attentions.0"), level)), null);
    }

    private static Block up(Weights w, String type, Sizes s, int level, int in, Deque<Integer> skips) {
        boolean attention = hasAttention(w, type);
        int out = s.widths.get(level);
        List<ResnetBlock> resnets = new ArrayList<>();
        List<SpatialTransformer> attentions = new ArrayList<>();
        for (int j = 0; j < s.layers.get(level) + 1; j++) {
            resnets.add(ResnetBlock.of(w.at("resnets." + j), (j == 0 ? in : out) + skips.pop(), out, s.temb, s.groups, s.eps));
            if (attention) {
                attentions.add(s.transformer(w.at("attentions." + j), level));
            }
        }
        return new Block(resnets, attentions, level == 0 ? null : Conv2d.of(w.at("upsamplers.0.conv"), out, out, 3, 1, 1));
    }

    /** The number of channels of the latent. */
    public int inChannels() {
        return inChannels;
    }

    /** The width of the text's hidden states. */
    public int contextWidth() {
        return contextWidth;
    }

    /** The number that must divide both sides of a latent. */
    public int stride() {
        return 1 << (downBlocks.size() - 1);
    }

    /**
     * Traces the network: sample [B,h,w,4], timestep [B] and encoderHiddenStates [B,77,C] to [B,h,w,4].
     *
     * @throws IllegalArgumentException when the latent's sides are not multiples of {@link #stride}
     */
    public Value apply(Tracer t, Value sample, Value timestep, Value encoderHiddenStates) {
        if (sample.dim(1) % stride() != 0 || sample.dim(2) % stride() != 0) {
            throw new IllegalArgumentException("unet: latent sides " + sample.dim(1) + " x " + sample.dim(2)
                    + " are not multiples of " + stride());
        }
        Value temb = timeEmbedding.apply(t, timestep); // [B,temb]
        Value x = convIn.apply(t, sample); // [B,h,w,C0]
        Deque<Value> skips = new ArrayDeque<>(List.of(x));
        for (Block b : downBlocks) {
            for (int j = 0; j < b.resnets.size(); j++) {
                x = layer(t, b, j, x, temb, encoderHiddenStates);
                skips.push(x);
            }
            if (b.resample != null) {
                x = b.resample.apply(t, x); // [B,h/2,w/2,C]
                skips.push(x);
            }
        }
        x = layer(t, midBlock, 0, x, temb, encoderHiddenStates);
        x = midBlock.resnets.get(1).apply(t, x, temb);
        for (Block b : upBlocks) {
            for (int j = 0; j < b.resnets.size(); j++) {
                x = layer(t, b, j, t.concat(3, x, skips.pop()), temb, encoderHiddenStates);
            }
            if (b.resample != null) {
                x = b.resample.apply(t, t.upsample(x, 2)); // [B,2h,2w,C]
            }
        }
        return convOut.apply(t, convNormOut.applySilu(t, x));
    }

    private static Value layer(Tracer t, Block b, int j, Value x, Value temb, Value context) {
        Value h = b.resnets.get(j).apply(t, x, temb);
        return b.attentions.isEmpty() ? h : b.attentions.get(j).apply(t, h, context);
    }
}
