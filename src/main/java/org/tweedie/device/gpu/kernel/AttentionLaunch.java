// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.DotProductAttention;

/** Chooses among the attention kernels by head size and storage, and makes the part that all of their launches share. */
final class AttentionLaunch {
    private static final int THREADS = 128;
    private static final int ROWS = 64; // rows of a block, 16 for each warp

    private final DotProductAttention op;
    private final Shape q;
    private final Shape k;
    private final DType dtype;
    private final int d;

    AttentionLaunch(DotProductAttention op, Buffer q, Buffer k) {
        this.op = op;
        this.q = q.shape();
        this.k = k.shape();
        this.dtype = q.dtype();
        this.d = this.q.dim(2) / op.heads();
        if (q.size() > Integer.MAX_VALUE || k.size() > Integer.MAX_VALUE) { // kernels index with 32 bits
            throw new IllegalArgumentException("attention: expected operands of less than 2^31 elements, got q " + q + " and k "
                    + k + "; split the batch");
        }
        if (dtype != DType.F32 && dtype != DType.F16 && dtype != DType.BF16) {
            throw new IllegalArgumentException("attention: expected q in F32, F16 or BF16, got " + q);
        }
    }

    private boolean tensorCores() {
        return dtype != DType.F32 && d % 8 == 0;
    }

    /** Tells whether heads are too large for a row to stay in shared memory. */
    boolean wide() {
        return tensorCores() && d > 160;
    }

    /**
     * @param keys whether rows are keys, not queries
     * @param operands number of tensors whose rows stay in shared memory
     * @param tiles number of tiles of the other side in shared memory, both stages together
     * @param values number of tiles from which results are summed
     */
    Launch of(String name, boolean keys, int operands, int tiles, int values, Arg... args) {
        List<Arg> all = new ArrayList<>(Arrays.asList(args));
        all.add(new Arg.Ints(op.heads(), q.dim(1), k.dim(1), d, op.causal() ? 1 : 0, storage()));
        all.add(new Arg.F32((float) op.scale(q.dim(2))));
        int rows = (keys ? k : q).dim(1);
        int blocks = (rows + ROWS - 1) / ROWS;
        if (wide()) {
            return launch("attention_wide", "wide_" + name + suffix(), blocks, chunks(128), THREADS,
                    272 * (ROWS + 32 + 32 * values), all);
        }
        if (tensorCores()) {
            int size = d <= 64 ? 64 : d <= 96 ? 96 : 160;
            int tile = name.equals("forward") || size < 160 && name.startsWith("vjp") ? 32 : 16;
            return launch("attention_mma", name + "_d" + size + suffix(), blocks, 1, THREADS,
                    16 * (size / 8 + 1) * (operands * ROWS + tiles * tile), all);
        }
        boolean large = dtype == DType.F32 && d % 4 == 0 && d > 32;
        int columns = large ? 128 : 16;
        int threads = 32 * (((rows + blocks - 1) / blocks + 15) / 16); // no warp without rows
        int shared = 16 * (17 * (threads / 2 + 32) + 8 * columns + 5 * threads);
        return launch("attention_fma", name + (large ? "_c128_f32" : "_any"), blocks, chunks(columns), threads, shared, all);
    }

    /** The number that {@code Sizes.type} of kernels/attention.cuh gives to the storage type. */
    private int storage() {
        return dtype == DType.F16 ? 2 : dtype == DType.BF16 ? 3 : d % 4 == 0 ? 0 : 1;
    }

    private String suffix() {
        return "_" + dtype.name().toLowerCase(Locale.ROOT);
    }

    /** The number of blocks side by side that share a head, of so many columns each. */
    private int chunks(int columns) {
        return (d + columns - 1) / columns;
    }

    private Launch launch(String module, String entry, int blocks, int chunks, int threads, int shared, List<Arg> args) {
        return new Launch(module, "attention_" + entry, new Launch.Dim(blocks, op.heads() * chunks, q.dim(0)),
                Launch.Dim.of(threads), shared, args);
    }
}
