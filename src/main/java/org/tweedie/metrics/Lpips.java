// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.image.Image;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/**
 * LPIPS 0.1 (Zhang, Isola, Efros, Shechtman, Wang 2018): a distance between pictures by the features of a trained network. The
 * user supplies the weights; none come with Tweedie.
 * <pre>
 *   sum over five feature maps of the mean over pixels of  sum_c w_c (f_c / (|f| + 1e-10) - g_c / (|g| + 1e-10))^2
 * </pre>
 * f and g are the two pictures' features after a ReLU, |f| is their norm over channels, and w are the linear weights. The
 * pictures are in [-1,1]; values beyond it are not clamped. The arithmetic is that of the package lpips 0.1 in its default
 * setting (no map of distances, linear weights on).
 *
 * <p>The weights are in safetensors, in one file or in two: torchvision's AlexNet or VGG16 (keys {@code features.N.weight} and
 * {@code features.N.bias}; {@code classifier.*} is not used), and the package's linear weights ({@code lin0.model.1.weight} to
 * {@code lin4.model.1.weight}). The keys tell which network it is. Numbers of channels are taken from the weights.
 *
 * <p>The network is traced for each size of picture and runs on a device; norms, differences and sums are computed on the host
 * in double. A device that stores networks in 16 bits, as {@code cuda} does if nothing else is asked for, gives about two
 * digits; open it with F32 to compare with published numbers. Two threads must not use an object at once.
 */
public final class Lpips implements AutoCloseable {
    private static final double EPSILON = 1e-10;

    private final List<SafeTensors> files;
    private final LpipsWeights weights;
    private final Device device;
    private Executable executable; // for the last size of picture, null before the first
    private int width;
    private int height;

    private Lpips(List<SafeTensors> files, LpipsWeights weights, Device device) {
        this.files = files;
        this.weights = weights;
        this.device = device;
    }

    /**
     * Opens weights. The caller closes the result before the device, which remains the caller's.
     *
     * @param paths safetensors files that together hold the network and the linear weights
     * @throws IOException when a file cannot be read as safetensors
     * @throws IllegalArgumentException when keys are missing, misshapen, in two files or not expected
     */
    public static Lpips open(List<Path> paths, Device device) throws IOException {
        if (paths.isEmpty()) {
            throw new IllegalArgumentException("lpips: expected one safetensors file or two, got none; name the files with the "
                    + "network's weights and the linear weights");
        }
        List<SafeTensors> files = new ArrayList<>();
        try {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            Map<String, Path> origins = new LinkedHashMap<>();
            for (Path path : paths) {
                SafeTensors file = SafeTensors.open(path);
                files.add(file);
                for (String key : file.tensors().keySet()) {
                    Path other = origins.put(key, path);
                    if (other != null) {
                        throw new IllegalArgumentException("lpips: the key " + key + " is in " + other + " and in " + path
                                + "; expected it once; leave one file out");
                    }
                }
                tensors.putAll(file.tensors());
            }
            String names = paths.stream().map(Path::toString).collect(Collectors.joining(" and "));
            return new Lpips(files, LpipsWeights.of(names, tensors), device);
        } catch (IOException | RuntimeException | Error e) {
            files.forEach(SafeTensors::close);
            throw e;
        }
    }

    /** Returns the metric's name in tables: {@code lpips_alex} or {@code lpips_vgg}. */
    public String name() {
        return weights.backbone().metric();
    }

    /** Returns the name of what {@link #features} computes: {@code alexnet.features} or {@code vgg16.features}. */
    public String featuresName() {
        return weights.backbone().network() + ".features";
    }

    /**
     * Returns the distance: 0 for equal pictures, more for others.
     *
     * @throws IllegalArgumentException when the sizes differ, a side is too small for the network (31 pixels for AlexNet, 16 for
     *         VGG16) or the result is not finite
     */
    public double of(Image a, Image b) {
        double sum = 0;
        for (double term : terms(a, b)) {
            sum += term;
        }
        return sum;
    }

    /** Returns the terms of the distance, one for each of the five feature maps. */
    double[] terms(Image a, Image b) {
        Psnr.requireSameSize(name(), a, b);
        Map<String, Tensor> first = maps(a);
        Map<String, Tensor> second = maps(b);
        double[] terms = new double[first.size()];
        for (int k = 0; k < terms.length; k++) {
            String map = Integer.toString(k);
            terms[k] = term(first.get(map).doubles(), second.get(map).doubles(), weights.linear().get(k));
            requireFinite(terms[k]);
        }
        return terms;
    }

    private static double term(double[] f, double[] g, double[] w) {
        double sum = 0;
        for (int at = 0; at < f.length; at += w.length) {
            double nf = norm(f, at, w.length) + EPSILON;
            double ng = norm(g, at, w.length) + EPSILON;
            for (int c = 0; c < w.length; c++) {
                double d = f[at + c] / nf - g[at + c] / ng;
                sum += w[c] * d * d;
            }
        }
        return sum / (f.length / w.length);
    }

    private static double norm(double[] f, int at, int channels) {
        double sum = 0;
        for (int c = 0; c < channels; c++) {
            sum += f[at + c] * f[at + c];
        }
        return Math.sqrt(sum);
    }

    /**
     * Returns a vector of features for {@link Frechet}: the mean over pixels of the last convolution's output after its ReLU, one
     * number for each channel (256 for AlexNet, 512 for VGG16).
     *
     * @throws IllegalArgumentException when a side is too small for the network or the result is not finite
     */
    public double[] features(Image a) {
        double[] last = maps(a).get("4").doubles();
        double[] mean = new double[weights.linear().getLast().length];
        int pixels = last.length / mean.length;
        for (int i = 0; i < last.length; i++) {
            mean[i % mean.length] += last[i] / pixels;
        }
        for (double x : mean) {
            requireFinite(x);
        }
        return mean;
    }

    private void requireFinite(double x) {
        if (!Double.isFinite(x)) {
            throw new IllegalArgumentException(name() + ": expected a finite result, got " + x
                    + "; check the pictures and the weights for numbers that are not finite");
        }
    }

    private Map<String, Tensor> maps(Image a) {
        int side = weights.backbone().smallestSide();
        if (Math.min(a.width(), a.height()) < side) {
            throw new IllegalArgumentException(name() + ": expected pictures of at least " + side + "x" + side + ", got "
                    + a.width() + "x" + a.height() + "; use larger pictures");
        }
        if (executable == null || a.width() != width || a.height() != height) {
            if (executable != null) {
                executable.close();
                executable = null;
            }
            executable = device.compile(weights.program(a.width(), a.height()));
            width = a.width();
            height = a.height();
        }
        return executable.run(Map.of("picture", a.tensor()));
    }

    /** Frees the compiled network and the mapped files. */
    @Override
    public void close() {
        if (executable != null) {
            executable.close();
            executable = null;
        }
        files.forEach(SafeTensors::close);
    }
}
