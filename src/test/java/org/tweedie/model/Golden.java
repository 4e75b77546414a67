// SPDX-License-Identifier: Apache-2.0
package org.tweedie.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;
import org.tweedie.transform.Simplify;
import org.tweedie.weights.Checkpoint;
import org.tweedie.weights.CheckpointPart;
import org.tweedie.weights.SafeTensors;

/** A model folder, its networks as programs, and its golden values, converted from PyTorch's layout to Tweedie's. */
public final class Golden implements AutoCloseable {
    public static final Path DEMO = Path.of("weights-tools/demo-model");
    public static final Path SD15 = Path.of("src/test/resources/golden/tiny-sd15");
    public static final Path SD21 = Path.of("src/test/resources/golden/tiny-sd21");

    public final Checkpoint checkpoint;
    private final SafeTensors golden;

    public Golden(Path folder) throws IOException {
        checkpoint = Checkpoint.open(folder);
        golden = SafeTensors.open(folder.resolve("golden/golden.safetensors"));
    }


    /** Returns a golden tensor as stored. */
    public Tensor raw(String name) {
        return golden.tensor(name);
    }

    /** Returns a golden tensor, converted from [B,C,H,W] to [B,H,W,C]. */
    public Tensor image(String name) {
        return nhwc(raw(name));
    }

    public static Tensor nhwc(Tensor x) {
        int b = x.shape().dim(0);
        int c = x.shape().dim(1);
        int n = x.shape().dim(2) * x.shape().dim(3);
        double[] out = new double[(int) x.size()];
        for (int i = 0; i < b; i++) {
            for (int k = 0; k < c; k++) {
                for (int j = 0; j < n; j++) {
                    out[(i * n + j) * c + k] = x.get(((long) i * c + k) * n + j);
                }
            }
        }
        return Tensor.of(Shape.of(b, x.shape().dim(2), x.shape().dim(3), c), out);
    }

    public UNet unet() throws IOException {
        CheckpointPart m = checkpoint.module("unet");
        return new UNet(m.config(), m.weights());
    }

    public Autoencoder vae() throws IOException {
        CheckpointPart m = checkpoint.module("vae");
        return new Autoencoder(m.config(), m.weights());
    }

    public ClipText text() throws IOException {
        CheckpointPart m = checkpoint.module("text_encoder");
        return new ClipText(m.config(), m.weights());
    }

    /** Returns the UNet as a program with inputs sample, timestep, encoder_hidden_states and output out_sample. */
    public Program unetProgram(Shape sample, int tokens) throws IOException {
        UNet unet = unet();
        Tracer t = new Tracer("unet");
        Value z = t.input("sample", Type.real(sample));
        Value time = t.input("timestep", Type.real(sample.dim(0)));
        Value c = t.input("encoder_hidden_states", Type.real(sample.dim(0), tokens, unet.contextWidth()));
        t.output("out_sample", unet.apply(t, z, time, c));
        return t.finish();
    }

    /** Returns the encoder as a program with input image and outputs mean and logvar. */
    public Program encodeProgram(Shape image) throws IOException {
        Tracer t = new Tracer("encode");
        Autoencoder.Posterior p = vae().encode(t, t.input("image", Type.real(image)));
        t.output("mean", p.mean());
        t.output("logvar", p.logvar());
        return t.finish();
    }

    /** Returns the decoder as a program with input latent and output image. */
    public Program decodeProgram(Shape latent) throws IOException {
        Tracer t = new Tracer("decode");
        t.output("image", vae().decode(t, t.input("latent", Type.real(latent))));
        return t.finish();
    }

    /** Returns the text encoder as a program with input input_ids and output last_hidden_state. */
    public Program textProgram(Shape ids) throws IOException {
        Tracer t = new Tracer("text_encoder");
        t.output("last_hidden_state", text().apply(t, t.input("input_ids", new Type(DType.I64, ids))));
        return t.finish();
    }

    /** Samples from a start latent. */
    public static Tensor ddim(Device d, NoiseSchedule schedule, Denoiser denoiser, Tensor z, int steps) {
        Tracer t = new Tracer("eps");
        Value in = t.input("z", Type.real(z.shape()));
        t.output("eps", denoiser.eps(t, in, NoiseLevel.inputs(t, "")));
        Sampler.Walk walk = new Ddim(0).walk(schedule, steps);
        try (Executable e = d.compile(Simplify.of(t.finish()))) {
            for (int i = 0; i < steps; i++) {
                Map<String, Tensor> m = new HashMap<>(walk.levels().get(i).tensors(""));
                m.put("z", z);
                z = walk.step(i, z, e.run(m).get("eps"), null);
            }
        }
        return z;
    }

    public static Map<String, Tensor> run(Device d, Program p, Map<String, Tensor> in) {
        try (Executable e = d.compile(p)) {
            return e.run(in);
        }
    }

    /** Returns the relative L2 distance of a result from the golden one. */
    public static double distance(Tensor got, Tensor golden) {
        assertTrue(got.shape().equals(golden.shape()), () -> "shapes " + got + " and " + golden);
        double gap = 0;
        double size = 0;
        for (long i = 0; i < got.size(); i++) {
            gap += Math.pow(got.get(i) - golden.get(i), 2);
            size += Math.pow(golden.get(i), 2);
        }
        return Math.sqrt(gap / size);
    }

    @Override
    public void close() {
        golden.close();
        checkpoint.close();
    }
}
