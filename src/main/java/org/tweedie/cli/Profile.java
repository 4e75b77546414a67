// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.model.StableDiffusion;
import org.tweedie.model.UNet;
import org.tweedie.program.Philox;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.op.Cost;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How long the UNet takes, forward and with its pull-back. */
@Command(name = "profile", sortOptions = false,
        description = {"Times the UNet forward and with its pull-back to the latent; prints medians in seconds, GFLOP/s and memory as one line.", ""},
        footerHeading = "%nExamples:%n", footer = "  tweedie profile --model DIR --height 16 --width 16 --batch 2 --repeat 20")
final class Profile implements Callable<Integer> {
    private static final int WARM_UP = 3;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder.")
    private Path folder;

    @Option(names = "--height", paramLabel = "N", required = true, description = "Of the latent.")
    private int height;

    @Option(names = "--width", paramLabel = "N", required = true, description = "Of the latent.")
    private int width;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "1", description = "Samples. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "20", description = "Timed runs, after a few that are not. Default: ${DEFAULT-VALUE}.")
    private int repeat;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || repeat < 1 || height < 1 || width < 1) {
            throw new IllegalArgumentException("profile: --height, --width, --batch and --repeat must be 1 or more");
        }
        try (StableDiffusion model = StableDiffusion.open(folder); Device device = engine.open()) {
            UNet unet = model.unet();
            Shape z = Shape.of(batch, height, width, unet.inChannels());
            Tracer t = new Tracer("unet");
            t.output("out_sample", unet.apply(t, t.input("sample", Type.real(z)), t.input("timestep", Type.real(batch)),
                    t.input("encoder_hidden_states", Type.real(batch, 77, unet.contextWidth()))));
            Program forward = Simplify.of(t.finish());
            Program vjp = Vjp.of(forward, "out_sample", "sample");
            Map<String, Tensor> in = inputs(forward);
            Timing f = time(device, forward, in);
            in.put("cotangent", noise(forward.output("out_sample").shape(), 3));
            Timing v = time(device, vjp, in);
            System.out.printf(Locale.ROOT, "latent=%s forward=%.4f forward_vjp=%.4f forward_gflops=%.0f forward_vjp_gflops=%.0f arena_mib=%d peak_rss_mib=%d%n",
                    z, f.seconds, v.seconds, forward.cost().flops() / f.seconds / 1e9, vjp.cost().flops() / v.seconds / 1e9, v.arena >> 20, peak() >> 20);
        }
        return 0;
    }

    private Map<String, Tensor> inputs(Program p) {
        Map<String, Tensor> in = new HashMap<>();
        in.put("sample", noise(p.input("sample").shape(), 1));
        in.put("timestep", Tensor.of(Shape.of(batch), filled(batch)));
        in.put("encoder_hidden_states", noise(p.input("encoder_hidden_states").shape(), 2));
        return in;
    }

    private static float[] filled(int n) {
        float[] x = new float[n];
        Arrays.fill(x, 501);
        return x;
    }

    private static Tensor noise(Shape s, int seed) {
        return new Philox(seed, Philox.Stream.INIT).normals(0, s);
    }

    private record Timing(double seconds, long arena) {}

    private Timing time(Device device, Program p, Map<String, Tensor> in) {
        try (Executable e = device.compile(p)) {
            double[] seconds = new double[repeat];
            for (int i = -WARM_UP; i < repeat; i++) {
                long start = System.nanoTime();
                e.run(in);
                if (i >= 0) {
                    seconds[i] = (System.nanoTime() - start) / 1e9;
                }
            }
            Arrays.sort(seconds);
            return new Timing(seconds[repeat / 2], e.arenaBytes());
        }
    }

    /** The most memory that this process has had resident, as Linux counts it. */
    private static long peak() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("/proc/self/status has no VmHWM line");
    }
}
