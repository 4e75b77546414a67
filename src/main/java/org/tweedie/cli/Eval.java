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
import org.tweedie.Model;
import org.tweedie.Session;
import org.tweedie.Tweedie;
import org.tweedie.device.Device;
import org.tweedie.eval.Evaluation;
import org.tweedie.image.AtomicFile;
import org.tweedie.solve.Solvers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints a table of solvers over a folder of pictures. */
@Command(name = "eval", sortOptions = false,
        description = {"Degrades and restores the pictures of a folder, and prints a CSV line for each task, picture and solver.",
                "",
            "Three lines need no solver: 'measurement' is y itself if it is a picture of the same size, 'pinv' is the picture "
                + "that solvers start from (holes are filled from their surroundings), and 'autoencoder' is the true picture "
                + "encoded and decoded, which is the best result that a latent method can reach.",
            "@tasks", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie eval photos --model DIR --size 128 --tasks sr:4,inpaint:box --solver psld --solver stsl:steps=10,inner=3 "
                    + "-o table.csv"})
final class Eval implements Callable<Integer> {
    @Parameters(paramLabel = "FOLDER", description = "The folder with the pictures.")
    private Path images;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--size", paramLabel = "N", required = true, description = "The side in pixels to which each picture is "
            + "averaged down.")
    private int size;

    @Option(names = "--skip", paramLabel = "N", defaultValue = "0", description = "The number of pictures to skip at the start "
            + "of the folder. Default: ${DEFAULT-VALUE}.")
    private int skip;

    @Option(names = "--limit", paramLabel = "N", defaultValue = "24", description = "The largest number of pictures to use. "
            + "Default: ${DEFAULT-VALUE}.")
    private int limit;

    @Option(names = "--tasks", paramLabel = "TASK", split = ",",
            defaultValue = "sr:4,sr:8,blur:3,motion,inpaint:box,inpaint:random:0.7",
            description = "The tasks that say how to degrade the pictures. Default: ${DEFAULT-VALUE}.")
    private List<String> tasks;

    @Option(names = "--solver", paramLabel = "SPEC",
            description = "A solver and its options, as in stsl:steps=10,eta=0; the option may be given several times. 'restore "
                    + "--solver NAME --help' lists "
                + "a solver's options. Default: stsl:eta=0, stsl and stsl:trace-weight=normalised.")
    private List<String> solvers = List.of("stsl:eta=0", "stsl", "stsl:trace-weight=normalised");

    @Option(names = "--sigma", paramLabel = "X", defaultValue = "0.01",
            description = "Standard deviation of the noise, on the scale of [-1,1]. Default: ${DEFAULT-VALUE}.")
    private double sigma;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "The seed of everything that is random. "
            + "Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE",
            description = "Write the table to this file once it is complete. Default: print each line as soon as it is computed.")
    private Path out;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        List<Evaluation.Variant> variants = solvers.stream().map(s -> new Evaluation.Variant(s, Solvers.of(s))).toList();
        if (out != null) {
            AtomicFile.check(out);
        }
        OutputStream bytes = out == null ? System.out : new ByteArrayOutputStream();
        table(new PrintStream(bytes, true, StandardCharsets.UTF_8), variants);
        if (bytes instanceof ByteArrayOutputStream b) {
            AtomicFile.write(out, b.toByteArray());
        }
        return 0;
    }

    private void table(PrintStream to, List<Evaluation.Variant> variants) throws IOException {
        try (Device device = engine.open(); Model model = Tweedie.open(folder, device);
                Session session = model.session(size, size)) {
            new Evaluation(session.prior(), sigma, to).run(Evaluation.pictures(images, skip, limit), tasks, variants, seed);
        }
    }
}
