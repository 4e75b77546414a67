// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Output;
import org.tweedie.cli.engine.EngineOptions;
import org.tweedie.device.Device;
import org.tweedie.image.ImageFile;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementFile;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.NoiseModel;
import org.tweedie.measure.Operators;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a measurement of a picture. */
@Command(name = "degrade", sortOptions = false,
        description = {"Degrades a picture. Writes the measurement as a PNG with 16 bits per channel, and beside it a file with "
                + "the "
                + "exact numbers for 'restore'.", "",
            "@tasks", ""},
        footerHeading = "%nExamples:%n", footer = {
            "  tweedie degrade photo.png --task sr:4 --sigma 0.01 --seed 1 -o y.png",
            "  tweedie degrade photo.png --task inpaint:random:0.7 --noise salt-pepper:0.02 -o y.png"})
final class Degrade implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "IN.png", description = "The picture to degrade, a PNG or JPEG file.")
    private Path in;

    @Option(names = "--task", paramLabel = "TASK", required = true,
            description = "The task that says how to degrade the picture.")
    private String task;

    @Option(names = "--noise", paramLabel = "KIND", defaultValue = "gaussian",
            description = "The kind of noise: gaussian or salt-pepper:FRACTION. Default: ${DEFAULT-VALUE}.")
    private String noise;

    @Option(names = "--sigma", paramLabel = "X", defaultValue = "0.01",
            description = "Standard deviation of Gaussian noise, on the scale of [-1,1]. Default: ${DEFAULT-VALUE}.")
    private double sigma;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "The seed of noise, masks and kernels. "
            + "Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = {"-o", "--out"}, paramLabel = "Y.png", required = true, description = "The measurement to write.")
    private Path out;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() throws IOException {
        Output.check(out, ".png", in);
        engine.check();
        ImageFile.Picture picture = ImageFile.read(in);
        picture.notes().forEach(Notes::note);
        MeasurementOperator operator = Operators.parse(task, picture.image().shape(), seed);
        NoiseModel model = NoiseModel.parse(noise, sigma);
        try (Device device = engine.open(d -> Measurement.of(d, picture.image(), operator, model, seed))) {
            Measurement y = Measurement.of(device, picture.image(), operator, model, seed);
            MeasurementFile.save(y, out);
            report(y);
        }
        return 0;
    }

    private void report(Measurement y) {
        Map<String, String> words = new LinkedHashMap<>();
        words.put("degraded", out.toString());
        words.put("sidecar", MeasurementFile.sidecar(out).toString());
        words.put("task", y.operator().spec());
        words.put("noise", y.noise());
        words.put("sigma", Numbers.of(y.sigma()));
        words.put("seed", Long.toString(seed));
        Notes.result(words);
    }
}
