// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/**
 * Runs the comparison of {@link GoldenTest} on a folder that is too large to be committed, which
 * weights-tools/golden/full_size.py writes. It runs only if the folder is given:
 * {@code mvn -Dtest=FullSizeTest -Dtweedie.full.size=FOLDER test}; its results are in docs/numerics.md.
 */
@Tag("full-size")
class FullSizeTest {
    private static final String FOLDER = System.getProperty("tweedie.full.size");

    @Test
    void networksAndDerivatives() throws Exception {
        if (FOLDER == null) {
            System.out.println("skipped: no full-size model and its golden values; -Dtweedie.full.size=FOLDER names them");
        }
        assumeTrue(FOLDER != null, "no folder of a full-size model and its golden values");
        try (Golden g = new Golden(Path.of(FOLDER)); Device d = Devices.open("cpu", 2)) {
            Tensor ids = g.raw("input_ids");
            Tensor hidden = Golden.run(d, g.textProgram(ids.shape()), Map.of("input_ids", ids)).get("last_hidden_state");
            GoldenTest.close("text encoder", hidden, g.raw("last_hidden_state"), GoldenTest.FORWARD);
            Map<String, Tensor> in = new HashMap<>(Map.of("sample", g.image("unet.sample"), "encoder_hidden_states",
                    g.raw("unet.encoder_hidden_states"),
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
        GoldenTest.close(module, out.get(output), g.image(module + "." + output), GoldenTest.FORWARD);
        GoldenTest.close(module + " vjp", out.get("grad"), g.image(module + ".grad"), GoldenTest.DERIVATIVE);
        Map<String, Tensor> jvp = new HashMap<>(in);
        jvp.put("tangent", g.image(module + ".tangent"));
        GoldenTest.close(module + " jvp", Golden.run(d, Jvp.of(f, input, output), jvp).get("jvp"), g.image(module + ".jvp"),
                GoldenTest.DERIVATIVE);
    }
}
