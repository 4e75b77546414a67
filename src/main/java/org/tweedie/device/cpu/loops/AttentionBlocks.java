// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.DotProductAttention;

/**
 * Cuts an attention into blocks of queries whose scores fit into the cache, and describes the layouts of its matrices. Heads are
 * read in place from [B,N,C], by strides.
 */
final class AttentionBlocks {
    /** The most scores of a block. */
    private static final int SCORES = 1 << 18;

    /** A range of samples, of heads and of queries, each given by its first and its number. */
    record Block(int b, int samples, int h, int heads, int i, int queries) {
        int rows() {
            return samples * heads * queries;
        }
    }

    final DType real; // the type of the matrices that attention reads and writes
    final int samples;
    final int heads;
    final int n; // the number of queries
    final int m; // the number of keys
    final int stride; // the scores of a query, padded to whole vectors
    final int d; // the channels of a head
    final int c; // the channels of all heads
    final float scale;
    final boolean causal;

    AttentionBlocks(DType real, DotProductAttention op, Shape q, Shape k) {
        this.real = real;
        samples = q.dim(0);
        heads = op.heads();
        n = q.dim(1);
        m = k.dim(1);
        stride = (m + VectorMath.L - 1) / VectorMath.L * VectorMath.L;
        c = q.dim(2);
        d = c / heads;
        scale = (float) op.scale(c);
        causal = op.causal();
    }

    /**
     * Returns the blocks. For each sample and head, blocks with the shape of the largest come first, in the order of their
     * queries.
     */
    List<Block> blocks() {
        int rows = Math.max(1, SCORES / stride);
        int parts = (n + rows - 1) / rows;
        int queries = (n + parts - 1) / parts;
        int together = Math.max(1, rows / queries);
        int bs = together >= samples * heads ? samples : 1;
        int hs = together >= heads ? heads : divisor(heads, together);
        List<Block> blocks = new ArrayList<>();
        for (int b = 0; b < samples; b += bs) {
            for (int h = 0; h < heads; h += hs) {
                for (int i = 0; i < n; i += queries) {
                    blocks.add(new Block(b, bs, h, hs, i, Math.min(queries, n - i)));
                }
            }
        }
        return blocks;
    }

    private static int divisor(int n, int atMost) {
        int d = Math.min(n, atMost);
        while (n % d != 0) {
            d--;
        }
        return d;
    }

    /** Returns the scores of the largest block, with a padded row for each query. */
    long scores() {
        return blocks().stream().mapToLong(b -> (long) b.rows() * stride).max().orElseThrow();
    }

    // ---- layouts; rows and columns of a head's matrix last -----------------------------------------------------

    /** Describes a block's rows of a [B,N,C] tensor or, for {@code keys}, all m rows of a [B,M,C] tensor. */
    long rows(Primitives p, Block b, boolean keys) {
        return rows(p, real, b, keys);
    }

    /** Describes such rows of a tensor of another type. */
    long rows(Primitives p, DType t, Block b, boolean keys) {
        long length = keys ? m : n;
        return p.layout(t, new long[] {b.samples, b.heads, keys ? m : b.queries, d}, new long[] {length * c, d, c, 1});
    }

    /** Describes the transpose of {@link #rows} over all keys. */
    long columns(Primitives p, Block b) {
        return p.layout(real, new long[] {b.samples, b.heads, d, m}, new long[] {(long) m * c, d, 1, c});
    }

    /** Describes a block's scores in F32. */
    long scores(Primitives p, Block b) {
        long matrix = (long) b.queries * stride;
        return p.layout(DType.F32, new long[] {b.samples, b.heads, b.queries, m},
                new long[] {b.heads * matrix, matrix, stride, 1});
    }

    /** Describes a block's scores as a factor of a product: of BF16, if so, each row is at the start of the F32 row's place. */
    long factor(Primitives p, Block b) {
        long row = 4L / real.bytes() * stride;
        long matrix = b.queries * row;
        return p.layout(real, new long[] {b.samples, b.heads, b.queries, m}, new long[] {b.heads * matrix, matrix, row, 1});
    }

    /** Describes the transpose of {@link #factor}. */
    long factorTransposed(Primitives p, Block b) {
        long row = 4L / real.bytes() * stride;
        long matrix = b.queries * row;
        return p.layout(real, new long[] {b.samples, b.heads, m, b.queries}, new long[] {b.heads * matrix, matrix, 1, row});
    }

    // ---- addresses ---------------------------------------------------------------------------------------------

    long query(long base, Block b) {
        return base + real.bytes() * (((long) b.b * n + b.i) * c + (long) b.h * d);
    }

    long key(long base, Block b) {
        return key(base, real, b);
    }

    /** Returns the address of a block's keys in a [B,M,C] tensor of another type. */
    long key(long base, DType t, Block b) {
        return base + t.bytes() * ((long) b.b * m * c + (long) b.h * d);
    }

    /** Returns the number of a block's r-th row among [B,heads,N]. */
    long row(Block b, int r) {
        int i = b.i + r % b.queries;
        int h = b.h + r / b.queries % b.heads;
        return ((long) (b.b + r / b.queries / b.heads) * heads + h) * n + i;
    }

    /** Returns the address of a block's r-th row in a [B,N,C] tensor. */
    long queryRow(long base, Block b, int r) {
        int i = b.i + r % b.queries;
        int h = b.h + r / b.queries % b.heads;
        return base + real.bytes() * (((long) (b.b + r / b.queries / b.heads) * n + i) * c + (long) h * d);
    }

    /** Returns how many keys a block's r-th row sees. */
    int visible(Block b, int r) {
        return causal ? b.i + r % b.queries + 1 : m;
    }
}
