// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import java.util.List;
import org.tweedie.program.Shape;
import org.tweedie.program.op.DotProductAttention;

/**
 * Computes attention and its pull-back as a vendor's library does, one head of one sample at a time: the pull-back takes the
 * softmax from lse, and the row sums of o do from o, so that both have to be right.
 *
 * @param in q, k, v for attention; q, k, v, o, lse, do for its pull-back
 */
record LibraryAttention(DotProductAttention op, Shape q, Shape k, List<double[]> in) {
    /** The number of heads of all samples together. */
    int heads() {
        return q.dim(0) * op.heads();
    }

    private int size() {
        return q.dim(2) / op.heads();
    }

    /** @param out o, lse; or dq and, where the keys' are wanted, dk, dv */
    void run(int head, List<double[]> out) {
        int keys = k.dim(1);
        for (int i = 0; i < q.dim(1); i++) {
            double[] scores = new double[op.causal() ? i + 1 : keys];
            for (int j = 0; j < scores.length; j++) {
                scores[j] = op.scale(q.dim(2)) * dot(in.get(0), query(head, i), in.get(1), key(head, j));
            }
            if (in.size() == 3) {
                forward(head, i, scores, out.get(0), out.get(1));
            } else {
                pullBack(head, i, scores, out);
            }
        }
    }

    private void forward(int head, int i, double[] scores, double[] o, double[] lse) {
        double max = Double.NEGATIVE_INFINITY;
        for (double s : scores) {
            max = Math.max(max, s);
        }
        double sum = 0;
        for (double s : scores) {
            sum += Math.exp(s - max);
        }
        lse[head * q.dim(1) + i] = max + Math.log(sum);
        for (int j = 0; j < scores.length; j++) {
            add(o, query(head, i), Math.exp(scores[j] - max) / sum, in.get(2), key(head, j));
        }
    }

    private void pullBack(int head, int i, double[] scores, List<double[]> out) {
        double[] dout = in.get(5);
        double along = dot(in.get(3), query(head, i), dout, query(head, i));
        for (int j = 0; j < scores.length; j++) {
            double p = Math.exp(scores[j] - in.get(4)[head * q.dim(1) + i]);
            double ds = op.scale(q.dim(2)) * p * (dot(dout, query(head, i), in.get(2), key(head, j)) - along);
            add(out.get(0), query(head, i), ds, in.get(1), key(head, j));
            if (out.size() == 3) {
                add(out.get(1), key(head, j), ds, in.get(0), query(head, i));
                add(out.get(2), key(head, j), p, dout, query(head, i));
            }
        }
    }

    /** Offset of a head's part of a query, in q [B,N,C] and what is shaped like it. */
    private int query(int head, int i) {
        return token(head, q.dim(1), i);
    }

    private int key(int head, int j) {
        return token(head, k.dim(1), j);
    }

    private int token(int head, int tokens, int i) {
        return ((head / op.heads() * tokens + i) * op.heads() + head % op.heads()) * size();
    }

    private double dot(double[] x, int ix, double[] y, int iy) {
        double sum = 0;
        for (int c = 0; c < size(); c++) {
            sum += x[ix + c] * y[iy + c];
        }
        return sum;
    }

    private void add(double[] x, int ix, double a, double[] y, int iy) {
        for (int c = 0; c < size(); c++) {
            x[ix + c] += a * y[iy + c];
        }
    }
}
