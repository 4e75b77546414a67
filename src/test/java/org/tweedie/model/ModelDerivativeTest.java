// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.nn.ResnetBlock;
import org.tweedie.nn.SpatialTransformer;
import org.tweedie.nn.VaeAttention;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.transform.DirectionCheck;
import org.tweedie.weights.Weights;

/**
 * Checks the derivatives of blocks and whole networks along a random direction, in double precision: J and its adjoint agree
 * with each other and with a central difference.
 */
class ModelDerivativeTest {
    static Stream<Path> tiny() {
        return Stream.of(Golden.SD15, Golden.SD21);
    }

    private static Map<String, Tensor> unetInputs(Program f) {
        Map<String, Tensor> in = new HashMap<>();
        in.put("sample", OpCase.random(f.input("sample").shape(), 1));
        in.put("timestep", Tensor.of(Shape.of(1), 421f));
        in.put("encoder_hidden_states", OpCase.random(f.input("encoder_hidden_states").shape(), 2));
        return in;
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void unet(Path folder) throws Exception {
        try (Golden g = new Golden(folder)) {
            Program f = g.unetProgram(Shape.of(1, 4, 8, 4), 5);
            DirectionCheck.first(f, unetInputs(f), "sample", "out_sample", 1e-6);
            DirectionCheck.first(f, unetInputs(f), "encoder_hidden_states", "out_sample", 1e-6);
            DirectionCheck.second(f, unetInputs(f), "sample", "out_sample", 1e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("tiny")
    void autoencoder(Path folder) throws Exception {
        try (Golden g = new Golden(folder)) {
            int factor = g.vae().factor();
            Program encode = g.encodeProgram(Shape.of(1, 4 * factor, 2 * factor, 3));
            Map<String, Tensor> image = Map.of("image", OpCase.random(encode.input("image").shape(), 1));
            DirectionCheck.first(encode, image, "image", "mean", 1e-6);
            DirectionCheck.first(encode, image, "image", "logvar", 1e-6);
            Program decode = g.decodeProgram(Shape.of(1, 4, 2, 4));
            Map<String, Tensor> latent = Map.of("latent", OpCase.random(decode.input("latent").shape(), 1));
            DirectionCheck.first(decode, latent, "latent", "image", 1e-6);
            DirectionCheck.second(decode, latent, "latent", "image", 1e-5);
        }
    }

    @Test
    void blocks() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Weights w = g.checkpoint.module("unet").weights();
            int c = w.take("down_blocks.0.resnets.0.conv1.bias", 32).shape().dim(0);
            ResnetBlock resnet = ResnetBlock.of(w.at("down_blocks.0.resnets.0"), c, c, 4 * c, 8, 1e-5);
            Tracer t = new Tracer("resnet");
            t.output("y", resnet.apply(t, t.input("x", Type.real(1, 3, 5, c)), t.input("temb", Type.real(1, 4 * c))));
            Program f = t.finish();
            Map<String, Tensor> in = Map.of("x", OpCase.random(Shape.of(1, 3, 5, c), 1), "temb",
                    OpCase.random(Shape.of(1, 4 * c), 2));
            DirectionCheck.first(f, in, "x", "y", 1e-6);
            DirectionCheck.first(f, in, "temb", "y", 1e-6);
            DirectionCheck.second(f, in, "x", "y", 1e-5);
            Tracer s = new Tracer("transformer");
            SpatialTransformer transformer = SpatialTransformer.of(w.at("down_blocks.0.attentions.0"), c, 32, 4, 8, 1, false);
            s.output("y", transformer.apply(s, s.input("x", Type.real(1, 3, 2, c)), s.input("context", Type.real(1, 7, 32))));
            Map<String, Tensor> both = Map.of("x", OpCase.random(Shape.of(1, 3, 2, c), 1), "context",
                    OpCase.random(Shape.of(1, 7, 32), 2));
            Program h = s.finish();
            DirectionCheck.first(h, both, "x", "y", 1e-6);
            DirectionCheck.first(h, both, "context", "y", 1e-6);
            DirectionCheck.second(h, both, "x", "y", 1e-5);
            vaeAttention(g);
        }
    }

    private static void vaeAttention(Golden g) throws Exception {
        Weights w = g.checkpoint.module("vae").weights().at("encoder.mid_block.attentions.0");
        int c = g.checkpoint.module("vae").config().integers("block_out_channels").getLast();
        VaeAttention attention = VaeAttention.of(w, c, g.checkpoint.module("vae").config().integer("norm_num_groups"));
        Tracer t = new Tracer("vae attention");
        t.output("y", attention.apply(t, t.input("x", Type.real(1, 3, 2, c))));
        Map<String, Tensor> in = Map.of("x", OpCase.random(Shape.of(1, 3, 2, c), 1));
        Program f = t.finish();
        DirectionCheck.first(f, in, "x", "y", 1e-6);
        DirectionCheck.second(f, in, "x", "y", 1e-5);
    }
}
