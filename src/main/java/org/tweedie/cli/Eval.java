// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.tweedie.device.Device;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.image.AtomicFile;
import org.tweedie.model.StableDiffusion;
import org.tweedie.solve.Stsl;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The table over a folder of pictures. */
@Command(name = "eval", sortOptions = false,
        description = {"Degrades and restores the pictures of a folder; prints a CSV line for each picture, task and variant.", "",
            "The line 'measurement' is y itself where it is a picture of the same size, 'pinv' the pseudo-inverse (holes filled from their",
            "surroundings), 'autoencoder' the picture through encoder and decoder: what the model can show.", ""},
        footerHeading = "%nExamples:%n",
        footer = "  tweedie eval photos --model DIR --size 128 --tasks sr:4,inpaint:box --variants first-order,normalised -o table.csv")
final class Eval implements Callable<Integer> {
    private static final List<String> VARIANTS = List.of("first-order", "paper", "normalised");

    @Parameters(paramLabel = "FOLDER", description = "Pictures.")
    private Path images;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder.")
    private Path folder;

    @Option(names = "--size", paramLabel = "N", required = true, description = "Side that the pictures are averaged down to, in pixels.")
    private int size;

    @Option(names = "--skip", paramLabel = "N", defaultValue = "0", description = "Leave out the first so many. Default: ${DEFAULT-VALUE}.")
    private int skip;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "24", description = "Take so many at most. Default: ${DEFAULT-VALUE}.")
    private int limit;

    @Option(names = "--tasks", paramLabel = "TASK", split = ",", defaultValue = "sr:4,sr:8,blur:3,motion,inpaint:box,inpaint:random:0.7",
            description = "How to degrade. Default: ${DEFAULT-VALUE}.")
    private List<String> tasks;

    @Option(names = "--variants", paramLabel = "NAME", split = ",", defaultValue = "first-order,paper,normalised",
            description = "first-order (eta 0), and the trace term with the paper's or the normalised weight. Default: ${DEFAULT-VALUE}.")
    private List<String> variants;

    @Option(names = "--sigma", paramLabel = "X", defaultValue = "0.01", description = "Noise, on the scale of [-1,1]. Default: ${DEFAULT-VALUE}.")
    private double sigma;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of all that is random. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE", description = "Write the table to a file, once it is whole. Default: print it as it grows.")
    private Path out;

    @Mixin
    private StslOptions stsl;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        variants.forEach(v -> Choice.of("variant", v, VARIANTS));
        if (out != null) {
            AtomicFile.check(out);
        }
        OutputStream bytes = out == null ? System.out : new ByteArrayOutputStream();
        table(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        if (bytes instanceof ByteArrayOutputStream b) {
            AtomicFile.write(out, b.toByteArray());
        }
        return 0;
    }

    private void table(PrintStream to) throws IOException {
        List<Evaluation.Variant> runs = variants.stream().map(v -> new Evaluation.Variant(v, options(v))).toList();
        try (StableDiffusion model = StableDiffusion.open(folder); Device device = engine.open()) {
            NoiseSchedule schedule = new NoiseSchedule(model.schedule());
            LatentCodec codec = new LatentCodec(model.vae(), model.unet().stride());
            Evaluation e = new Evaluation(device, schedule, Prompts.bind(model, device, schedule, "", 1), codec, size, sigma, to);
            for (Path picture : Evaluation.pictures(images, skip, limit)) {
                e.run(picture, tasks, runs, seed);
            }
        }
    }

    private Stsl.Options options(String variant) {
        Stsl.Options o = stsl.options();
        return switch (variant) {
            case "first-order" -> o.with(0, Stsl.TraceWeight.PAPER);
            case "paper" -> o.with(o.eta(), Stsl.TraceWeight.PAPER);
            default -> o.with(o.eta(), Stsl.TraceWeight.NORMALISED);
        };
    }
}
