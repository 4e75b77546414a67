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
import org.tweedie.cli.console.Progress;
import org.tweedie.cli.console.Provenance;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.diffusion.Conditioning;
import org.tweedie.diffusion.Listener;
import org.tweedie.image.Png;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Shape;
import org.tweedie.sample.Generation;
import org.tweedie.sample.Sampler;
import org.tweedie.sample.Samplers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Generates a picture from a text. */
@Command(name = "generate", sortOptions = false, description = {"Generates a picture from a text.", "", "@samplers", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie generate \"a photo of a dress\" --model DIR --steps 50 --guidance 3 --seed 1 -o dress.png",
            "  tweedie generate \"a photo of a dress\" --negative blurry --sampler dpmpp-2m:karras --steps 25 --model DIR -o "
                    + "dress.png"})
final class Generate implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "PROMPT", description = "A text that says what the picture shows.")
    private String prompt;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--sampler", paramLabel = "NAME[:OPTION=VALUE,...]", defaultValue = "ddim",
            description = "The sampler that goes from noise to the picture. Default: ${DEFAULT-VALUE}.")
    private String sampler;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "50", description = "The number of steps of the sampler. "
            + "Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--guidance", paramLabel = "X", defaultValue = "3",
            description = "The scale of classifier-free guidance: how strongly the picture follows the text; 1 is no guidance. "
                    + "Default: ${DEFAULT-VALUE}.")
    private double guidance;

    @Option(names = "--negative", paramLabel = "TEXT", defaultValue = "",
            description = "A text that says what the picture must not show; guidance leads away from it. Default: no text.")
    private String negative;

    @Option(names = "--height", paramLabel = "PIXELS", description = "Height of the picture. Default: the height that the model "
            + "was trained on.")
    private Integer height;

    @Option(names = "--width", paramLabel = "PIXELS", description = "Width of the picture. Default: the width that the model "
            + "was trained on.")
    private Integer width;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "The seed of the noise that the sampler starts from. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.png", required = true, description = "The picture to write.")
    private Path out;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        Output.check(out, ".png", null);
        Sampler walker = Samplers.of(sampler);
        engine.check();
        if (!negative.isEmpty() && guidance == 1) {
            throw new IllegalArgumentException("--negative: guidance 1 does not use it; give --guidance above 1, or leave "
                    + "--negative out");
        }
        long start = System.nanoTime();
        try (Device device = engine.open(d -> rehearse(d, walker)); Model model = Tweedie.open(folder, device)) {
            model.warning(prompt).ifPresent(Notes::note);
            model.warning(negative).ifPresent(Notes::note);
            walker.walk(model.schedule(), steps); // a wrong number of steps is reported before any other work
            Shape image = image(model);
            try (Session session = session(model, image);
                    Progress progress = new Progress("generate")) {
                Generation.Result made = session.generate(walker, steps, seed,
                        s -> progress.at(s.done(), s.total(), "step " + s.step() + "/" + s.steps()));
                Png.write(out, made.picture(), provenance(image, walker).text());
                report(made.counts(), walker, (System.nanoTime() - start) / 1e9);
            }
        }
        return 0;
    }

    private Shape image(Model model) throws IOException {
        return Shape.of(1, side(height, model, "--height"), side(width, model, "--width"), 3);
    }

    private Session session(Model model, Shape image) throws IOException {
        return model.session(image.dim(1), image.dim(2), new Conditioning(prompt, negative, guidance));
    }

    private void rehearse(Device device, Sampler walker) throws IOException {
        try (Model model = Tweedie.open(folder, device); Session session = session(model, image(model))) {
            session.generate(walker, steps, seed, Listener.NONE);
        }
    }

    private static int side(Integer given, Model model, String option) throws IOException {
        if (given != null && given < 1) {
            throw new IllegalArgumentException(option + ": expected a number of pixels, got " + given);
        }
        return given == null ? model.side() : given;
    }

    private Provenance provenance(Shape image, Sampler walker) {
        Provenance p = new Provenance("generate", prompt).with("model", folder).with("sampler", Samplers.catalogue().spec(walker))
                .with("steps", steps)
                .with("guidance", guidance).with("negative", negative).with("height", image.dim(1)).with("width", image.dim(2))
                .with("seed", seed);
        engine.describe(p.options());
        return p;
    }

    private void report(NfeLedger counts, Sampler walker, double seconds) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("generated", out.toString());
        words.put("sampler", Samplers.catalogue().spec(walker));
        words.put("steps", Integer.toString(steps));
        words.put("guidance", Numbers.of(guidance));
        words.put("unet_forwards", Long.toString(counts.evaluations().unetForwards()));
        words.put("decodes", Long.toString(counts.evaluations().decodes()));
        words.put("seconds", Numbers.of(seconds, 1));
        words.put("seed", Long.toString(seed));
        Notes.result(words);
    }
}
