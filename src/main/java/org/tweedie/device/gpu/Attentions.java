// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Type;
import org.tweedie.program.op.Attention;
import org.tweedie.program.op.AttentionJvp;
import org.tweedie.program.op.AttentionVjp;

/**
 * Launches of kernels/attention_mma.cu (tensor cores: F16 and BF16, heads of a multiple of 8 up to 160) and kernels/attention_fma.cu (F32
 * arithmetic: all others). lse and the pull-back's row sums are F32 whatever the storage.
 */
public final class Attentions {
    private static final int THREADS = 128;
    private static final int ROWS = 64; // of a block

    private Attentions() {}

    /** q, k, v to o, lse. */
    public static GpuKernel forward(Attention op, List<Type> in) {
        return GpuKernel.of(p -> new Variant(op, p.in(0), p.in(1)).launch("forward", false, 64 + 4 * 32,
                in(p, 0), in(p, 1), in(p, 2), out(p, 0), out(p, 1)));
    }

    /** q, k, v, o, lse, do to dq and, where the keys' are wanted, dk, dv. */
    public static GpuKernel vjp(AttentionVjp op, List<Type> in) {
        Shape q = in.get(0).shape();
        Shape rows = Shape.of(q.dim(0), op.of().heads(), q.dim(1));
        return new GpuKernel(op.keys() ? 4 * rows.size() : 0, p -> {
            Variant v = new Variant(op.of(), p.in(0), p.in(1));
            int tiles = 128 + 4 * (v.size == 160 ? 16 : 32);
            Buffer delta = op.keys() ? new Buffer("delta", DType.F32, rows, p.scratch()) : null;
            List<Step> steps = new ArrayList<>();
            steps.add(v.launch("vjp_queries", false, tiles, in(p, 0), in(p, 1), in(p, 2), in(p, 3), in(p, 4), in(p, 5), out(p, 0),
                    delta == null ? new Arg.None() : new Arg.Out(delta)));
            if (delta != null) {
                steps.add(v.launch("vjp_keys", true, tiles, in(p, 0), in(p, 1), in(p, 2), in(p, 4), in(p, 5), new Arg.In(delta), out(p, 1), out(p, 2)));
            }
            return steps;
        });
    }

    /** q, k, v, o, lse, tq and, where keys have tangents, tk, tv to to. */
    public static GpuKernel jvp(AttentionJvp op, List<Type> in) {
        return GpuKernel.of(p -> new Variant(op.of(), p.in(0), p.in(1)).launch("tangent", false, tangentTiles(op.keys()),
                in(p, 0), in(p, 1), in(p, 2), in(p, 3), in(p, 4), in(p, 5), tangent(op, p, 6), tangent(op, p, 7), out(p, 0)));
    }

    /** Value and tangent at once: q, k, v, tq and, where keys have tangents, tk, tv to o, lse, to. */
    public static GpuKernel dual(AttentionJvp op) {
        return GpuKernel.of(p -> new Variant(op.of(), p.in(0), p.in(1)).launch("jvp", false, tangentTiles(op.keys()),
                in(p, 0), in(p, 1), in(p, 2), in(p, 3), tangent(op, p, 4), tangent(op, p, 5), out(p, 0), out(p, 1), out(p, 2)));
    }

    private static int tangentTiles(boolean keys) {
        return 128 + (keys ? 8 : 4) * 16;
    }

    private static Arg in(GpuKernel.Places p, int i) {
        return new Arg.In(p.in(i));
    }

    private static Arg out(GpuKernel.Places p, int i) {
        return new Arg.Out(p.out(i));
    }

    private static Arg tangent(AttentionJvp op, GpuKernel.Places p, int i) {
        return op.keys() ? in(p, i) : new Arg.None();
    }

    /** Which kernel takes a head size and storage, and what all of its launches share. */
    private static final class Variant {
        final Attention op;
        final Shape q;
        final Shape k;
        final int d;
        final DType dtype;
        /** The head size that a kernel for tensor cores is made for; 0 for F32 arithmetic. */
        final int size;

        Variant(Attention op, Buffer q, Buffer k) {
            this.op = op;
            this.q = q.shape();
            this.k = k.shape();
            this.d = this.q.dim(2) / op.heads();
            this.dtype = q.dtype();
            this.size = dtype == DType.F32 || d % 8 != 0 || d > 160 ? 0 : d <= 64 ? 64 : d <= 96 ? 96 : 160;
        }

        /**
         * @param keys whether rows are keys, not queries
         * @param tiles rows of all tiles in shared memory together (tensor cores)
         */
        Launch launch(String name, boolean keys, int tiles, Arg... args) {
            List<Arg> all = new ArrayList<>(Arrays.asList(args));
            boolean wide = dtype == DType.F32 && d % 4 == 0 && d > 16;
            int type = switch (dtype) {
                case F32 -> d % 4 == 0 ? 0 : 1;
                case F16 -> 2;
                case BF16 -> 3;
                default -> throw new IllegalArgumentException("attention: no kernel for " + dtype);
            };
            all.add(new Arg.Ints(op.heads(), q.dim(1), k.dim(1), d, op.causal() ? 1 : 0, type));
            all.add(new Arg.F32((float) (1 / Math.sqrt(d))));
            int blocks = ((keys ? k : q).dim(1) + ROWS - 1) / ROWS;
            if (size > 0) {
                int row = 16 * (size / 8 + 1);
                return new Launch("attention_mma", "attention_" + name + "_d" + size + "_" + dtype.name().toLowerCase(java.util.Locale.ROOT),
                        new Launch.Dim(blocks, op.heads(), q.dim(0)), Launch.Dim.of(THREADS), tiles * row, all);
            }
            int columns = wide ? 128 : 16;
            return new Launch("attention_fma", "attention_" + name + (wide ? "_c128_f32" : "_any"),
                    new Launch.Dim(blocks, op.heads() * ((d + columns - 1) / columns), q.dim(0)), Launch.Dim.of(THREADS),
                    16 * (17 * (ROWS + 32) + 8 * columns + 5 * THREADS), all);
        }
    }
}
