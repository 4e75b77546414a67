// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.image.Image;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.metrics.Lpips;
import org.tweedie.metrics.Spread;
import org.tweedie.profile.Nfe;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.solve.Solver;

/**
 * Makes cells in this process. All of them share one prior; programs of an operator are closed when a cell of another
 * operator comes.
 */
public final class CellRunner implements CellMaker {
    private final Prior prior;
    private final Pictures pictures;
    private final Measures measures;
    private final Lpips lpips;
    private MeasurementOperator operator;
    private String task;
    private long seed;

    /**
     * @param prior must stay open at least as long as this maker
     * @param pictures of the prior's size
     * @param measures what is measured in addition to the metrics that need nothing but the pictures
     * @throws IOException when a file of weights cannot be read
     */
    public CellRunner(Prior prior, Pictures pictures, Measures measures) throws IOException {
        this.prior = prior;
        this.pictures = pictures;
        this.measures = measures;
        lpips = measures.lpips().isEmpty() ? null : Lpips.open(measures.lpips(), prior.device());
    }

    /** Returns the seed of the solver in the second restoration of a cell, which no user counts up to. */
    static long otherSeed(long seed) {
        return -1 - seed;
    }

    @Override
    public Cell make(Cell.Key key) throws CellFailure {
        try {
            return cell(key);
        } catch (IOException | RuntimeException e) {
            String message = e instanceof NullPointerException || e.getMessage() == null ? e.toString() : e.getMessage();
            throw new CellFailure(key.text() + ": " + message.replaceAll("\\s*\\R\\s*", " "), e);
        }
    }

    private Cell cell(Cell.Key key) throws IOException {
        Image x = pictures.read(key.picture());
        MeasurementOperator a = operator(key, x.shape());
        Run run = new Run(prior, Listener.NONE);
        Measurement y = Measurement.of(run, x, a, Degradation.model(key.noise()), key.seed());
        Quality quality = new Quality(x, a, lpips);
        Clock clock = new Clock();
        return switch (key.solver()) {
            case CellPlan.MEASUREMENT -> plain(key, quality, y.picture(), clock); // holes are grey in this picture
            case CellPlan.PINV -> plain(key, quality, y.start(), clock);
            case CellPlan.AUTOENCODER -> plain(key, quality, Image.of(run.decode(run.encode(x.tensor()))), clock);
            default -> restored(key, quality, y,
                    key.solver().startsWith(CellPlan.ORACLE) ? x.tensor() : a.start(y.y()));
        };
    }

    /** Returns the operator of a key; random masks and kernels depend on the seed. */
    private MeasurementOperator operator(Cell.Key key, Shape image) {
        if (operator == null || !key.task().equals(task) || key.seed() != seed) {
            MeasurementOperator next = Operators.parse(key.task(), image, key.seed());
            if (operator != null && !operator.equals(next)) {
                prior.release(operator);
            }
            operator = next;
            task = key.task();
            seed = key.seed();
        }
        return operator;
    }

    private Cell plain(Cell.Key key, Quality quality, Image got, Clock clock) throws IOException {
        double seconds = clock.seconds();
        save(key, got);
        return new Cell(key, quality.of(got), Map.of(), seconds);
    }

    private Cell restored(Cell.Key key, Quality quality, Measurement y, Tensor start) throws IOException {
        Solver solver = CellPlan.solver(key.solver(), key.task());
        Clock clock = new Clock();
        Restoration r = solve(solver, y, key.seed(), start);
        double seconds = clock.seconds();
        save(key, r.picture());
        Map<String, Double> metrics = quality.of(r);
        if (measures.spread()) {
            metrics.put(Quality.SPREAD, Spread.of(r.picture(), solve(solver, y, otherSeed(key.seed()), start).picture()));
        }
        return new Cell(key, metrics, counts(r.counts()), seconds);
    }

    /** Saves a picture before its cell is written, so that each cell in the file has its picture. */
    private void save(Cell.Key key, Image got) throws IOException {
        if (measures.saved() != null) {
            measures.saved().write(key, got.clamp());
        }
    }

    private Restoration solve(Solver solver, Measurement y, long seed, Tensor start) {
        return solver.solve(new Problem(prior, y.operator(), y.y(), y.sigma(), seed, start), Listener.NONE);
    }

    private static Map<String, Long> counts(NfeLedger ledger) {
        Nfe n = ledger.evaluations();
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("nfe", ledger.nfe());
        counts.put("unet_forwards", n.unetForwards());
        counts.put("unet_vjps", n.unetVjps());
        counts.put("unet_jvps", n.unetJvps());
        counts.put("decodes", n.decodes());
        counts.put("decode_vjps", n.decodeVjps());
        counts.put("decode_jvps", n.decodeJvps());
        counts.put("encodes", n.encodes());
        counts.put("encode_vjps", n.encodeVjps());
        return counts;
    }

    /** Measures time without the time that compiling programs takes. */
    private final class Clock {
        private final long start = System.nanoTime();
        private final double compiled = prior.compileSeconds();

        double seconds() {
            return (System.nanoTime() - start) / 1e9 - (prior.compileSeconds() - compiled);
        }
    }

    /** Closes the operator's programs and LPIPS; the prior stays open. */
    @Override
    public void close() {
        if (lpips != null) {
            lpips.close();
        }
        if (operator != null) {
            prior.release(operator);
            operator = null;
        }
    }
}
