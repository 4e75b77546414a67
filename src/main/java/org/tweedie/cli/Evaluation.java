// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.tweedie.device.Device;
import org.tweedie.diffusion.Codec;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.NoiseModel;
import org.tweedie.measure.Operators;
import org.tweedie.metrics.Psnr;
import org.tweedie.metrics.Ssim;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.solve.Problem;
import org.tweedie.solve.Sampling;
import org.tweedie.solve.Solver;
import org.tweedie.solve.Stsl;

/** Degrades and restores a folder of pictures and writes a line for each picture, task and variant: the table behind a claim. */
final class Evaluation {
    /** A solver's settings under a name. */
    record Variant(String name, Stsl.Options options) {}

    private final Device device;
    private final NoiseSchedule schedule;
    private final Denoiser denoiser;
    private final Codec codec;
    private final int size;
    private final double sigma;
    private final PrintStream out;

    Evaluation(Device device, NoiseSchedule schedule, Denoiser denoiser, Codec codec, int size, double sigma, PrintStream out) {
        this.device = device;
        this.schedule = schedule;
        this.denoiser = denoiser;
        this.codec = codec;
        this.size = size;
        this.sigma = sigma;
        this.out = out;
        out.println("picture,task,variant,psnr,ssim,residual,decoded_psnr,decoded_ssim,decoded_residual,seconds,"
                + "nfe,unet_forwards,unet_vjps,decodes,decode_vjps,encodes");
    }

    /** Pictures of a folder in the order of their names, from {@code skip}, brought to one size by averaging. */
    static List<Path> pictures(Path folder, int skip, int limit) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().skip(skip).limit(limit).toList();
        }
    }

    void run(Path file, List<String> tasks, List<Variant> variants, long seed) throws IOException {
        Image x = average(ImageFile.read(file).image(), size);
        String picture = file.getFileName().toString();
        for (String task : tasks) {
            MeasurementOperator a = Operators.parse(task, x.shape(), seed);
            Tensor y = Measurement.of(device, x, a, new NoiseModel.Gaussian(sigma), seed).y();
            Problem p = new Problem(device, schedule, denoiser, codec, a, y, x.shape(), sigma, seed);
            if (y.shape().equals(x.shape())) {
                line(picture, task, "measurement", x, Image.of(y)); // a hole is grey in it
            }
            line(picture, task, "pinv", x, Image.of(a.pinv(y)));
            try (Sampling s = new Sampling(p)) {
                NfeLedger none = new NfeLedger();
                line(picture, task, "autoencoder", x, Image.of(s.decode(s.encode(x.tensor(), none), none)));
            }
            for (Variant v : variants) {
                long start = System.nanoTime();
                Solver.Result r = new Stsl(v.options).solve(p, step -> {});
                double seconds = (System.nanoTime() - start) / 1e9;
                NfeLedger c = r.counts();
                out.printf(Locale.ROOT, "%s,%s,%s,%.3f,%.4f,%.3f,%.3f,%.4f,%.3f,%.1f,%d,%d,%d,%d,%d,%d%n", picture, task, v.name,
                        psnr(x, r.image()), ssim(x, r.image()), r.residual(), psnr(x, r.decoded()), ssim(x, r.decoded()), r.decodedResidual(),
                        seconds, c.nfe(), c.unetForwards(), c.unetVjps(), c.decodes(), c.decodeVjps(), c.encodes());
                out.flush();
            }
        }
    }

    private void line(String picture, String task, String variant, Image x, Image got) {
        Image shown = got.clamp();
        out.printf(Locale.ROOT, "%s,%s,%s,%.3f,%.4f,,,,,,,,,,,%n", picture, task, variant, Psnr.of(x, shown), Ssim.of(x, shown));
    }

    private static double psnr(Image x, Tensor got) {
        return Psnr.of(x, Image.of(got).clamp());
    }

    private static double ssim(Image x, Tensor got) {
        return Ssim.of(x, Image.of(got).clamp());
    }

    /** The picture at a side that divides its own, each pixel the mean of a block. */
    static Image average(Image x, int size) {
        if (x.width() % size != 0 || x.height() % size != 0) {
            throw new IllegalArgumentException("picture " + x + ": sides are not multiples of " + size);
        }
        int fx = x.width() / size;
        int fy = x.height() / size;
        float[] out = new float[size * size * 3];
        for (int i = 0; i < x.height(); i++) {
            for (int j = 0; j < x.width(); j++) {
                for (int c = 0; c < 3; c++) {
                    out[((i / fy) * size + j / fx) * 3 + c] += x.get(j, i, c) / (fx * fy);
                }
            }
        }
        return Image.of(Tensor.of(Shape.of(1, size, size, 3), out));
    }
}
