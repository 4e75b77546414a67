// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.cli.console.Faults;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/**
 * Compares the output files of {@code run}, in PyTorch's layouts, with the results of diffusers and transformers for the same
 * inputs.
 */
class RunTest {
    private static final Path GOLDEN = Path.of(Cli.TINY, "golden", "golden.safetensors");

    @TempDir
    Path folder;

    static Stream<Arguments> modules() {
        return Stream.of(
                Arguments.of("text_encoder", "", Map.of("input_ids", "input_ids"),
                        Map.of("last_hidden_state", "last_hidden_state"), 1e-5),
                Arguments.of("unet", "", Map.of("sample", "unet.sample", "timestep", "unet.timestep", "encoder_hidden_states",
                        "unet.encoder_hidden_states"), Map.of("out_sample", "unet.out_sample"), 1e-5),
                Arguments.of("unet", "vjp", Map.of("sample", "unet.sample", "timestep", "unet.timestep", "encoder_hidden_states",
                        "unet.encoder_hidden_states", "cotangent", "unet.cotangent"), Map.of("grad", "unet.grad"), 1e-4),
                Arguments.of("unet", "jvp", Map.of("sample", "unet.sample", "timestep", "unet.timestep", "encoder_hidden_states",
                        "unet.encoder_hidden_states", "tangent", "unet.tangent"), Map.of("jvp", "unet.jvp"), 1e-4),
                Arguments.of("encode", "", Map.of("image", "encode.image"),
                        Map.of("mean", "encode.mean", "logvar", "encode.logvar"), 1e-5),
                Arguments.of("encode", "vjp", Map.of("image", "encode.image", "cotangent", "encode.cotangent"),
                        Map.of("grad", "encode.grad"), 1e-4),
                Arguments.of("encode", "jvp", Map.of("image", "encode.image", "tangent", "encode.tangent"),
                        Map.of("jvp", "encode.jvp"), 1e-4),
                Arguments.of("decode", "", Map.of("latent", "decode.latent"), Map.of("image", "decode.image"), 1e-5),
                Arguments.of("decode", "vjp", Map.of("latent", "decode.latent", "cotangent", "decode.cotangent"),
                        Map.of("grad", "decode.grad"), 1e-4),
                Arguments.of("decode", "jvp", Map.of("latent", "decode.latent", "tangent", "decode.tangent"),
                        Map.of("jvp", "decode.jvp"), 1e-4));
    }

    @ParameterizedTest
    @MethodSource("modules")
    void equalsTheGoldenValues(String module, String derivative, Map<String, String> inputs, Map<String, String> outputs,
            double tolerance)
            throws IOException {
        try (SafeTensors golden = SafeTensors.open(GOLDEN)) {
            Map<String, Tensor> in = new HashMap<>();
            inputs.forEach((name, key) -> in.put(name, golden.tensor(key)));
            try (SafeTensors got = derivative.isEmpty() ? run(in, module) : run(in, module, "--" + derivative)) {
                assertEquals(outputs.keySet(), got.tensors().keySet());
                outputs.forEach((name, key) -> {
                    double d = distance(got.tensor(name), golden.tensor(key));
                    assertTrue(d <= tolerance, module + " " + derivative + " " + name + ": relative distance " + d);
                });
            }
        }
    }

    @Test
    void timeIsToldByOpAndByEvaluation() throws IOException {
        try (SafeTensors golden = SafeTensors.open(GOLDEN)) {
            Path file = folder.resolve("latent.safetensors");
            SafeTensors.write(file, Map.of("latent", golden.tensor("decode.latent")), Map.of());
            Cli c = Cli.succeed("run", "decode", "--model", Cli.TINY, "--in", file.toString(), "-o",
                    folder.resolve("y.safetensors").toString(), "--time");
            assertTrue(c.err().contains("network evaluation")
                    && c.err().lines().anyMatch(l -> l.matches("decode +1 +[0-9.]+ +[0-9.]+ +[0-9.]+")), c.err());
            assertTrue(c.err().lines().anyMatch(l -> l.matches("decode +Convolution .*[0-9.]+ %.*")), c.err());
            assertTrue(c.err().contains("best, measured just now: "), c.err());
        }
    }

    private SafeTensors run(Map<String, Tensor> in, String module, String... options) throws IOException {
        Path file = folder.resolve("in.safetensors");
        Path out = folder.resolve("out.safetensors");
        SafeTensors.write(file, in, Map.of());
        Cli c = Cli.succeed(Stream.concat(Stream.of("run", module, "--model", Cli.TINY, "--in", file.toString(), "-o",
                out.toString(), "--threads", "1"),
                Stream.of(options)).toArray(String[]::new));
        assertEquals(out.toString(), c.words().get("written"));
        return SafeTensors.open(out);
    }

    private static double distance(Tensor got, Tensor expected) {
        assertEquals(expected.shape(), got.shape());
        double difference = 0;
        double norm = 0;
        for (long i = 0; i < got.size(); i++) {
            difference += Math.pow(got.get(i) - expected.get(i), 2);
            norm += Math.pow(expected.get(i), 2);
        }
        return Math.sqrt(difference / norm);
    }

    private static Tensor normal(long seed, int... dims) {
        return new Philox(seed, Philox.Stream.INIT).normals(0, Shape.of(dims));
    }

    private static Map<String, Tensor> lossInputs(Tensor z) {
        int b = z.shape().dim(0);
        return new HashMap<>(Map.of("z", z, "timestep", Tensor.of(Shape.of(b), b == 1 ? new long[] {401} : new long[] {401, 21}),
                "encoder_hidden_states", normal(2, b, 77, 32), "probe", normal(3, b, 4, 8, 8), "measurement",
                normal(4, b, 3, 16, 16)));
    }

    @Test
    void theSurrogatesGradientIsThatOfItsTerms() throws IOException {
        Tensor z = normal(1, 1, 4, 8, 8);
        Tensor direction = normal(5, 1, 4, 8, 8);
        double eta = 0.5;
        double step = 1e-4;
        String[] options = {"--task", "sr:2", "--eta", "0.5", "--lambda", "0.7", "--device", "reference"};
        double slope;
        try (SafeTensors at = run(lossInputs(z), "surrogate", options)) {
            assertEquals(Set.of("data", "trace", "grad"), at.tensors().keySet());
            assertEquals(Shape.of(1), at.tensor("data").shape());
            slope = dot(at.tensor("grad"), direction);
        }
        double up = loss(moved(z, direction, step), eta, options);
        double down = loss(moved(z, direction, -step), eta, options);
        assertEquals((up - down) / (2 * step), slope, 1e-5 * Math.abs(slope));
    }

    private double loss(Tensor z, double eta, String... options) throws IOException {
        try (SafeTensors at = run(lossInputs(z), "surrogate", options)) {
            return 0.7 * at.tensor("data").get(0) + eta / z.size() * at.tensor("trace").get(0);
        }
    }

    private static Tensor moved(Tensor z, Tensor direction, double step) {
        double[] out = z.doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] += step * direction.get(i);
        }
        return Tensor.of(z.shape(), out);
    }

    private static double dot(Tensor x, Tensor y) {
        double sum = 0;
        for (long i = 0; i < x.size(); i++) {
            sum += x.get(i) * y.get(i);
        }
        return sum;
    }

    @Test
    void samplesOfABatchDoNotMix() throws IOException {
        Map<String, Tensor> both = lossInputs(normal(1, 2, 4, 8, 8));
        Map<String, Tensor> second = new HashMap<>();
        both.forEach((name, x) -> second.put(name, half(x)));
        double data;
        double trace;
        try (SafeTensors out = run(both, "surrogate", "--task", "sr:2")) {
            assertEquals(Shape.of(2, 4, 8, 8), out.tensor("grad").shape());
            data = out.tensor("data").get(1);
            trace = out.tensor("trace").get(1);
        }
        try (SafeTensors out = run(second, "surrogate", "--task", "sr:2")) {
            assertEquals(data, out.tensor("data").get(0));
            assertEquals(trace, out.tensor("trace").get(0));
        }
    }

    private static Tensor half(Tensor x) {
        Shape one = x.shape().with(0, 1);
        long bytes = one.size() * x.dtype().bytes();
        return new Tensor(x.dtype(), one, x.data().asSlice(bytes, bytes));
    }

    @Test
    void aWrongTensorIsNamedWithItsExpectedShape() throws IOException {
        Map<String, Tensor> in = new HashMap<>(Map.of("sample", normal(1, 2, 4, 8, 8), "timestep", normal(1, 1),
                "encoder_hidden_states", normal(1, 2, 77, 32)));
        assertFault(in, "tensor 'timestep' expected [B] with B=2 as in 'sample', got F32[1]");
        in.put("timestep", normal(1, 2));
        in.put("sample", normal(1, 2, 3, 8, 8));
        assertFault(in, "tensor 'sample' expected [B,4,h,w], got F32[2,3,8,8]");
        in.remove("sample");
        assertFault(in, "tensor 'sample' [B,4,h,w] is missing; there are ");
        in.put("sample", normal(1, 2, 4, 6, 8));
        assertFault(in, "latent sides 6 x 8 are not multiples of 4");
    }

    private void assertFault(Map<String, Tensor> in, String expected) throws IOException {
        Path file = folder.resolve("in.safetensors");
        SafeTensors.write(file, in, Map.of());
        String fault = Cli.run("run", "unet", "--model", Cli.TINY, "--in", file.toString(), "-o", Cli.in(folder, "o.safetensors"))
                .fault(Faults.MISUSED);
        assertTrue(fault.contains(expected), fault);
    }
}
