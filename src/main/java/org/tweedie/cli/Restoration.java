// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.model.StableDiffusion;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.solve.Problem;
import org.tweedie.solve.Solver;
import org.tweedie.solve.Solvers;
import org.tweedie.solve.Stsl;

/**
 * A measurement and all that its restoration depends on but the model's and the device's own files.
 *
 * @param image shape of the picture wanted, [1,H,W,3]
 * @param log where a table of the steps goes; null for nowhere
 */
record Restoration(MeasurementOperator operator, Tensor y, Shape image, double sigma, String solver, Stsl.Options options, String prompt,
                   double guidance, long seed, Path log) {

    /** What came of it and how long it took. */
    record Done(Solver.Result result, double seconds) {}

    Done run(StableDiffusion model, Device device) throws IOException {
        long start = System.nanoTime();
        NoiseSchedule schedule = new NoiseSchedule(model.schedule());
        LatentCodec codec = new LatentCodec(model.vae(), model.unet().stride());
        codec.latent(image); // a size that does not fit is told before any work
        schedule.levels(options.steps());
        Problem problem = new Problem(device, schedule, Prompts.bind(model, device, schedule, prompt, guidance), codec, operator, y, image, sigma, seed);
        Solver.Result result = solve(problem);
        return new Done(result, (System.nanoTime() - start) / 1e9);
    }

    private Solver.Result solve(Problem problem) throws IOException {
        StepLog table = new StepLog();
        long inner = Math.max(1, options.inner());
        try (Progress progress = new Progress(solver, options.steps() * inner)) {
            return Solvers.of(solver, options).solve(problem, s -> {
                table.add(s);
                long done = s.move() == 0 ? s.step() * inner : (s.step() - 1) * inner + s.inner();
                progress.at(done, "step " + s.step() + "/" + s.steps() + ", residual " + Numbers.of(s.residual(), 2));
            });
        } finally {
            if (log != null) {
                table.write(log); // of a run that failed too
            }
        }
    }

    /** The words of the line that ends a restoration. */
    Map<String, String> words(Path out, Done done) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("restored", out.toString());
        words.put("task", operator.spec());
        words.put("solver", solver);
        words.put("steps", Integer.toString(options.steps()));
        words.put("inner", Integer.toString(options.inner()));
        counts(done.result, words);
        words.put("seconds", Numbers.of(done.seconds, 1));
        words.put("seed", Long.toString(seed));
        return words;
    }

    /** Evaluations, and the residual over what noise alone would leave. */
    static void counts(Solver.Result result, Map<String, String> words) {
        for (String word : result.counts().toString().split(" ")) {
            words.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
        }
        words.put("residual", Numbers.of(result.residual(), 3));
    }
}
