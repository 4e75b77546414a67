// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.Map;
import org.tweedie.solve.Start;
import org.tweedie.solve.StepSize;
import org.tweedie.solve.Stsl;
import org.tweedie.solve.Surrogate;
import picocli.CommandLine.Option;

/** STSL's hyper-parameters as options; what is not given is {@link #DEFAULTS}. */
final class StslOptions {
    /** Of every task. */
    static final Stsl.Options DEFAULTS = new Stsl.Options(50, 5, 0.02, 0.5, 0.2, Surrogate.Norm.NORM, Surrogate.Probe.UNIT, Stsl.TraceWeight.PAPER,
            StepSize.Rule.ADAPTIVE, Start.Kind.DDIM, true);

    @Option(names = "--steps", paramLabel = "N", description = "Noise levels. Default: 50.")
    private Integer steps;

    @Option(names = "--inner", paramLabel = "K", description = "Gradient steps at each level. Default: 5.")
    private Integer inner;

    @Option(names = "--eta", paramLabel = "X", description = "Weight of the trace term; 0 is the first-order method, twice as fast. Default: 0.02.")
    private Double eta;

    @Option(names = "--lambda", paramLabel = "X",
            description = "Weight of the data term; with adaptive steps the fraction taken of Polyak's step. Default: 0.5.")
    private Double lambda;

    @Option(names = "--trust", paramLabel = "X",
            description = "Longest adaptive step, as a fraction of the length of the signal in the latent. Default: 0.2.")
    private Double trust;

    @Option(names = "--norm", paramLabel = "NORM",
            description = "The data term: sum or mean of the squared residual, or its plain norm. Default: norm.")
    private Surrogate.Norm norm;

    @Option(names = "--probe", paramLabel = "PROBE",
            description = "Of the trace: unit (the paper's finite difference), scaled (to the noise level) or exact (a Jacobian-vector product). "
                    + "Default: unit.")
    private Surrogate.Probe probe;

    @Option(names = "--trace-weight", paramLabel = "WEIGHT",
            description = "paper (eta over the latent's size), or normalised (gradient eta times as long as the data term's). Default: paper.")
    private Stsl.TraceWeight traceWeight;

    @Option(names = "--step", paramLabel = "RULE", description = "Length of a gradient step: adaptive or constant. Default: adaptive.")
    private StepSize.Rule step;

    @Option(names = "--init", paramLabel = "KIND", description = "Start: ddim (inversion), qsample (noise added) or noise. Default: ddim.")
    private Start.Kind init;

    @Option(names = "--consistency", paramLabel = "KIND",
            description = "Last step: pixel (moves the picture onto the measurement) or none. Default: pixel.")
    private Consistency consistency;

    /** What happens after decoding. */
    enum Consistency { PIXEL, NONE }

    /** @throws IllegalArgumentException when a number is out of range */
    Stsl.Options options() {
        Stsl.Options d = DEFAULTS;
        return new Stsl.Options(or(steps, d.steps()), or(inner, d.inner()), or(eta, d.eta()), or(lambda, d.lambda()), or(trust, d.trust()), or(norm, d.norm()),
                or(probe, d.probe()), or(traceWeight, d.traceWeight()), or(step, d.step()), or(init, d.init()),
                consistency == null ? d.consistency() : consistency == Consistency.PIXEL);
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }

    /** Adds the options under their names. */
    static void describe(Stsl.Options o, Map<String, String> text) {
        text.put("steps", Integer.toString(o.steps()));
        text.put("inner", Integer.toString(o.inner()));
        text.put("eta", Numbers.of(o.eta()));
        text.put("lambda", Numbers.of(o.lambda()));
        text.put("trust", Numbers.of(o.trust()));
        text.put("norm", Choice.word(o.norm()));
        text.put("probe", Choice.word(o.probe()));
        text.put("trace-weight", Choice.word(o.traceWeight()));
        text.put("step", Choice.word(o.step()));
        text.put("init", Choice.word(o.init()));
        text.put("consistency", o.consistency() ? "pixel" : "none");
    }
}
