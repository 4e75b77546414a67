// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.tweedie.profile.Nfe;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;

/**
 * One restoration or generation. It runs all programs of the restoration, so that each evaluation is counted and timed, and a
 * listener can cancel before the next evaluation.
 */
public final class Run {
    private final Prior prior;
    private final Listener listener;
    private final NfeLedger counts = new NfeLedger();

    /** Begins a run. @param listener is called after each step and may cancel the run */
    public Run(Prior prior, Listener listener) {
        this.prior = prior;
        this.listener = listener;
    }

    /** The prior whose programs run. */
    public Prior prior() {
        return prior;
    }

    /** The evaluations so far. */
    public NfeLedger counts() {
        return counts;
    }

    /** Reports a step to the listener. */
    public void step(Step s) {
        listener.step(s);
    }

    /**
     * Runs a program, which is compiled if this prior has not run it before.
     *
     * @param owner with {@code what} the key of the program, see {@link Prior#release}; two programs with equal keys must be
     *         equal
     * @param nfe the network evaluations of one run of it
     * @param trace traces the program; the names of its inputs are those of {@code in}
     * @throws CancellationException when the listener has cancelled
     */
    public Map<String, Tensor> evaluate(Object owner, Object what, Nfe nfe, Supplier<Program> trace, Map<String, Tensor> in) {
        requireWanted();
        boolean compiles = !prior.isCompiled(owner, what);
        Prior.Compiled p = prior.compiled(owner, what, nfe, trace);
        if (compiles) {
            requireWanted();
        }
        long start = System.nanoTime();
        Map<String, Tensor> out = p.executable().run(in);
        counts.add(p.executable().program().name(), p.nfe(), (System.nanoTime() - start) / 1e9);
        return out;
    }

    private void requireWanted() {
        if (listener.cancelled()) {
            throw new CancellationException("cancelled after " + counts);
        }
    }

    private enum Part { EPS, DECODE, ENCODE }

    /** Predicts the noise in z [1,h,w,c] at a level. */
    public Tensor eps(Tensor z, NoiseLevel level) {
        return eps(z, level, level, level.timestep()).get("eps");
    }

    /** Predicts the noise in z [1,h,w,c] at a level, with another timestep as the network's input. */
    public Tensor eps(Tensor z, NoiseLevel level, double timestep) {
        return eps(z, level, level, timestep).get("eps");
    }

    /**
     * Moves z [1,h,w,c] from one level to a noisier one by DDIM inversion: the network gets the timestep of the level that z
     * goes to, as it will on the way down.
     */
    public Tensor invert(Tensor z, NoiseLevel from, NoiseLevel to) {
        return eps(z, from, to, to.timestep()).get("z");
    }

    private Map<String, Tensor> eps(Tensor z, NoiseLevel from, NoiseLevel to, double timestep) {
        Map<String, Tensor> in = from.tensors("");
        to.tensors("to.").forEach((name, x) -> {
            if (!name.equals("to.timestep")) {
                in.put(name, x);
            }
        });
        in.put("z", z);
        in.put("timestep", Tensor.of(Shape.of(1), (float) timestep));
        return evaluate(prior, Part.EPS, Nfe.unet(prior.denoiser().evaluations(), 0), this::traceEps, in);
    }

    /** One program serves samplers, which take eps, and inversion, which takes the DDIM move: it is compiled once. */
    private Program traceEps() {
        Tracer t = new Tracer("eps");
        Value z = t.input("z", Type.real(prior.latent()));
        NoiseLevel.Traced from = NoiseLevel.inputs(t, "");
        NoiseLevel.Traced to = new NoiseLevel.Traced(null, t.input("to.sqrt_abar", Type.real()),
                t.input("to.sigma", Type.real()));
        Value eps = prior.denoiser().eps(t, z, from);
        t.output("eps", eps);
        t.output("z", from.move(t, z, eps, to));
        return Simplify.of(t.finish());
    }

    /** Decodes z [1,h,w,c] to a picture [1,H,W,3]. */
    public Tensor decode(Tensor z) {
        return evaluate(prior, Part.DECODE, Nfe.decode(1, 0), () -> {
            Tracer t = new Tracer("decode");
            t.output("image", prior.codec().decode(t, t.input("z", Type.real(prior.latent()))));
            return Simplify.of(t.finish());
        }, Map.of("z", z)).get("image");
    }

    /** Encodes a picture [1,H,W,3] to z [1,h,w,c]. */
    public Tensor encode(Tensor image) {
        return evaluate(prior, Part.ENCODE, Nfe.encode(1, 0), () -> {
            Tracer t = new Tracer("encode");
            t.output("z", prior.codec().encode(t, t.input("image", Type.real(prior.image()))));
            return Simplify.of(t.finish());
        }, Map.of("image", image)).get("z");
    }
}
