// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.tweedie.model.Golden;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Checks whole networks of a tiny model with their derivatives against PyTorch's values. They run launch by launch, captured and
 * replayed, and must give the same bytes each time.
 */
final class CudaNetworks {
    private CudaNetworks() {}

    static void unet(CudaDevice d, double tolerance) throws IOException {
        try (Golden g = new Golden(Golden.SD15)) {
            Map<String, Tensor> in = new HashMap<>();
            in.put("timestep", Tensor.of(g.raw("unet.timestep").shape(), g.raw("unet.timestep").doubles()));
            in.put("encoder_hidden_states", g.raw("unet.encoder_hidden_states"));
            all(d, g, g.unetProgram(g.image("unet.sample").shape(), 77), "unet", "sample", "out_sample", in, tolerance);
        }
    }

    static void autoencoder(CudaDevice d, double tolerance) throws IOException {
        try (Golden g = new Golden(Golden.SD15)) {
            all(d, g, g.decodeProgram(g.image("decode.latent").shape()), "decode", "latent", "image", new HashMap<>(), tolerance);
            all(d, g, g.encodeProgram(g.image("encode.image").shape()), "encode", "image", "mean", new HashMap<>(), tolerance);
        }
    }

    private static void all(CudaDevice d, Golden g, Program f, String module, String x, String y, Map<String, Tensor> in,
            double tolerance) {
        in.put(x, g.image(module + "." + x));
        check(d, module, f, in, y, g.image(module + "." + y), tolerance);
        in.put("cotangent", g.image(module + ".cotangent"));
        check(d, module + " vjp", Vjp.of(f, y, x), in, "grad", g.image(module + ".grad"), tolerance);
        in.remove("cotangent");
        in.put("tangent", g.image(module + ".tangent"));
        check(d, module + " jvp", Jvp.of(f, x, y), in, "jvp", g.image(module + ".jvp"), tolerance);
    }

    private static void check(CudaDevice d, String what, Program program, Map<String, Tensor> in, String output, Tensor golden,
            double tolerance) {
        try (CudaExecutable e = d.compile(Simplify.of(program))) {
            Tensor first = e.run(in).get(output);
            double gap = Golden.distance(first, golden);
            System.out.printf("cuda: %-12s %-5s %.1e from PyTorch%n", what, d.options.real(), gap);
            assertTrue(gap <= tolerance, what + " in " + d.options.real() + ": relative distance " + gap);
            for (int i = 0; i < 2; i++) {
                assertArrayEquals(first.floats(), e.run(in).get(output).floats(), 0f, what + " in " + d.options.real()
                        + " as a graph");
            }
        }
    }
}
