// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.tweedie.Model;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Prior;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.inverse.Surrogate;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.model.ClipText;
import org.tweedie.model.StableDiffusion;
import org.tweedie.model.UNet;
import org.tweedie.options.Spelling;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.solve.Solver;
import org.tweedie.solve.Solvers;
import org.tweedie.solve.Stsl;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * The programs of a model that can be timed: its networks, their derivatives and STSL's inner step, on random inputs.
 *
 * @param height, width the size of the latent
 */
public record Workloads(Model entry, String task, int height, int width) {
    /** The names of the programs; {@code restore} is a whole restoration, and the last names are {@link Ceilings}. */
    public static final List<String> NAMES = List.of("text", "unet", "unet-vjp", "unet-jvp", "decode", "decode-vjp", "decode-jvp",
            "encode", "encode-vjp", "encode-jvp",
            "inner-step", "restore", "gemm", "copy");
    private static final Stsl DEFAULTS = (Stsl) Solvers.of("stsl");
    private static final int TIMESTEP = 501;
    private static final long SEED = 1;

    /** A program and its batch size. */
    public record Item(String name, int batch) {
        /**
         * Reads a word such as unet or unet:2.
         *
         * @param batch the batch size of a word without a number
         * @throws IllegalArgumentException when it does not begin with one of {@link Workloads#NAMES}
         */
        public static Item parse(String word, int batch) {
            String[] p = word.split(":", 2);
            Spelling.check("what", p[0], NAMES);
            if (p.length == 2 && !p[1].matches("[1-9][0-9]{0,4}")) {
                throw new IllegalArgumentException("--what: expected a number from 1 to 99999 after the colon, as in unet:2, "
                        + "got '" + word + "'");
            }
            return new Item(p[0], p.length == 2 ? Integer.parseInt(p[1]) : batch);
        }

        @Override
        public String toString() {
            return batch == 1 ? name : name + ":" + batch;
        }
    }

    /**
     * Traces a program.
     *
     * @throws IllegalArgumentException when the name is not one of {@link #NAMES}, or is not a program of a model
     */
    public Program program(String name, int batch) throws IOException {
        return switch (name) {
            case "text" -> text(batch);
            case "unet" -> unet(batch);
            case "unet-vjp" -> Vjp.of(unet(batch), "out_sample", "sample");
            case "unet-jvp" -> Jvp.of(unet(batch), "sample", "out_sample");
            case "decode" -> decode(batch);
            case "decode-vjp" -> Vjp.of(decode(batch), "image", "latent");
            case "decode-jvp" -> Jvp.of(decode(batch), "latent", "image");
            case "encode" -> encode(batch);
            case "encode-vjp" -> Vjp.of(encode(batch), "mean", "image");
            case "encode-jvp" -> Jvp.of(encode(batch), "image", "mean");
            case "inner-step" -> surrogate(batch).program(latent(batch), image(batch), Surrogate.Gradient.FUSED);
            default -> throw new IllegalArgumentException("--what: '" + name + "' is not a program of a model");
        };
    }

    private Shape latent(int batch) throws IOException {
        return Shape.of(batch, height, width, model().unet().inChannels());
    }

    private Shape image(int batch) throws IOException {
        int factor = model().vae().factor();
        return Shape.of(batch, height * factor, width * factor, 3);
    }

    private Program text(int batch) throws IOException {
        ClipText text = model().textEncoder();
        Tracer t = new Tracer("text_encoder");
        t.output("last_hidden_state", text.apply(t, t.input("input_ids", new Type(DType.I64, Shape.of(batch, text.length())))));
        return Simplify.of(t.finish());
    }

    private Program unet(int batch) throws IOException {
        UNet unet = model().unet();
        Tracer t = new Tracer("unet");
        t.output("out_sample", unet.apply(t, t.input("sample", Type.real(latent(batch))), t.input("timestep", Type.real(batch)),
                t.input("encoder_hidden_states", Type.real(batch, 77, unet.contextWidth()))));
        return Simplify.of(t.finish());
    }

    private Program decode(int batch) throws IOException {
        Tracer t = new Tracer("decode");
        t.output("image", model().vae().decode(t, t.input("latent", Type.real(latent(batch)))));
        return Simplify.of(t.finish());
    }

    private Program encode(int batch) throws IOException {
        Tracer t = new Tracer("encode");
        t.output("mean", model().vae().encode(t, t.input("image", Type.real(image(batch)))).mean());
        return Simplify.of(t.finish());
    }

    private MeasurementOperator operator(int batch) throws IOException {
        return Operators.parse(task, image(batch).with(0, 1), SEED);
    }

    private Surrogate surrogate(int batch) throws IOException {
        return new Surrogate(denoiser(), entry.codec(), operator(batch), DEFAULTS.norm(), DEFAULTS.probe());
    }

    private LatentDenoiser denoiser() throws IOException {
        Tensor text = noise(Shape.of(1, 77, model().unet().contextWidth()), 7);
        return new LatentDenoiser(model().unet(), entry.schedule().prediction(), text, text, 1);
    }

    private StableDiffusion model() {
        return entry.checkpoint();
    }

    /** Restores a picture of noise: it takes as long as any other picture, but the result is meaningless. */
    public Restoration restore(Solver solver) throws IOException {
        MeasurementOperator operator = operator(1);
        Tensor y = noise(operator.outShape(image(1)), 8);
        try (Prior prior = new Prior(entry.device(), entry.schedule(), denoiser(), entry.codec(), image(1))) {
            return solver.solve(new Problem(prior, operator, y, 0.01, SEED), Listener.NONE);
        }
    }

    /**
     * Returns a tensor for each input by name: a noise level in the middle of the schedule, STSL's weights, and normal random
     * numbers for all other inputs.
     */
    public Map<String, Tensor> inputs(Program p) throws IOException {
        NoiseLevel level = entry.schedule().level(TIMESTEP);
        Map<String, Tensor> in = new HashMap<>();
        for (Program.Input i : p.inputs()) {
            Shape s = i.value().shape();
            in.put(i.name(), switch (i.name()) {
                case "input_ids" -> Tensor.of(s, LongStream.range(0, s.size()).map(n -> n % s.dim(1)).toArray());
                case "timestep" -> filled(s, TIMESTEP);
                case "sqrt_abar" -> filled(s, level.sqrtAbar());
                case "sigma" -> filled(s, level.sigma());
                case "lambda", "h", "scale" -> filled(s, 1);
                case "trace_weight" -> filled(s, DEFAULTS.eta() / latent(1).size());
                default -> noise(s, in.size());
            });
        }
        return in;
    }

    private static Tensor filled(Shape s, double x) {
        float[] all = new float[Math.toIntExact(s.size())];
        Arrays.fill(all, (float) x);
        return Tensor.of(s, all);
    }

    private static Tensor noise(Shape s, int seed) {
        return new Philox(seed, Philox.Stream.INIT).normals(0, s);
    }
}
