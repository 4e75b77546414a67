// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;

/**
 * Computes an operation graph in double, operation by operation, as cuDNN's documentation describes each. Tensors with a place
 * are read and written at their addresses with their strides.
 */
final class GraphMachine {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final Map<Long, FakeCudnn.Entry> live;
    private final Map<Long, Long> addresses = new HashMap<>(); // by unique id
    private final Map<Long, double[]> virtual = new HashMap<>(); // by unique id, in row-major order

    GraphMachine(Map<Long, FakeCudnn.Entry> live, FakeCudnn.Entry pack) {
        this.live = live;
        long[] ids = pack.values.get(1000);
        long[] pointers = pack.values.get(1001);
        assertEquals(ids.length, pointers.length);
        for (int i = 0; i < ids.length; i++) {
            addresses.put(ids[i], pointers[i]);
        }
    }

    void run(long[] operations) {
        for (long at : operations) {
            FakeCudnn.Entry op = live.get(at);
            switch (op.kind) {
                case 10 -> convolution(op, tensor(op, 704), tensor(op, 703), tensor(op, 705), live.get(op.values.get(702)[0]),
                        false);
                case 12 -> convolution(op, tensor(op, 710), tensor(op, 709), tensor(op, 711), live.get(op.values.get(708)[0]),
                        true);
                case 13 -> pointwise(op);
                case 19 -> matmul(tensor(op, 1520), tensor(op, 1521), tensor(op, 1522));
                case 22 -> reduction(live.get(op.values.get(1612)[0]).values.get(1600)[0], tensor(op, 1610), tensor(op, 1611));
                case 31 -> reshape(tensor(op, 2200), tensor(op, 2201));
                default -> throw new AssertionError("operation of kind " + op.kind);
            }
        }
    }

    private FakeCudnn.Entry tensor(FakeCudnn.Entry op, int attribute) {
        return live.get(op.values.get(attribute)[0]);
    }

    /** Returns the row-major numbers of a tensor. */
    private double[] read(FakeCudnn.Entry t) {
        if (t.values.containsKey(907)) {
            double[] v = virtual.get(id(t));
            assertTrue(v != null, "a virtual tensor is read before it is written");
            return v;
        }
        double[] v = new double[size(t)];
        for (int i = 0; i < v.length; i++) {
            long at = address(t) + offset(t, i) * (type(t) == DType.F32 ? 4 : 2);
            v[i] = switch (type(t)) {
                case F32 -> ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
                case F16 -> Float.float16ToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
                default -> Float.intBitsToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
            };
        }
        return v;
    }

    private void write(FakeCudnn.Entry t, double[] v) {
        assertEquals(size(t), v.length);
        if (t.values.containsKey(907)) {
            virtual.put(id(t), v);
            return;
        }
        for (int i = 0; i < v.length; i++) {
            float f = Rounding.to(type(t), (float) v[i]);
            long at = address(t) + offset(t, i) * (type(t) == DType.F32 ? 4 : 2);
            switch (type(t)) {
                case F32 -> ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, f);
                case F16 -> ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(f));
                default -> ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (Float.floatToRawIntBits(f) >> 16));
            }
        }
    }

    private static long id(FakeCudnn.Entry t) {
        return t.values.get(906)[0];
    }

    private long address(FakeCudnn.Entry t) {
        Long at = addresses.get(id(t));
        assertTrue(at != null, "tensor " + id(t) + " has no pointer");
        assertTrue(t.values.containsKey(908) || at % t.values.get(900)[0] == 0, "tensor " + id(t) + " lies askew");
        return at;
    }

    private static DType type(FakeCudnn.Entry t) {
        return switch ((int) t.values.get(901)[0]) {
            case 0 -> DType.F32;
            case 2 -> DType.F16;
            case 9 -> DType.BF16;
            default -> throw new AssertionError("data type " + t.values.get(901)[0]);
        };
    }

    private static long[] dims(FakeCudnn.Entry t) {
        return t.values.get(902);
    }

    private static int size(FakeCudnn.Entry t) {
        long n = 1;
        for (long d : dims(t)) {
            n *= d;
        }
        return (int) n;
    }

    /** Returns the offset, in elements, of the i-th element in row-major order. */
    private static long offset(FakeCudnn.Entry t, int i) {
        long offset = 0;
        for (int a = 3; a >= 0; a--) {
            offset += i % dims(t)[a] * t.values.get(903)[a];
            i /= (int) dims(t)[a];
        }
        return offset;
    }

    private void pointwise(FakeCudnn.Entry op) {
        FakeCudnn.Entry y = tensor(op, 753);
        FakeCudnn.Entry b = op.values.containsKey(752) ? tensor(op, 752) : null;
        double[] x = read(tensor(op, 751));
        double[] other = b == null ? null : read(b);
        FakeCudnn.Entry how = live.get(op.values.get(750)[0]);
        int mode = (int) how.values.get(0)[0];
        assertEquals(0, how.values.get(1)[0], "arithmetic in F32");
        assertTrue(mode != 106 || how.values.get(8)[0] == Float.floatToRawIntBits(1), "SiLU is swish with beta 1");
        double[] out = new double[size(y)];
        for (int i = 0; i < out.length; i++) {
            double u = x[broadcast(tensor(op, 751), y, i)];
            double v = b == null ? 0 : other[broadcast(b, y, i)];
            out[i] = switch (mode) {
                case 0 -> u + v;
                case 1 -> u * v;
                case 6 -> u / v;
                case 9 -> u - v;
                case 13 -> Math.exp(u);
                case 15 -> Math.log(u);
                case 106 -> u / (1 + Math.exp(-u));
                default -> throw new AssertionError("pointwise mode " + mode);
            };
        }
        write(y, out);
    }

    /** Returns the index in t of y's i-th element; t's axes of extent 1 are broadcast. */
    private static int broadcast(FakeCudnn.Entry t, FakeCudnn.Entry y, int i) {
        int at = 0;
        int step = 1;
        for (int a = 3; a >= 0; a--) {
            int k = (int) (i % dims(y)[a]);
            i /= (int) dims(y)[a];
            assertTrue(dims(t)[a] == dims(y)[a] || dims(t)[a] == 1, "extents do not broadcast");
            at += dims(t)[a] == 1 ? 0 : k * step;
            step *= (int) dims(t)[a];
        }
        return at;
    }

    private void matmul(FakeCudnn.Entry a, FakeCudnn.Entry b, FakeCudnn.Entry c) {
        int m = (int) dims(c)[2];
        int n = (int) dims(c)[3];
        int k = (int) dims(a)[3];
        assertTrue(dims(a)[2] == m && dims(b)[2] == k && dims(b)[3] == n, "extents of a product do not fit");
        double[] x = read(a);
        double[] y = read(b);
        double[] z = new double[size(c)];
        for (int i = 0; i < z.length; i++) {
            int batch = i / (m * n);
            for (int l = 0; l < k; l++) {
                z[i] += x[(batch * m + i / n % m) * k + l] * y[(batch * k + l) * n + i % n];
            }
        }
        write(c, z);
    }

    private void reduction(long operator, FakeCudnn.Entry x, FakeCudnn.Entry y) {
        double[] in = read(x);
        double[] out = new double[size(y)];
        Arrays.fill(out, operator == 3 ? Double.NEGATIVE_INFINITY : 0);
        for (int i = 0; i < in.length; i++) {
            int at = broadcast(y, x, i);
            out[at] = operator == 3 ? Math.max(out[at], in[i]) : out[at] + in[i];
        }
        write(y, out);
    }

    /** Views the same memory under other extents; the strides of both tensors tell which element is which. */
    private void reshape(FakeCudnn.Entry x, FakeCudnn.Entry y) {
        double[] in = read(x);
        Map<Long, Double> at = new HashMap<>();
        for (int i = 0; i < in.length; i++) {
            at.put(offset(x, i), in[i]);
        }
        double[] out = new double[size(y)];
        for (int i = 0; i < out.length; i++) {
            assertTrue(at.containsKey(offset(y, i)), "a reshape reaches beyond its operand");
            out[i] = at.get(offset(y, i));
        }
        write(y, out);
    }

    /** Computes y = x * w, or x from y. */
    private void convolution(FakeCudnn.Entry op, FakeCudnn.Entry x, FakeCudnn.Entry w, FakeCudnn.Entry y, FakeCudnn.Entry how,
            boolean back) {
        assertEquals(1, how.values.get(101)[0], "cross-correlation");
        assertEquals(Float.floatToRawIntBits(1), op.values.get(back ? 706 : 700)[0]);
        assertEquals(0, op.values.get(back ? 707 : 701)[0]);
        long[] pre = how.values.get(105);
        long[] post = how.values.get(104);
        long[] stride = how.values.get(103);
        for (int a = 0; a < 2; a++) {
            assertEquals((dims(x)[2 + a] + pre[a] + post[a] - dims(w)[2 + a]) / stride[a] + 1, dims(y)[2 + a],
                    "extents of a convolution do not fit");
        }
        double[] image = back ? new double[size(x)] : read(x);
        double[] filter = read(w);
        double[] sums = back ? read(y) : new double[size(y)];
        for (int i = 0; i < sums.length; i++) {
            int q = (int) (i % dims(y)[3]);
            int p = (int) (i / dims(y)[3] % dims(y)[2]);
            int k = (int) (i / dims(y)[3] / dims(y)[2] % dims(y)[1]);
            int n = (int) (i / dims(y)[3] / dims(y)[2] / dims(y)[1]);
            for (int j = 0; j < filter.length / dims(w)[0]; j++) {
                long s = j % dims(w)[3];
                long r = j / dims(w)[3] % dims(w)[2];
                long c = j / dims(w)[3] / dims(w)[2];
                long row = p * stride[0] - pre[0] + r;
                long column = q * stride[1] - pre[1] + s;
                if (row >= 0 && row < dims(x)[2] && column >= 0 && column < dims(x)[3]) {
                    int at = (int) (((n * dims(x)[1] + c) * dims(x)[2] + row) * dims(x)[3] + column);
                    double f = filter[(int) (k * (filter.length / dims(w)[0]) + j)];
                    if (back) {
                        image[at] += sums[i] * f;
                    } else {
                        sums[i] += image[at] * f;
                    }
                }
            }
        }
        write(back ? x : y, back ? image : sums);
    }
}
