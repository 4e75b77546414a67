// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import org.tweedie.Model;
import org.tweedie.SurrogateLoss;
import org.tweedie.inverse.Surrogate;
import org.tweedie.solve.Solvers;
import org.tweedie.solve.Stsl;
import picocli.CommandLine.Option;

/** The options of {@code run surrogate}. */
final class SurrogateOptions {
    /** The weight of the trace term in arXiv 2312.00852. */
    private static final double PAPER_ETA = 0.02;

    @Option(names = "--task", paramLabel = "TASK", description = "surrogate: the task that names the operator, as in sr:4.")
    private String task;

    @Option(names = "--eta", paramLabel = "X", description = "surrogate: weight of the trace term. Default: 0.02, which is "
            + "the paper's.")
    private Double eta;

    @Option(names = "--lambda", paramLabel = "X", description = "surrogate: weight of the data term. Default: 1/sigma^2 with "
            + "--sigma, else 1.")
    private Double lambda;

    @Option(names = "--probe", paramLabel = "PROBE", description = "surrogate: the probe of the trace: unit, scaled or exact. "
            + "Default: unit, which is the paper's.")
    private Surrogate.Probe probe;

    @Option(names = "--norm", paramLabel = "NORM", description = "surrogate: the norm of the data term: sum, mean or norm. "
            + "Default: the default of restore.")
    private Surrogate.Norm norm;

    @Option(names = "--sigma", paramLabel = "X", description = "surrogate: standard deviation of the measurement's noise, on "
            + "the scale of [-1,1].")
    private Double sigma;

    @Option(names = "--seed", paramLabel = "N", description = "surrogate: the seed of random masks and kernels. Default: 1.")
    private Long seed;

    /** @throws IllegalArgumentException when an option is missing, or is given for another module */
    void check(boolean asked) {
        if (asked && task == null) {
            throw new IllegalArgumentException("run surrogate: --task is missing, as in --task sr:4");
        }
        boolean given = task != null || eta != null || lambda != null || probe != null || norm != null || sigma != null
                || seed != null;
        if (!asked && given) {
            throw new IllegalArgumentException("run: --task, --eta, --lambda, --probe, --norm, --sigma and --seed are for 'run "
                    + "surrogate' only");
        }
        if (sigma != null && !(sigma > 0)) {
            throw new IllegalArgumentException("--sigma: expected a positive noise level, got " + sigma);
        }
    }

    SurrogateLoss loss(Model model) {
        Stsl d = (Stsl) Solvers.of("stsl");
        double data = lambda != null ? lambda : sigma != null ? 1 / (sigma * sigma) : 1;
        return new SurrogateLoss(model, task, data, eta == null ? PAPER_ETA : eta, norm == null ? d.norm() : norm,
                probe == null ? Surrogate.Probe.UNIT : probe, seed == null ? 1 : seed);
    }
}
