// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.List;
import java.util.stream.IntStream;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Tensor;
import org.tweedie.program.op.DotProductAttention;

/**
 * Attention as matrix products of the storage type would do it, unfused: scores and sums in double from operands as stored, what
 * goes into a
 * second product (softmax weights, their differentials) rounded to the type, the result rounded. What a fused kernel may lose is
 * measured by
 * what this loses.
 */
final class PlainAttention {
    private final DotProductAttention op;
    private final DType type;
    private final int n;
    private final int m;
    private final int channels;
    private final int d;

    PlainAttention(DotProductAttention op, DType type, Tensor q, Tensor k) {
        this.op = op;
        this.type = type;
        this.n = q.shape().dim(1);
        this.m = k.shape().dim(1);
        this.channels = q.shape().dim(2);
        this.d = channels / op.heads();
    }

    /** One head of one batch element: operands and results as [tokens, d] inside of [B,tokens,C]. */
    private interface Head {
        void run(int b, int h);
    }

    private void eachHead(int batch, Head head) {
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < op.heads(); h++) {
                head.run(b, h);
            }
        }
    }

    /** x y^T of a head: [n,m]. */
    private double[][] scores(int b, int h, double[] x, double[] y) {
        double[][] s = new double[n][m];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < m; j++) {
                for (int c = 0; c < d; c++) {
                    s[i][j] += x[(b * n + i) * channels + h * d + c] * y[(b * m + j) * channels + h * d + c];
                }
                s[i][j] *= op.scale(channels);
            }
        }
        return s;
    }

    private double[][] weights(int b, int h, double[] q, double[] k) {
        double[][] p = scores(b, h, q, k);
        for (int i = 0; i < n; i++) {
            int end = op.causal() ? i + 1 : m;
            double top = IntStream.range(0, end).mapToDouble(row(p, i)).max().orElseThrow();
            double sum = 0;
            for (int j = 0; j < m; j++) {
                sum += p[i][j] = j < end ? Math.exp(p[i][j] - top) : 0;
            }
            for (int j = 0; j < m; j++) {
                p[i][j] /= sum;
            }
        }
        return p;
    }

    private static java.util.function.IntToDoubleFunction row(double[][] p, int i) {
        return j -> p[i][j];
    }

    private double rounded(double x) {
        return Rounding.to(type, (float) x);
    }

    /** y += f w x, w rounded: rows of y are queries and of x keys, or the other way round. */
    private void mix(int b, int h, double f, double[][] w, double[] x, double[] y, boolean keys) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < m; j++) {
                double p = f * rounded(w[i][j]);
                int query = (b * n + i) * channels + h * d;
                int key = (b * m + j) * channels + h * d;
                for (int c = 0; c < d; c++) {
                    y[(keys ? key : query) + c] += p * x[(keys ? query : key) + c];
                }
            }
        }
    }

    private double[] rounded(double[] y) {
        for (int i = 0; i < y.length; i++) {
            y[i] = rounded(y[i]);
        }
        return y;
    }

    /** o of q, k, v. */
    double[] forward(List<Tensor> in) {
        double[] y = new double[(int) in.get(0).shape().size()];
        eachHead(in.get(0).shape().dim(0), (b, h) -> mix(b, h, 1, weights(b, h, in.get(0).doubles(), in.get(1).doubles()),
                in.get(2).doubles(), y, false));
        return rounded(y);
    }

    /** dq, dk, dv of q, k, v, o, lse, do. */
    List<double[]> vjp(List<Tensor> in) {
        double[][] x = in.stream().map(Tensor::doubles).toArray(double[][]::new);
        double[] dq = new double[x[0].length];
        double[] dk = new double[x[1].length];
        double[] dv = new double[x[1].length];
        eachHead(in.get(0).shape().dim(0), (b, h) -> {
            double[][] p = weights(b, h, x[0], x[1]);
            double[][] dp = scores(b, h, x[5], x[2]);
            double[][] ds = new double[n][m];
            for (int i = 0; i < n; i++) {
                int at = (b * n + i) * channels + h * d;
                double delta = IntStream.range(at, at + d).mapToDouble(c -> x[3][c] * x[5][c]).sum();
                for (int j = 0; j < m; j++) {
                    ds[i][j] = p[i][j] * (dp[i][j] / op.scale(channels) - delta);
                }
            }
            mix(b, h, op.scale(channels), ds, x[1], dq, false);
            mix(b, h, op.scale(channels), ds, x[0], dk, true);
            mix(b, h, 1, p, x[5], dv, true);
        });
        return List.of(rounded(dq), rounded(dk), rounded(dv));
    }

    /** to of q, k, v and the tangents tq and, if there are any, tk, tv. */
    double[] jvp(List<Tensor> in, List<Tensor> tangents) {
        double[][] x = in.stream().limit(3).map(Tensor::doubles).toArray(double[][]::new);
        double[][] t = tangents.stream().map(Tensor::doubles).toArray(double[][]::new);
        double[] y = new double[x[0].length];
        eachHead(in.get(0).shape().dim(0), (b, h) -> {
            double[][] p = weights(b, h, x[0], x[1]);
            double[][] ts = scores(b, h, t[0], x[1]);
            double[][] more = t.length > 1 ? scores(b, h, x[0], t[1]) : new double[n][m];
            for (int i = 0; i < n; i++) {
                double mean = 0;
                for (int j = 0; j < m; j++) {
                    ts[i][j] += more[i][j];
                    mean += p[i][j] * ts[i][j];
                }
                for (int j = 0; j < m; j++) {
                    ts[i][j] = p[i][j] * (ts[i][j] - mean);
                }
            }
            mix(b, h, 1, ts, x[2], y, false);
            if (t.length > 1) {
                mix(b, h, 1, p, t[2], y, false);
            }
        });
        return rounded(y);
    }
}
