// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.tweedie.nn.LayerNorm;
import org.tweedie.nn.Linear;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.weights.Json;
import org.tweedie.weights.Weights;

/** CLIP's text encoder (transformers' CLIPTextModel): maps token ids to the hidden states after the final layer norm. */
public final class ClipText {
    /** A causal transformer layer. */
    private record Layer(LayerNorm layerNorm1, Linear q, Linear k, Linear v, Linear out, LayerNorm layerNorm2, Linear fc1,
            Linear fc2) {
        static Layer of(Weights w, int width, int inner, double eps) {
            Weights a = w.at("self_attn");
            return new Layer(LayerNorm.of(w.at("layer_norm1"), width, eps), Linear.of(a.at("q_proj"), width, width),
                    Linear.of(a.at("k_proj"), width, width), Linear.of(a.at("v_proj"), width, width),
                    Linear.of(a.at("out_proj"), width, width),
                    LayerNorm.of(w.at("layer_norm2"), width, eps), Linear.of(w.at("mlp.fc1"), width, inner),
                    Linear.of(w.at("mlp.fc2"), inner, width));
        }

        Value apply(Tracer t, Value x, int heads, Fn act) {
            Value n = layerNorm1.apply(t, x); // [B,N,C]
            Value o = t.attention(q.apply(t, n), k.apply(t, n), v.apply(t, n), heads, true);
            Value h = t.add(x, out.apply(t, o));
            return t.add(h, fc2.apply(t, t.unary(act, fc1.apply(t, layerNorm2.apply(t, h)))));
        }
    }

    private final int heads;
    private final Fn act;
    private final Tensor tokenEmbedding;
    private final Tensor positionEmbedding;
    private final List<Layer> layers;
    private final LayerNorm finalLayerNorm;

    /**
     * Builds the network.
     *
     * @throws IllegalArgumentException when the config has a setting that is not supported, or the weights do not fit the
     *         config
     */
    public ClipText(Json c, Weights weights) {
        int width = c.integer("hidden_size");
        double eps = c.number("layer_norm_eps", 1e-5);
        heads = c.integer("num_attention_heads");
        act = switch (c.text("hidden_act", "quick_gelu")) {
            case "quick_gelu" -> Fn.QUICK_GELU;
            case "gelu" -> Fn.GELU;
            default -> throw new IllegalArgumentException(c.where() + ": 'hidden_act' expected quick_gelu or gelu, got "
                    + c.text("hidden_act", ""));
        };
        Weights w = weights.at("text_model");
        tokenEmbedding = w.take("embeddings.token_embedding.weight", c.integer("vocab_size"), width);
        positionEmbedding = w.take("embeddings.position_embedding.weight", c.integer("max_position_embeddings"), width);
        layers = IntStream.range(0, c.integer("num_hidden_layers"))
                .mapToObj(i -> Layer.of(w.at("encoder.layers." + i), width, c.integer("intermediate_size"), eps)).toList();
        finalLayerNorm = LayerNorm.of(w.at("final_layer_norm"), width, eps);
        weights.finish(Set.of("text_model.embeddings.position_ids")); // a table of 0..76 that older files contain
    }

    /** The number of positions, which is the required length of the ids. */
    public int length() {
        return positionEmbedding.shape().dim(0);
    }

    public int width() {
        return positionEmbedding.shape().dim(1);
    }

    /** Traces the hidden states [B,77,C] of inputIds [B,77] (I64). */
    public Value apply(Tracer t, Value inputIds) {
        if (inputIds.dim(1) != length()) {
            throw new IllegalArgumentException("text encoder: expected " + length() + " token ids, got " + inputIds.dim(1));
        }
        Value x = t.gather(t.constant("token_embedding.weight", tokenEmbedding), inputIds); // [B,77,C]
        x = t.add(x, t.constant("position_embedding.weight", positionEmbedding));
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            Value h = x;
            x = t.scope("text_model.encoder.layers." + i, () -> layer.apply(t, h, heads, act));
        }
        return finalLayerNorm.apply(t, x);
    }
}
