// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.Model;
import org.tweedie.Session;
import org.tweedie.Tweedie;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Output;
import org.tweedie.cli.console.Provenance;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.diffusion.Conditioning;
import org.tweedie.diffusion.Listener;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementFile;
import org.tweedie.measure.Operators;
import org.tweedie.solve.Solver;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Restores a picture from a measurement. */
@Command(name = "restore", sortOptions = false,
        description = {"Restores a picture from a degraded one.", "",
            "A picture that 'degrade' wrote contains its task and its noise. For any other picture, give --task and --sigma.",
            "@tasks", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie restore y.png --model DIR --seed 1 -o restored.png",
            "  tweedie restore small.png --task sr:4 --sigma 0.01 --model DIR --log steps.csv -o restored.png",
            "  tweedie restore y.png --model DIR --solver psld --steps 250 -o restored.png",
            "  tweedie restore y.png --model DIR --memory 6G -o restored.png"})
final class Restore implements Callable<Integer>, SolverOptions.Taker {
    private static final double SIGMA = 0.01;

    @Parameters(index = "0", paramLabel = "Y.png", description = "The degraded picture, a PNG or JPEG file.")
    private Path in;

    @Option(names = "--task", paramLabel = "TASK", description = "The task that says how the picture was degraded. Default: the "
            + "task that 'degrade' stored.")
    private String task;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--sigma", paramLabel = "X",
            description = "Standard deviation of the noise, on the scale of [-1,1]. Default: the sigma that 'degrade' stored, "
                    + "else 0.01.")
    private Double sigma;

    @Option(names = "--prompt", paramLabel = "TEXT", defaultValue = "", description = "A text that says what the picture shows. "
            + "Default: no text.")
    private String prompt;

    @Option(names = "--guidance", paramLabel = "X", defaultValue = "1",
            description = "The scale of classifier-free guidance; 1 is no guidance, any other value doubles the network "
                    + "evaluations. Default: ${DEFAULT-VALUE}.")
    private double guidance;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "The seed of everything that is random. "
            + "Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--log", paramLabel = "FILE.csv", description = "Write the residual and the gradient norms of each step to "
            + "this file.")
    private Path log;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.png", required = true, description = "The picture to write.")
    private Path out;

    private final SolverOptions solverOptions = new SolverOptions();

    @Mixin
    private EngineOptions engine;

    @Override
    public SolverOptions solverOptions() {
        return solverOptions;
    }

    @Override
    public Integer call() throws IOException {
        Output.check(out, ".png", in);
        if (log != null) {
            Output.check(log, ".csv", in);
        }
        solverOptions.solver(task == null ? "" : task); // a wrong option is reported before any file is read
        engine.check();
        Measurement y = measurement();
        Solver solver = solverOptions.solver(y.operator().spec());
        try (Device device = engine.open(d -> rehearse(d, y, solver)); Model model = Tweedie.open(folder, device)) {
            long start = System.nanoTime();
            model.warning(prompt).ifPresent(Notes::note);
            try (Session session = session(model, y)) {
                Restoration x = new Restoring(solver, log).run(session, y, seed);
                Png.write(out, x.picture(), provenance(y, solver).text());
                Notes.result(words(out, y, solver, x, (System.nanoTime() - start) / 1e9, seed));
            }
        }
        return 0;
    }

    private Session session(Model model, Measurement y) throws IOException {
        return model.session(y.image().dim(1), y.image().dim(2), new Conditioning(prompt, "", guidance));
    }

    private void rehearse(Device device, Measurement y, Solver solver) throws IOException {
        try (Model model = Tweedie.open(folder, device); Session session = session(model, y)) {
            session.restore(y, solver, seed, Listener.NONE);
        }
    }

    /** Reads the measurement: its task and noise come from the options, or from the data that 'degrade' stored. */
    private Measurement measurement() throws IOException {
        ImageFile.Picture picture = ImageFile.read(in);
        if (!"measurement".equals(picture.text().get("kind")) && task != null) {
            picture.notes().forEach(Notes::note);
            return Measurement.of(picture.image(), task, positive(sigma == null ? SIGMA : sigma), seed);
        }
        MeasurementFile.Loaded loaded = MeasurementFile.load(in);
        loaded.notes().forEach(Notes::note);
        Measurement m = loaded.measurement();
        if (task != null && !Operators.parse(task, m.image(), m.seed(), m.operator().tensors()).spec()
                .equals(m.operator().spec())) {
            throw new IllegalArgumentException("--task: " + in + " was degraded by " + m.operator().spec() + ", got " + task
                    + "; leave --task out");
        }
        return new Measurement(m.y(), m.operator(), m.image(), m.noise(), positive(sigma == null ? m.sigma() : sigma), m.seed());
    }

    private static double positive(double sigma) {
        if (!(sigma > 0) || Double.isInfinite(sigma)) {
            throw new IllegalArgumentException("sigma: expected a positive noise level, got " + Numbers.of(sigma)
                    + "; give one, as in --sigma " + SIGMA);
        }
        return sigma;
    }

    private Provenance provenance(Measurement y, Solver solver) {
        Provenance p = new Provenance("restore", in.toString()).with("task", y.operator().spec()).with("model", folder)
                .with("sigma", y.sigma()).with("prompt", prompt).with("guidance", guidance).with("seed", seed);
        SolverOptions.describe(solver, p.options());
        engine.describe(p.options());
        return p;
    }

    /** Returns the words of the line that ends a restoration. */
    static Map<String, String> words(Path out, Measurement y, Solver solver, Restoration x, double seconds, long seed) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("restored", out.toString());
        words.put("task", y.operator().spec());
        SolverOptions.words(solver, words);
        for (String word : x.counts().toString().split(" ")) {
            words.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
        }
        words.put("residual", Numbers.of(x.residual(), 3));
        words.put("seconds", Numbers.of(seconds, 1));
        words.put("seed", Long.toString(seed));
        return words;
    }
}
