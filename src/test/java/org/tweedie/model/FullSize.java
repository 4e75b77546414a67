// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * The comparison of {@link GoldenTest} on a folder too large to be committed (weights-tools/golden/full_size.py writes it). Not a test: run by
 * hand, results in docs/numerics.md.
 */
public final class FullSize {
    private FullSize() {}

    public static void main(String[] args) throws Exception {
        try (Golden g = new Golden(Path.of(args[0])); Device d = Devices.open("cpu", 2)) {
            Tensor ids = g.raw("input_ids");
            line("text encoder", Golden.run(d, g.textProgram(ids.shape()), Map.of("input_ids", ids)).get("last_hidden_state"), g.raw("last_hidden_state"));
            Map<String, Tensor> in = new HashMap<>(Map.of("sample", g.image("unet.sample"), "encoder_hidden_states", g.raw("unet.encoder_hidden_states"),
                    "timestep", Tensor.of(g.raw("unet.timestep").shape(), g.raw("unet.timestep").doubles())));
            all(g, d, g.unetProgram(g.image("unet.sample").shape(), 77), "unet", in, "sample", "out_sample");
            in = Map.of("image", g.image("encode.image"));
            all(g, d, g.encodeProgram(g.image("encode.image").shape()), "encode", in, "image", "mean");
            in = Map.of("latent", g.image("decode.latent"));
            all(g, d, g.decodeProgram(g.image("decode.latent").shape()), "decode", in, "latent", "image");
        }
    }

    private static void all(Golden g, Device d, Program f, String module, Map<String, Tensor> in, String input, String output) {
        Map<String, Tensor> vjp = new HashMap<>(in);
        vjp.put("cotangent", g.image(module + ".cotangent"));
        Map<String, Tensor> out = Golden.run(d, Vjp.of(f, output, input), vjp);
        line(module, out.get(output), g.image(module + "." + output));
        line(module + " vjp", out.get("grad"), g.image(module + ".grad"));
        Map<String, Tensor> jvp = new HashMap<>(in);
        jvp.put("tangent", g.image(module + ".tangent"));
        line(module + " jvp", Golden.run(d, Jvp.of(f, input, output), jvp).get("jvp"), g.image(module + ".jvp"));
    }

    private static void line(String what, Tensor got, Tensor golden) {
        System.out.printf("%-14s %.1e%n", what, Golden.distance(got, golden));
    }
}
