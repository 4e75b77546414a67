// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import java.util.List;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;

/** Computes attention, its pull-back and its push-forward, one query of one head at a time. */
final class ReferenceAttention {
    private ReferenceAttention() {}

    /** One query row: batch, head, query, the size of a head, the number of keys that it sees, and its softmax weights. */
    private record Row(int b, int h, int i, int d, int heads, double scale, double[] p, double lse) {
        /** Offset in x [B,N,C] of this head's part of a token. */
        int at(Array x, int token) {
            return ((b * x.dim(1) + token) * heads + h) * d;
        }

        /** Product of this head's parts of token i of x and token j of y. */
        double dot(Array x, int i, Array y, int j) {
            double sum = 0;
            for (int c = 0; c < d; c++) {
                sum += x.data()[at(x, i) + c] * y.data()[at(y, j) + c];
            }
            return sum;
        }

        /** Adds a multiple of this head's part of token j of y to that of token i of x. */
        void add(Array x, int i, double a, Array y, int j) {
            for (int c = 0; c < d; c++) {
                x.data()[at(x, i) + c] += a * y.data()[at(y, j) + c];
            }
        }
    }

    private interface Body {
        void run(Row row);
    }

    private static void eachRow(DotProductAttention o, Array q, Array k, Body body) {
        int d = q.dim(2) / o.heads();
        for (int b = 0; b < q.dim(0); b++) {
            for (int h = 0; h < o.heads(); h++) {
                for (int i = 0; i < q.dim(1); i++) {
                    double[] p = new double[o.causal() ? i + 1 : k.dim(1)];
                    Row scores = new Row(b, h, i, d, o.heads(), o.scale(q.dim(2)), p, 0);
                    double max = Double.NEGATIVE_INFINITY;
                    for (int j = 0; j < p.length; j++) {
                        p[j] = scores.scale * scores.dot(q, i, k, j);
                        max = Math.max(max, p[j]);
                    }
                    double sum = 0;
                    for (int j = 0; j < p.length; j++) {
                        sum += p[j] = Math.exp(p[j] - max);
                    }
                    for (int j = 0; j < p.length; j++) {
                        p[j] /= sum;
                    }
                    body.run(new Row(b, h, i, d, o.heads(), scores.scale, p, max + Math.log(sum)));
                }
            }
        }
    }

    static void forward(DotProductAttention o, List<Array> in, List<Array> out) {
        eachRow(o, in.get(0), in.get(1), r -> {
            for (int j = 0; j < r.p.length; j++) {
                r.add(out.get(0), r.i, r.p[j], in.get(2), j);
            }
            out.get(1).data()[(r.b * o.heads() + r.h) * in.get(0).dim(1) + r.i] = r.lse;
        });
    }

    static void vjp(DotProductAttentionVjp o, List<Array> in, List<Array> out) {
        Array q = in.get(0);
        Array k = in.get(1);
        Array dout = in.get(5);
        eachRow(o.of(), q, k, r -> {
            double[] dp = new double[r.p.length];
            double mean = 0;
            for (int j = 0; j < dp.length; j++) {
                dp[j] = r.dot(dout, r.i, in.get(2), j);
                mean += r.p[j] * dp[j];
            }
            for (int j = 0; j < dp.length; j++) {
                double ds = r.scale * r.p[j] * (dp[j] - mean);
                r.add(out.get(0), r.i, ds, k, j);
                if (o.keys()) {
                    r.add(out.get(1), j, ds, q, r.i);
                    r.add(out.get(2), j, r.p[j], dout, r.i);
                }
            }
        });
    }

    static void jvp(DotProductAttentionJvp o, List<Array> in, Array to) {
        Array q = in.get(0);
        Array k = in.get(1);
        eachRow(o.of(), q, k, r -> {
            double[] ts = new double[r.p.length];
            double mean = 0;
            for (int j = 0; j < ts.length; j++) {
                ts[j] = r.scale * (r.dot(in.get(5), r.i, k, j) + (o.keys() ? r.dot(q, r.i, in.get(6), j) : 0));
                mean += r.p[j] * ts[j];
            }
            for (int j = 0; j < ts.length; j++) {
                r.add(to, r.i, r.p[j] * (ts[j] - mean), in.get(2), j);
                if (o.keys()) {
                    r.add(to, r.i, r.p[j], in.get(7), j);
                }
            }
        });
    }
}
