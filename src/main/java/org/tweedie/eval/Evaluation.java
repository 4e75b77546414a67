// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.Measurement;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.NoiseModel;
import org.tweedie.measure.Operators;
import org.tweedie.metrics.Psnr;
import org.tweedie.metrics.Ssim;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.solve.Solver;

/**
 * Degrades and restores a folder of pictures and writes a line for each task, picture and solver. All of them share one
 * prior: each program is compiled once for all pictures, and the programs of a task are closed before the next task begins.
 *
 * @param sigma the standard deviation of the measurements' noise, on the scale of [-1,1]
 */
public record Evaluation(Prior prior, double sigma, PrintStream out) {
    private static final String HEADER =
            "picture,task,solver,psnr,ssim,residual,decoded_psnr,decoded_ssim,decoded_residual,seconds,"
            + "nfe,unet_forwards,unet_vjps,unet_jvps,decodes,decode_vjps,decode_jvps,encodes,encode_vjps";

    /** A solver, and the name that its lines have in the table. */
    public record Variant(String name, Solver solver) {}

    /**
     * Returns at most {@code limit} pictures of a folder in the order of their names, after skipping the first {@code skip}.
     */
    public static List<Path> pictures(Path folder, int skip, int limit) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().skip(skip).limit(limit).toList();
        }
    }

    /** Writes the table. @param seed the seed of masks, kernels, noise and everything random in the solvers */
    public void run(List<Path> pictures, List<String> tasks, List<Variant> variants, long seed) throws IOException {
        out.println(HEADER);
        for (String task : tasks) {
            MeasurementOperator a = Operators.parse(task, prior.image(), seed);
            for (Path picture : pictures) {
                run(picture, a, variants, seed);
            }
            prior.release(a);
        }
    }

    private void run(Path file, MeasurementOperator a, List<Variant> variants, long seed) throws IOException {
        Image x = average(ImageFile.read(file).image(), prior.image().dim(1), prior.image().dim(2));
        String head = quoted(file.getFileName().toString()) + "," + a.spec() + ",";
        Run run = new Run(prior, Listener.NONE);
        Measurement y = Measurement.of(run, x, a, new NoiseModel.Gaussian(sigma), seed);
        if (y.y().shape().equals(x.shape())) {
            line(head + "measurement", x, Image.of(y.y())); // holes are grey in this picture
        }
        line(head + "pinv", x, y.start());
        line(head + "autoencoder", x, Image.of(run.decode(run.encode(x.tensor()))));
        for (Variant v : variants) {
            long start = System.nanoTime();
            Restoration r = v.solver.solve(new Problem(prior, a, y.y(), sigma, seed), Listener.NONE);
            double seconds = (System.nanoTime() - start) / 1e9;
            Nfe n = r.counts().evaluations();
            out.printf(Locale.ROOT, "%s%s,%.3f,%.4f,%.3f,%.3f,%.4f,%.3f,%.1f,%d,%d,%d,%d,%d,%d,%d,%d,%d%n", head, quoted(v.name),
                    psnr(x, r.image()),
                    ssim(x, r.image()), r.residual(), psnr(x, r.decoded()), ssim(x, r.decoded()), r.decodedResidual(), seconds,
                    r.counts().nfe(),
                    n.unetForwards(), n.unetVjps(), n.unetJvps(), n.decodes(), n.decodeVjps(), n.decodeJvps(), n.encodes(),
                    n.encodeVjps());
            out.flush();
        }
    }

    private void line(String head, Image x, Image got) {
        Image shown = got.clamp();
        out.printf(Locale.ROOT, "%s,%.3f,%.4f%s%n", head, Psnr.of(x, shown), Ssim.of(x, shown), ",".repeat(14));
    }

    /** Returns a field of a CSV table, quoted if necessary (RFC 4180). */
    private static String quoted(String field) {
        return field.matches("[^,\"\n]*") ? field : "\"" + field.replace("\"", "\"\"") + "\"";
    }

    private static double psnr(Image x, Tensor got) {
        return Psnr.of(x, Image.of(got).clamp());
    }

    private static double ssim(Image x, Tensor got) {
        return Ssim.of(x, Image.of(got).clamp());
    }

    /** Reduces a picture to sides that divide its own sides; each pixel is the mean of a block. */
    static Image average(Image x, int height, int width) {
        if (x.width() % width != 0 || x.height() % height != 0) {
            throw new IllegalArgumentException("picture " + x + ": sides are not multiples of " + width + "x" + height);
        }
        int fx = x.width() / width;
        int fy = x.height() / height;
        float[] out = new float[height * width * 3];
        for (int i = 0; i < x.height(); i++) {
            for (int j = 0; j < x.width(); j++) {
                for (int c = 0; c < 3; c++) {
                    out[((i / fy) * width + j / fx) * 3 + c] += x.get(j, i, c) / (fx * fy);
                }
            }
        }
        return Image.of(Tensor.of(Shape.of(1, height, width, 3), out));
    }
}
