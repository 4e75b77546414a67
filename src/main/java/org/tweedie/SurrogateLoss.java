// SPDX-License-Identifier: Apache-2.0
package org.tweedie;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.inverse.Surrogate;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.model.NamedTensors;
import org.tweedie.model.TorchNetwork;
import org.tweedie.model.UNet;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Evaluates STSL's loss L = lambda data + (eta/d) trace of a model at given tensors, with PyTorch's names and layouts, and
 * returns its terms and its gradient.
 *
 * @param task the task that names the operator, for example {@code sr:4}
 * @param lambda the weight of the data term
 * @param eta the weight of the trace term, which is divided by the latent's size d
 * @param seed the seed of random masks and kernels
 */
public record SurrogateLoss(Model model, String task, double lambda, double eta, Surrogate.Norm norm, Surrogate.Probe probe,
        long seed) {
    /**
     * Evaluates the loss sample by sample, since each sample may have its own text and noise level.
     *
     * @param in z and probe [B,c,h,w], timestep [B], encoder_hidden_states [B,N,C], measurement [B,3,H,W]
     * @return data and trace [B], grad [B,c,h,w]
     * @throws IllegalArgumentException naming the tensor that is missing or does not fit
     */
    public Map<String, Tensor> at(NamedTensors in) throws IOException {
        UNet unet = model.checkpoint().unet();
        int channels = unet.inChannels();
        Tensor z = in.real("z", "B", channels, "h", "w");
        Tensor timestep = in.number("timestep", "B");
        Tensor text = in.real("encoder_hidden_states", "B", "N", unet.contextWidth());
        Tensor probes = in.real("probe", "B", channels, "h", "w");
        Tensor y = in.real("measurement", "B", 3, "H", "W");
        Shape image = Operators.imageShape(task, Shape.of(1, in.size("H"), in.size("W"), 3));
        MeasurementOperator operator = Operators.parse(task, image, seed);
        LatentCodec codec = model.codec();
        Shape latent = codec.latent(image);
        if (!latent.equals(Shape.of(1, in.size("h"), in.size("w"), channels))) {
            throw new IllegalArgumentException("tensor 'z': expected [B," + channels + "," + latent.dim(1) + "," + latent.dim(2)
                    + "] for " + task
                    + " and the measurement's size, got " + z.shape());
        }
        NoiseSchedule schedule = model.schedule();
        List<Map<String, Tensor>> parts = new ArrayList<>();
        for (int i = 0; i < in.size("B"); i++) {
            NoiseLevel level = level(schedule, timestep.get(i));
            Tensor states = sample(text, i);
            LatentDenoiser denoiser = new LatentDenoiser(unet, schedule.prediction(), states, states, 1);
            Surrogate loss = new Surrogate(denoiser, codec, operator, norm, probe);
            Map<String, Tensor> args = Surrogate.inputs(sample(z, i), sample(y, i), level);
            args.put("probe", sample(probes, i));
            args.put("h", Tensor.scalar(loss.h(level)));
            args.put("lambda", Tensor.of(Shape.of(), new double[] {lambda}));
            args.put("trace_weight", Tensor.of(Shape.of(), new double[] {eta / latent.size()}));
            try (Executable run = model.device()
                    .compile(TorchNetwork.channelsFirst(loss.program(latent, image, Surrogate.Gradient.FUSED)))) {
                parts.add(run.run(args));
            }
        }
        Map<String, Tensor> out = new LinkedHashMap<>();
        for (String name : List.of("data", "trace", "grad")) {
            out.put(name, joined(parts.stream().map(p -> p.get(name)).toList()));
        }
        return out;
    }

    private static NoiseLevel level(NoiseSchedule schedule, double timestep) {
        if (timestep != Math.rint(timestep) || timestep < 0 || timestep >= schedule.length()) {
            throw new IllegalArgumentException("tensor 'timestep': expected whole numbers from 0 to " + (schedule.length() - 1)
                    + ", got " + timestep);
        }
        return schedule.level((int) timestep);
    }

    /** Returns row i of the first axis, which is kept with size 1. */
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
