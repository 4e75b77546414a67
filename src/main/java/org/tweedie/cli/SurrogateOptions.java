// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.model.StableDiffusion;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.solve.Surrogate;
import picocli.CommandLine.Option;

/** STSL's loss on tensors from a file: L = lambda data + (eta/d) trace, its terms and its gradient. */
final class SurrogateOptions {
    @Option(names = "--task", paramLabel = "TASK", description = "surrogate: the operator, as in sr:4.")
    private String task;

    @Option(names = "--eta", paramLabel = "X", description = "surrogate: weight of the trace term. Default: as of restore.")
    private Double eta;

    @Option(names = "--lambda", paramLabel = "X", description = "surrogate: weight of the data term. Default: 1/sigma^2 with --sigma, else 1.")
    private Double lambda;

    @Option(names = "--probe", paramLabel = "PROBE", description = "surrogate: unit, scaled or exact. Default: as of restore.")
    private Surrogate.Probe probe;

    @Option(names = "--norm", paramLabel = "NORM", description = "surrogate: sum, mean or norm. Default: as of restore.")
    private Surrogate.Norm norm;

    @Option(names = "--sigma", paramLabel = "X", description = "surrogate: the noise of the measurement, on the scale of [-1,1].")
    private Double sigma;

    @Option(names = "--seed", paramLabel = "N", description = "surrogate: of random masks and kernels. Default: 1.")
    private Long seed;

    /** @throws IllegalArgumentException when an option is missing, or is given for another module */
    void check(boolean asked) {
        if (asked && task == null) {
            throw new IllegalArgumentException("run surrogate: --task is missing, as in --task sr:4");
        }
        boolean given = task != null || eta != null || lambda != null || probe != null || norm != null || sigma != null || seed != null;
        if (!asked && given) {
            throw new IllegalArgumentException("run: --task, --eta, --lambda, --probe, --norm, --sigma and --seed are for 'run surrogate' only");
        }
        if (sigma != null && !(sigma > 0)) {
            throw new IllegalArgumentException("--sigma: expected a positive noise level, got " + sigma);
        }
    }

    /** Sample by sample, since each may have a text and a level of its own. */
    Map<String, Tensor> run(StableDiffusion model, Device device, Inputs in) throws IOException {
        int channels = model.unet().inChannels();
        Tensor z = in.real("z", "B", channels, "h", "w");
        Tensor timestep = in.number("timestep", "B");
        Tensor text = in.real("encoder_hidden_states", "B", "N", model.unet().contextWidth());
        Tensor probes = in.real("probe", "B", channels, "h", "w");
        Tensor y = in.real("measurement", "B", 3, "H", "W");
        Shape image = Operators.imageShape(task, Shape.of(1, in.size("H"), in.size("W"), 3));
        MeasurementOperator operator = Operators.parse(task, image, seed == null ? 1 : seed);
        LatentCodec codec = new LatentCodec(model.vae(), model.unet().stride());
        Shape latent = codec.latent(image);
        if (!latent.equals(Shape.of(1, in.size("h"), in.size("w"), channels))) {
            throw new IllegalArgumentException("tensor 'z': expected [B," + channels + "," + latent.dim(1) + "," + latent.dim(2) + "] for " + task
                    + " and the measurement's size, got " + z.shape());
        }
        NoiseSchedule schedule = new NoiseSchedule(model.schedule());
        List<Map<String, Tensor>> parts = new ArrayList<>();
        for (int i = 0; i < in.size("B"); i++) {
            NoiseLevel level = level(schedule, timestep.get(i));
            Tensor states = sample(text, i);
            LatentDenoiser denoiser = new LatentDenoiser(model.unet(), schedule.prediction(), states, states, 1);
            Surrogate loss = new Surrogate(denoiser, codec, operator, norm == null ? StslOptions.DEFAULTS.norm() : norm,
                    probe == null ? StslOptions.DEFAULTS.probe() : probe);
            Map<String, Tensor> args = Surrogate.inputs(sample(z, i), sample(y, i), level);
            args.put("probe", sample(probes, i));
            args.put("h", Tensor.scalar(loss.h(level)));
            args.put("lambda", Tensor.of(Shape.of(), new double[] {lambda()}));
            args.put("trace_weight", Tensor.of(Shape.of(), new double[] {(eta == null ? StslOptions.DEFAULTS.eta() : eta) / latent.size()}));
            try (Executable run = device.compile(channelsFirst(loss.program(latent, image, Surrogate.Gradient.FUSED)))) {
                parts.add(run.run(args));
            }
        }
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (String name : List.of("data", "trace", "grad")) {
            out.put(name, joined(parts.stream().map(p -> p.get(name)).toList()));
        }
        return out;
    }

    private double lambda() {
        return lambda != null ? lambda : sigma != null ? 1 / (sigma * sigma) : 1;
    }

    private static NoiseLevel level(NoiseSchedule schedule, double timestep) {
        if (timestep != Math.rint(timestep) || timestep < 0 || timestep >= schedule.length()) {
            throw new IllegalArgumentException("tensor 'timestep': expected whole numbers from 0 to " + (schedule.length() - 1) + ", got " + timestep);
        }
        return schedule.level((int) timestep);
    }

    /** The same program for pictures and latents with channels first. */
    private static Program channelsFirst(Program p) {
        Tracer t = new Tracer(p.name());
        Map<String, Value> args = new LinkedHashMap<>();
        for (Program.Input i : p.inputs()) {
            Shape s = i.value().shape();
            args.put(i.name(), s.rank() != 4 ? t.input(i.name(), i.value().type())
                    : Modules.last(t, t.input(i.name(), Type.real(s.dim(0), s.dim(3), s.dim(1), s.dim(2)))));
        }
        Value[] map = t.inline(p, args);
        for (Program.Output o : p.outputs()) {
            Value v = map[o.value().id()];
            t.output(o.name(), v.shape().rank() == 4 ? Modules.first(t, v) : v);
        }
        return t.finish();
    }

    /** Row i of the first axis, which stays. */
    private static Tensor sample(Tensor x, int i) {
        Shape one = x.shape().with(0, 1);
        long bytes = one.size() * x.dtype().bytes();
        return new Tensor(x.dtype(), one, x.data().asSlice(i * bytes, bytes));
    }

    private static Tensor joined(List<Tensor> parts) {
        Shape one = parts.getFirst().shape();
        double[] all = new double[Math.toIntExact(one.size() * parts.size())];
        for (int i = 0; i < parts.size(); i++) {
            System.arraycopy(parts.get(i).doubles(), 0, all, Math.toIntExact(i * one.size()), Math.toIntExact(one.size()));
        }
        Tensor joined = Tensor.of(one.with(0, parts.size()), all);
        return parts.getFirst().dtype() == DType.F64 ? joined : Tensor.of(joined.shape(), joined.floats());
    }
}
