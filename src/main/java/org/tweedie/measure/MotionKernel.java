// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Kernels of a shaken camera: a random path that is drawn on a grid of twice the size, blurred slightly and reduced. The
 * steps and bends of the path follow LeviBorodenko/motionblur, the generator that the published results used; the drawing and
 * the random numbers differ from it.
 */
final class MotionKernel {
    private static final double SMALL = 0.1;

    private final Philox random;
    private long drawn;

    private MotionKernel(long seed) {
        random = new Philox(seed, Philox.Stream.KERNEL);
    }

    /**
     * Draws a kernel [1,1,size,size] without negative values and of sum 1.
     *
     * @throws IllegalArgumentException when the size or the intensity is out of range
     */
    static Tensor draw(int size, double intensity, long seed) {
        if (size < 9 || size > 255 || size % 2 == 0) {
            throw new IllegalArgumentException("motion: expected an odd size from 9 to 255 pixels, got " + size
                    + "; as in motion:61");
        }
        if (!(intensity >= 0 && intensity <= 1)) {
            throw new IllegalArgumentException("motion: expected an intensity from 0 to 1, got " + intensity
                    + "; as in motion:61:0.5");
        }
        MotionKernel k = new MotionKernel(seed);
        int n = 2 * size;
        double diagonal = n * Math.sqrt(2);
        double[][] path = k.path(diagonal, intensity);
        double[] drawing = stroke(path, n, Math.max(1, (int) (diagonal / 150)));
        double[] smooth = smooth(drawing, n, Math.max(1, (int) (0.01 * diagonal)));
        return normalised(reduced(smooth, n), size);
    }

    /** Draws from the open interval (0,1), so that a logarithm is finite. */
    private double uniform() {
        return ((random.bits(drawn++) & 0xFFFFFFFFL) + 0.5) * 0x1p-32;
    }

    /** Draws from Beta(a,b) for whole a and b, with Gamma(n) = -ln of a product of n uniform numbers. */
    private double beta(int a, int b) {
        double x = gamma(a);
        return x / (x + gamma(b));
    }

    private double gamma(int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum -= StrictMath.log(uniform());
        }
        return sum;
    }

    /** Draws from the triangular distribution on [0,right] with its peak at mode, by inversion. */
    private double triangular(double mode, double right) {
        double u = uniform();
        return u * right < mode ? Math.sqrt(u * right * mode) : right - Math.sqrt((1 - u) * right * (right - mode));
    }

    /** Draws the path: its corners {x, y} relative to their mean, in cells of the drawing grid. */
    private double[][] path(double diagonal, double intensity) {
        double longest = 0.75 * diagonal * (uniform() + uniform() * intensity * intensity);
        List<Double> steps = new ArrayList<>();
        for (double length = 0; length < longest; length += steps.getLast()) {
            steps.add(beta(1, 30) * (1 - intensity + SMALL) * diagonal);
        }
        double widest = uniform() * intensity * Math.PI;
        double flips = beta(2, 20);
        double angle = (2 * uniform() - 1) * widest;
        double[][] path = new double[steps.size()][2];
        double x = 0;
        double y = 0;
        for (int i = 0; i < path.length; i++) {
            if (i > 0) {
                double sign = Math.signum(angle) * (uniform() < flips ? -1 : 1);
                angle = sign * triangular(intensity * widest, widest + SMALL);
            }
            x += steps.get(i) * StrictMath.cos(angle);
            y += steps.get(i) * StrictMath.sin(angle);
            path[i] = new double[] {x, y};
        }
        return turned(path, uniform() * Math.PI);
    }

    private static double[][] turned(double[][] path, double angle) {
        double mx = 0;
        double my = 0;
        for (double[] p : path) {
            mx += p[0] / path.length;
            my += p[1] / path.length;
        }
        double c = StrictMath.cos(angle);
        double s = StrictMath.sin(angle);
        double[][] out = new double[path.length][];
        for (int i = 0; i < out.length; i++) {
            double x = path[i][0] - mx;
            double y = path[i][1] - my;
            out[i] = new double[] {c * x - s * y, s * x + c * y};
        }
        return out;
    }

    /**
     * Draws a line of a width through the corners around the middle of an n x n grid. The value of a cell is the fraction of
     * it that the line covers.
     */
    private static double[] stroke(double[][] path, int n, double width) {
        double[] grid = new double[n * n];
        for (int i = 0; i < grid.length; i++) {
            double x = i % n + 0.5 - n / 2.0;
            double y = i / n + 0.5 - n / 2.0;
            double nearest = Double.MAX_VALUE;
            for (int k = 0; k < path.length; k++) {
                nearest = Math.min(nearest, distance(x, y, path[Math.max(0, k - 1)], path[k]));
            }
            grid[i] = Math.max(0, Math.min(1, width / 2 + 0.5 - nearest));
        }
        return grid;
    }

    private static double distance(double x, double y, double[] from, double[] to) {
        double dx = to[0] - from[0];
        double dy = to[1] - from[1];
        double length2 = dx * dx + dy * dy;
        double along = length2 == 0 ? 0 : Math.max(0, Math.min(1, ((x - from[0]) * dx + (y - from[1]) * dy) / length2));
        double ex = x - from[0] - along * dx;
        double ey = y - from[1] - along * dy;
        return Math.sqrt(ex * ex + ey * ey);
    }

    private static double[] smooth(double[] grid, int n, double std) {
        double[] m = Separable.correlation(n, GaussianBlur.taps(std)).doubles();
        return sandwich(m, grid, n, n);
    }

    private static double[] reduced(double[] grid, int n) {
        return sandwich(Separable.reduction(n, 2, MotionKernel::lanczos, 3).doubles(), grid, n / 2, n);
    }

    /** Returns M G M^T for M [m,n] and G [n,n]. */
    private static double[] sandwich(double[] m, double[] g, int rows, int n) {
        double[] left = product(rows, n, n, (i, k) -> m[i * n + k], (k, j) -> g[k * n + j]);
        return product(rows, n, rows, (i, k) -> left[i * n + k], (k, j) -> m[j * n + k]);
    }

    private interface Entry {
        double at(int i, int j);
    }

    private static double[] product(int rows, int inner, int columns, Entry a, Entry b) {
        double[] out = new double[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int k = 0; k < inner; k++) {
                double x = a.at(i, k);
                for (int j = 0; x != 0 && j < columns; j++) {
                    out[i * columns + j] += x * b.at(k, j);
                }
            }
        }
        return out;
    }

    private static double lanczos(double x) {
        double a = Math.PI * x;
        return x == 0 ? 1 : Math.abs(x) >= 3 ? 0 : 3 * StrictMath.sin(a) * StrictMath.sin(a / 3) / (a * a);
    }

    /**
     * Sets values below half a grey level (of 255 at the peak) to zero, as in a drawing of 8 bits, which keeps the support
     * small, and normalises the sum to 1.
     */
    private static Tensor normalised(double[] k, int size) {
        double peak = 0;
        for (double v : k) {
            peak = Math.max(peak, v);
        }
        double sum = 0;
        for (int i = 0; i < k.length; i++) {
            k[i] = k[i] < peak / 510 ? 0 : k[i];
            sum += k[i];
        }
        if (!(sum > 0)) {
            throw new IllegalStateException("motion: the path left the drawing of " + size + " pixels; try another seed");
        }
        float[] out = new float[k.length];
        for (int i = 0; i < k.length; i++) {
            out[i] = (float) (k[i] / sum);
        }
        return Tensor.of(Shape.of(1, 1, size, size), out);
    }
}
