// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.tweedie.device.Device;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementFile;
import org.tweedie.measure.Operators;
import org.tweedie.model.StableDiffusion;
import org.tweedie.solve.Solvers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Restores a picture from a measurement. */
@Command(name = "restore", sortOptions = false,
        description = {"Restores a picture from a degraded one.", "",
            "What 'degrade' wrote says by itself how it came about; of any other picture say it with --task and --sigma.",
            "Tasks: sr:FACTOR, blur[:STD], motion[:SIZE[:INTENSITY]], denoise,",
            "       inpaint:box[:SIZE], inpaint:random:FRACTION, inpaint:MASK.png (white is kept).", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie restore y.png --model DIR --seed 1 -o restored.png",
            "  tweedie restore small.png --task sr:4 --sigma 0.01 --model DIR --log steps.csv -o restored.png"})
final class Restore implements Callable<Integer> {
    private static final double SIGMA = 0.01;

    @Parameters(index = "0", paramLabel = "Y.png", description = "The degraded picture, PNG or JPEG.")
    private Path in;

    @Option(names = "--task", paramLabel = "TASK", description = "How it was degraded. Default: as 'degrade' noted.")
    private String task;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--solver", paramLabel = "NAME", defaultValue = "stsl", description = "stsl. Default: ${DEFAULT-VALUE}.")
    private String solver;

    @Option(names = "--sigma", paramLabel = "X", description = "Noise, on the scale of [-1,1]. Default: as 'degrade' noted, else 0.01.")
    private Double sigma;

    @Option(names = "--prompt", paramLabel = "TEXT", defaultValue = "", description = "What the picture shows. Default: nothing.")
    private String prompt;

    @Option(names = "--guidance", paramLabel = "X", defaultValue = "1",
            description = "Classifier-free guidance; 1 for none, else each evaluation costs two. Default: ${DEFAULT-VALUE}.")
    private double guidance;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of all that is random. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--log", paramLabel = "FILE.csv", description = "Write residual and gradient norms of each step there.")
    private Path log;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.png", required = true, description = "The picture to write.")
    private Path out;

    @Mixin
    private StslOptions stsl;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        Output.check(out, ".png", in);
        if (log != null) {
            Output.check(log, ".csv", in);
        }
        Choice.of("solver", solver, Solvers.NAMES);
        engine.check();
        Measurement y = measurement();
        Restoration restoration = new Restoration(y.operator(), y.y(), y.image(), y.sigma(), solver, stsl.options(), prompt, guidance, seed, log);
        try (StableDiffusion model = StableDiffusion.open(folder); Device device = engine.open()) {
            Restoration.Done done = restoration.run(model, device);
            Png.write(out, Image.of(done.result().image()), provenance(restoration).text());
            Notes.result(restoration.words(out, done));
        }
        return 0;
    }

    /** As noted beside or in the picture, or as the options say. */
    private Measurement measurement() throws IOException {
        ImageFile.Picture picture = ImageFile.read(in);
        if (!"measurement".equals(picture.text().get("kind")) && task != null) {
            picture.notes().forEach(Notes::note);
            return Measurement.of(picture.image(), task, positive(sigma == null ? SIGMA : sigma), seed);
        }
        MeasurementFile.Loaded loaded = MeasurementFile.load(in);
        loaded.notes().forEach(Notes::note);
        Measurement m = loaded.measurement();
        if (task != null && !Operators.parse(task, m.image(), m.seed(), m.operator().tensors()).spec().equals(m.operator().spec())) {
            throw new IllegalArgumentException("--task: " + in + " was degraded by " + m.operator().spec() + ", got " + task + "; leave --task out");
        }
        return new Measurement(m.y(), m.operator(), m.image(), m.noise(), positive(sigma == null ? m.sigma() : sigma), m.seed());
    }

    private static double positive(double sigma) {
        if (!(sigma > 0) || Double.isInfinite(sigma)) {
            throw new IllegalArgumentException("sigma: expected a positive noise level, got " + Numbers.of(sigma) + "; give one, as in --sigma " + SIGMA);
        }
        return sigma;
    }

    private Provenance provenance(Restoration r) {
        Provenance p = new Provenance("restore", in.toString()).with("task", r.operator().spec()).with("model", folder).with("solver", solver)
                .with("sigma", r.sigma()).with("prompt", prompt).with("guidance", guidance).with("seed", seed);
        StslOptions.describe(r.options(), p.options());
        engine.describe(p.options());
        return p;
    }
}
