// SPDX-License-Identifier: Apache-2.0
package org.tweedie.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.device.Executable;
import org.tweedie.device.OpCase;
import org.tweedie.model.StableDiffusion;
import org.tweedie.model.UNet;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.transform.Simplify;

/**
 * One call of the demo model's UNet on two latents of 128 px, by the CPU device on all processors, copies in and out included.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class NetworkBenchmark {
    private StableDiffusion model;
    private Device device;
    private Executable unet;
    private Map<String, Tensor> inputs;

    @Setup
    public void compile() throws IOException {
        model = StableDiffusion.open(Path.of("weights-tools/demo-model"));
        UNet net = model.unet();
        Shape latent = Shape.of(2, 16, 16, net.inChannels());
        Shape text = Shape.of(2, 77, net.contextWidth());
        Tracer t = new Tracer("unet");
        t.output("out_sample", net.apply(t, t.input("sample", Type.real(latent)), t.input("timestep", Type.real(2)),
                t.input("encoder_hidden_states", Type.real(text))));
        device = Devices.open("cpu", Runtime.getRuntime().availableProcessors());
        unet = device.compile(Simplify.of(t.finish()));
        inputs = Map.of("sample", OpCase.random(latent, 1), "timestep", Tensor.of(Shape.of(2), 501.0, 501.0),
                "encoder_hidden_states",
                OpCase.random(text, 2));
    }

    @Benchmark
    public Map<String, Tensor> unet() {
        return unet.run(inputs);
    }

    @TearDown
    public void close() {
        unet.close();
        device.close();
        model.close();
    }
}
