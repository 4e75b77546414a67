// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.device.Device;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.image.Image;
import org.tweedie.image.Png;
import org.tweedie.model.StableDiffusion;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.solve.Finite;
import org.tweedie.solve.Sampling;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a picture from a text by DDIM. */
@Command(name = "generate", sortOptions = false, description = "Makes a picture from a text.", footerHeading = "%nExample:%n",
        footer = "  tweedie generate \"a photo of a dress\" --model DIR --steps 50 --guidance 3 --seed 1 -o dress.png")
final class Generate implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "PROMPT", description = "What the picture shows.")
    private String prompt;

    @Option(names = "--model", paramLabel = "DIR", required = true, description = "Checkpoint folder in the layout of diffusers.")
    private Path folder;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "50", description = "DDIM steps. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--guidance", paramLabel = "X", defaultValue = "3",
            description = "Classifier-free guidance: how strongly the text counts; 1 for none. Default: ${DEFAULT-VALUE}.")
    private double guidance;

    @Option(names = "--height", paramLabel = "PIXELS", description = "Default: what the model was trained on.")
    private Integer height;

    @Option(names = "--width", paramLabel = "PIXELS", description = "Default: what the model was trained on.")
    private Integer width;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of the noise from which it starts. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.png", required = true, description = "The picture to write.")
    private Path out;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        Output.check(out, ".png", null);
        engine.check();
        long start = System.nanoTime();
        try (StableDiffusion model = StableDiffusion.open(folder)) {
            Shape image = Shape.of(1, side(height, model, "--height"), side(width, model, "--width"), 3);
            LatentCodec codec = new LatentCodec(model.vae(), model.unet().stride());
            codec.latent(image);
            NoiseSchedule schedule = new NoiseSchedule(model.schedule());
            List<NoiseLevel> levels = schedule.levels(steps);
            NfeLedger counts = new NfeLedger();
            try (Device device = engine.open()) {
                LatentDenoiser denoiser = Prompts.bind(model, device, schedule, prompt, guidance);
                try (Sampling sampling = new Sampling(device, denoiser, codec, image)) {
                    Png.write(out, Image.of(sample(sampling, schedule, levels, codec.latent(image), counts)), provenance(image).text());
                }
            }
            report(counts, (System.nanoTime() - start) / 1e9);
        }
        return 0;
    }

    private int side(Integer given, StableDiffusion model, String option) throws IOException {
        if (given != null && given < 1) {
            throw new IllegalArgumentException(option + ": expected a number of pixels, got " + given);
        }
        return given == null ? model.side() : given;
    }

    private Tensor sample(Sampling sampling, NoiseSchedule schedule, List<NoiseLevel> levels, Shape latent, NfeLedger counts) {
        Tensor z = new Philox(seed, Philox.Stream.INIT).normals(0, latent);
        try (Progress progress = new Progress("generate", steps)) {
            for (int i = 0; i < steps; i++) {
                z = sampling.ddim(z, levels.get(i), schedule.after(levels.get(i), steps), counts);
                Finite.require(z, "generate: step " + (i + 1) + " of " + steps + " (" + levels.get(i) + "): latent z");
                progress.at(i + 1, "step " + (i + 1) + "/" + steps);
            }
        }
        return Finite.require(sampling.decode(z, counts), "generate: decoded picture");
    }

    private Provenance provenance(Shape image) {
        Provenance p = new Provenance("generate", prompt).with("model", folder).with("steps", steps).with("guidance", guidance)
                .with("height", image.dim(1)).with("width", image.dim(2)).with("seed", seed);
        engine.describe(p.options());
        return p;
    }

    private void report(NfeLedger counts, double seconds) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("generated", out.toString());
        words.put("steps", Integer.toString(steps));
        words.put("guidance", Numbers.of(guidance));
        words.put("unet_forwards", Long.toString(counts.unetForwards()));
        words.put("decodes", Long.toString(counts.decodes()));
        words.put("seconds", Numbers.of(seconds, 1));
        words.put("seed", Long.toString(seed));
        Notes.result(words);
    }
}
