// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.Model;
import org.tweedie.Session;
import org.tweedie.Tweedie;
import org.tweedie.device.OpCase;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.inverse.Restoration;
import org.tweedie.model.Golden;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Convolution;
import org.tweedie.solve.Solvers;
import org.tweedie.transform.Vjp;
import org.tweedie.workload.Workloads;

/** The number of threads does not show in any bit of a result, as on a machine with two processors and on one with eight. */
class ThreadCountTest {
    private static final Path DEMO = Path.of("weights-tools/demo-model");

    private static void assertSameOnAllThreads(String what, Program p, Map<String, Tensor> in) {
        for (int processors : new int[] {2, 8}) {
            Map<String, Tensor> expected = null;
            for (int threads = 1; threads <= 4; threads++) {
                Map<String, Tensor> got;
                try (CpuDevice d = CpuDevice.onMachine(processors, threads); CpuExecutable e = d.compile(p)) {
                    got = e.run(in);
                }
                for (String output : expected == null ? List.<String>of() : List.copyOf(expected.keySet())) {
                    assertArrayEquals(expected.get(output).floats(), got.get(output).floats(), 0f,
                            what + ", " + output + ", " + processors + " processors, " + threads + " threads");
                }
                expected = got;
            }
        }
    }

    /** Networks of the demo model with their derivatives, and the step with both gradients. */
    @ParameterizedTest
    @ValueSource(strings = {"inner-step", "unet-vjp", "unet-jvp", "decode-vjp", "encode-vjp", "text"})
    void networks(String program) throws Exception {
        try (CpuDevice device = new CpuDevice(1); Model model = Tweedie.open(DEMO, device)) {
            Workloads w = new Workloads(model, "sr:4", 16, 16);
            Program p = w.program(program, 1);
            assertSameOnAllThreads(program, p, w.inputs(p));
        }
    }

    /** An image side, the channels in and out, and the stride of a 3x3 convolution. */
    record Layer(int side, int in, int out, int stride) {}

    /** The sizes of SD 1.5: all its channels, at sides of the latent from 8 to 32. */
    static Stream<Layer> layers() {
        return Stream.of(new Layer(32, 4, 320, 1), new Layer(32, 320, 320, 1), new Layer(32, 320, 320, 2),
                new Layer(32, 960, 320, 1), new Layer(32, 640, 320, 1), new Layer(32, 320, 4, 1), new Layer(16, 320, 640, 1),
                new Layer(16, 640, 640, 1), new Layer(16, 1920, 640, 1), new Layer(16, 960, 640, 1), new Layer(8, 640, 1280, 1),
                new Layer(8, 1280, 1280, 1), new Layer(8, 2560, 1280, 1), new Layer(16, 1280, 1280, 2),
                new Layer(32, 512, 512, 1), new Layer(64, 256, 128, 1), new Layer(96, 128, 3, 1));
    }

    @ParameterizedTest
    @MethodSource("layers")
    void convolutionsOfTheSizesOfSd15(Layer l) {
        Tracer t = new Tracer("convolution");
        Value x = t.input("x", Type.real(1, l.side, l.side, l.in));
        Value w = t.constant("w", OpCase.random(Shape.of(l.out, l.in, 3, 3), 1));
        Value b = t.constant("b", OpCase.random(Shape.of(l.out), 2));
        t.output("y", t.conv2d(x, w, b, new Convolution(l.stride, 1, 1, 1, 1)));
        pulledBack(l.toString(), t.finish());
    }

    /** Products of SD 1.5: embeddings of the time and the text, projections, gated units; and attention over its heads. */
    @Test
    void productsOfTheSizesOfSd15() {
        for (int[] size : new int[][] {{1, 320, 1280}, {1, 1280, 640}, {77, 768, 320}, {77, 768, 1280}, {1024, 320, 320},
                {1024, 320, 2560}, {256, 2560, 640}, {64, 1280, 1280}, {64, 5120, 1280}, {64, 1280, 10240}}) {
            Tracer t = new Tracer("product");
            Value x = t.input("x", Type.real(size[0], size[1]));
            t.output("y", t.linear(x, t.constant("w", OpCase.random(Shape.of(size[2], size[1]), 1)), null));
            pulledBack("product of " + size[0] + " x " + size[1] + " x " + size[2], t.finish());
        }
        for (int[] size : new int[][] {{1024, 1024, 320}, {256, 256, 640}, {64, 77, 1280}}) {
            Tracer t = new Tracer("attention");
            Value x = t.input("x", Type.real(1, size[0], size[2]));
            Value k = t.constant("k", OpCase.random(Shape.of(1, size[1], size[2]), 1));
            t.output("y", t.attention(x, k, k, 8, false));
            pulledBack("attention of " + size[0] + " x " + size[1] + " x " + size[2], t.finish());
        }
    }

    private static void pulledBack(String what, Program forward) {
        Program p = Vjp.of(forward, "y", "x");
        Map<String, Tensor> in = new HashMap<>();
        p.inputs().forEach(i -> in.put(i.name(), OpCase.random(i.value().shape(), 3 + in.size())));
        assertSameOnAllThreads(what, p, in);
    }

    /** A whole restoration, on this machine as it is. */
    @Test
    void restorations() throws Exception {
        Image photo = ImageFile.read(Path.of("docs/longsleeve.png")).image().crop(40, 40, 32, 32);
        List<float[]> pictures = new ArrayList<>();
        for (int threads = 1; threads <= 4; threads++) {
            try (CpuDevice device = new CpuDevice(threads); Model model = Tweedie.open(Golden.SD15, device);
                    Session session = model.session(32, 32)) {
                Restoration r = session.restore(session.measure(photo, "sr:2", 0.01, 1), Solvers.of("stsl:steps=2,inner=2"));
                pictures.add(r.picture().data());
            }
        }
        for (float[] p : pictures) {
            assertArrayEquals(pictures.getFirst(), p, 0f);
        }
    }
}
