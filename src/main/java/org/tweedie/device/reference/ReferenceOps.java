// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.reference;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.tweedie.program.op.*;

/**
 * Computes each op by its definition. Fused pull-backs and push-forwards are written from their formulas, not from their
 * decomposition.
 */
final class ReferenceOps {
    private ReferenceOps() {}

    static void run(Op op, List<Array> in, List<Array> out) {
        Array x = in.getFirst();
        Array y = out.getFirst();
        switch (op) {
            case Affine o -> each(y, i -> o.scale() * x.data()[i] + o.shift());
            case Unary o -> each(y, i -> o.fn().at(o.order(), x.data()[i]));
            case UnaryMul o -> each(y, i -> in.get(1).data()[i] * o.fn().at(o.order(), x.data()[i]));
            case Binary o -> binary(o.kind(), x, in.get(1), y);
            case ReduceSum _ -> reduceSum(x, y);
            case Broadcast _ -> each(y, i -> x.data()[x.at(y.index(i))]);
            case Reshape o -> System.arraycopy(x.data(), 0, y.data(), 0, y.size());
            case Transpose o -> transpose(o, x, y);
            case Concat o -> concat(o.axis(), in, y);
            case Slice o -> shift(x, y, o.axis(), -o.from());
            case Pad o -> shift(x, y, o.axis(), o.before());
            case Softmax o -> softmax(x, y);
            case Gather _ -> gather(x, in.get(1), y);
            case Upsample o -> resample(o.factor(), y, x, false);
            case SumPool o -> resample(o.factor(), x, y, true);
            case MatMul o -> matmul(o, in, y);
            case Convolution o -> conv2d(o, x, in.get(1), in.size() == 3 ? in.get(2).data() : null, y);
            case ConvolutionVjp o -> conv2dVjp(o.of(), x, in.get(1), y);
            case GroupNormalization o -> ReferenceNorm.forward(o, in, y);
            case GroupNormalizationVjp o -> ReferenceNorm.vjp(o.of(), in, y);
            case GroupNormalizationJvp o -> ReferenceNorm.jvp(o.of(), in, y);
            case DotProductAttention o -> ReferenceAttention.forward(o, in, out);
            case DotProductAttentionVjp o -> ReferenceAttention.vjp(o, in, out);
            case DotProductAttentionJvp o -> ReferenceAttention.jvp(o, in, y);
            case Geglu _ -> ReferenceGated.forward(x, y);
            case GegluVjp _ -> ReferenceGated.vjp(x, in.get(1), y);
            case GegluJvp _ -> ReferenceGated.jvp(x, in.get(1), y);
            case TweedieMean _ -> ReferenceSampling.tweedieMean(in, y);
            case DdimMove _ -> ReferenceSampling.ddimMove(in, y);
            case Guidance o -> ReferenceSampling.guidance(o.weight(), x, y);
            case GuidanceVjp o -> ReferenceSampling.guidanceVjp(o.of().weight(), x, y);
            case HutchinsonPair _ -> ReferenceSampling.pair(in, y);
            case HutchinsonPairVjp _ -> ReferenceSampling.pairVjp(x, y);
            case HutchinsonEstimate o -> ReferenceSampling.estimate(o.factor(), in, y, out.get(1));
            case HutchinsonEstimateVjp o -> ReferenceSampling.estimateVjp(o.factor(), in, y);
            case FusedOp o -> throw new IllegalStateException("device 'reference': " + o + " has no loop; write it first");
        }
    }

    private static void each(Array y, IntToDoubleFunction f) {
        for (int i = 0; i < y.size(); i++) {
            y.data()[i] = f.applyAsDouble(i);
        }
    }

    private static void reduceSum(Array x, Array y) {
        for (int i = 0; i < x.size(); i++) {
            y.data()[y.at(x.index(i))] += x.data()[i];
        }
    }

    private static void gather(Array table, Array ids, Array y) {
        int c = table.dim(1);
        for (int i = 0; i < ids.size(); i++) {
            System.arraycopy(table.data(), (int) ids.data()[i] * c, y.data(), i * c, c);
        }
    }

    private static void binary(Binary.Kind kind, Array x, Array y, Array z) {
        for (int i = 0; i < z.size(); i++) {
            int[] index = z.index(i);
            double a = x.data()[x.at(index)];
            double b = y.data()[y.at(index)];
            z.data()[i] = switch (kind) {
                case ADD -> a + b;
                case SUB -> a - b;
                case MUL -> a * b;
                case DIV -> a / b;
            };
        }
    }

    private static void transpose(Transpose o, Array x, Array y) {
        for (int i = 0; i < y.size(); i++) {
            int[] to = y.index(i);
            int[] from = new int[to.length];
            for (int a = 0; a < to.length; a++) {
                from[o.perm().get(a)] = to[a];
            }
            y.data()[i] = x.data()[x.at(from)];
        }
    }

    private static void concat(int axis, List<Array> in, Array y) {
        int from = 0;
        for (Array x : in) {
            shift(x, y, axis, from);
            from += x.dim(axis);
        }
    }

    /** Copies x into y, moved along an axis; what falls outside of y is dropped. */
    private static void shift(Array x, Array y, int axis, int by) {
        for (int i = 0; i < x.size(); i++) {
            int[] index = x.index(i);
            index[axis] += by;
            if (index[axis] >= 0 && index[axis] < y.dim(axis)) {
                y.data()[y.at(index)] = x.data()[i];
            }
        }
    }

    private static void softmax(Array x, Array y) {
        int n = x.dim(-1);
        for (int row = 0; row < x.size(); row += n) {
            double max = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < n; i++) {
                max = Math.max(max, x.data()[row + i]);
            }
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += y.data()[row + i] = Math.exp(x.data()[row + i] - max);
            }
            for (int i = 0; i < n; i++) {
                y.data()[row + i] /= sum;
            }
        }
    }

    /** Copies small to each place of its block in large, or (sum) adds each block of large into small. */
    private static void resample(int factor, Array large, Array small, boolean sum) {
        for (int i = 0; i < large.size(); i++) {
            int[] index = large.index(i);
            index[1] /= factor;
            index[2] /= factor;
            int j = small.at(index);
            if (sum) {
                small.data()[j] += large.data()[i];
            } else {
                large.data()[i] = small.data()[j];
            }
        }
    }

    private static void matmul(MatMul o, List<Array> in, Array c) {
        Array a = in.get(0);
        Array b = in.get(1);
        int k = a.dim(o.transA() ? -2 : -1);
        int r = c.shape().rank();
        for (int i = 0; i < c.size(); i++) {
            int[] ia = c.index(i);
            int[] ib = ia.clone();
            int row = ia[r - 2];
            int column = ia[r - 1];
            double sum = in.size() == 3 ? in.get(2).data()[column] : 0;
            for (int j = 0; j < k; j++) {
                ia[r - 2] = o.transA() ? j : row;
                ia[r - 1] = o.transA() ? row : j;
                ib[r - 2] = o.transB() ? column : j;
                ib[r - 1] = o.transB() ? j : column;
                sum += a.data()[a.at(ia)] * b.data()[b.at(ib)];
            }
            c.data()[i] = sum;
        }
    }

    private static void conv2d(Convolution o, Array x, Array w, double[] bias, Array y) {
        int cin = w.dim(1);
        int kh = w.dim(2);
        int kw = w.dim(3);
        for (int i = 0; i < y.size(); i++) {
            int[] at = y.index(i); // b, row, column, channel
            double sum = bias == null ? 0 : bias[at[3]];
            for (int u = 0; u < kh; u++) {
                for (int v = 0; v < kw; v++) {
                    int row = at[1] * o.stride() + u - o.top();
                    int column = at[2] * o.stride() + v - o.left();
                    if (row >= 0 && row < x.dim(1) && column >= 0 && column < x.dim(2)) {
                        int pixel = ((at[0] * x.dim(1) + row) * x.dim(2) + column) * cin;
                        for (int c = 0; c < cin; c++) {
                            sum += x.data()[pixel + c] * w.data()[((at[3] * cin + c) * kh + u) * kw + v];
                        }
                    }
                }
            }
            y.data()[i] = sum;
        }
    }

    private static void conv2dVjp(Convolution o, Array dy, Array w, Array dx) {
        int cin = w.dim(1);
        int kh = w.dim(2);
        int kw = w.dim(3);
        for (int i = 0; i < dy.size(); i++) {
            int[] at = dy.index(i);
            for (int u = 0; u < kh; u++) {
                for (int v = 0; v < kw; v++) {
                    int row = at[1] * o.stride() + u - o.top();
                    int column = at[2] * o.stride() + v - o.left();
                    if (row >= 0 && row < dx.dim(1) && column >= 0 && column < dx.dim(2)) {
                        int pixel = ((at[0] * dx.dim(1) + row) * dx.dim(2) + column) * cin;
                        for (int c = 0; c < cin; c++) {
                            dx.data()[pixel + c] += dy.data()[i] * w.data()[((at[3] * cin + c) * kh + u) * kw + v];
                        }
                    }
                }
            }
        }
    }
}
