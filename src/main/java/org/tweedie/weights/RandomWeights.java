// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.LongStream;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Weights that were never trained, so that a network can be timed without gigabytes of weights on disk. Each tensor is a pure
 * function of seed, name and shape. It is uniform with variance 1/fan-in, so that values keep their size from layer to layer; a
 * norm's factors are within a tenth of 1, and all biases are within a tenth of 0. Tensors are valid until {@link #close}.
 */
public final class RandomWeights implements AutoCloseable {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int PER_BLOCK = 4; // the numbers that one block of the generator gives
    private static final long PIECE = 1 << 16; // the blocks that a thread draws at a time
    private static final double SMALL = 0.1;

    private final Arena arena = Arena.ofShared();
    private final long seed;
    private final DType dtype;
    private final SparseZeros zeros; // null where numbers are drawn

    /**
     * Makes weights for a seed.
     *
     * @param dtype F16 or F32, like the weights of a checkpoint
     */
    public RandomWeights(long seed, DType dtype) {
        this(seed, dtype, null);
    }

    private RandomWeights(long seed, DType dtype, SparseZeros zeros) {
        if (dtype != DType.F16 && dtype != DType.F32) {
            throw new IllegalArgumentException("random weights: expected F16 or F32, got " + dtype);
        }
        this.seed = seed;
        this.dtype = dtype;
        this.zeros = zeros;
    }

    /** Makes weights that are all zero and take no memory, so that a network can be planned without drawing numbers. */
    public static RandomWeights unread(DType dtype) throws IOException {
        return new RandomWeights(0, dtype, new SparseZeros());
    }

    /** Returns the tensor of a name. If it is asked for twice, it is drawn twice, with the same bytes. */
    public Tensor draw(String name, Shape shape) {
        if (zeros != null) {
            return new Tensor(dtype, shape, zeros.map(shape.size() * dtype.bytes(), arena));
        }
        boolean vector = shape.rank() < 2;
        double mean = vector && name.endsWith(".weight") ? 1 : 0;
        // a uniform number in [-w,w] has variance w^2/3
        double width = vector ? SMALL : Math.sqrt(3.0 / shape.size(1, shape.rank()));
        MemorySegment data = arena.allocate(shape.size() * dtype.bytes(), 64);
        long blocks = (shape.size() + PER_BLOCK - 1) / PER_BLOCK;
        int key = name.hashCode(); // String specifies how it is computed, so it is the same everywhere
        LongStream.range(0, (blocks + PIECE - 1) / PIECE).parallel()
                .forEach(p -> fill(data, shape.size(), key, p * PIECE, Math.min(blocks, (p + 1) * PIECE), mean, width));
        return new Tensor(dtype, shape, data);
    }

    private void fill(MemorySegment data, long size, int key, long from, long to, double mean, double width) {
        for (long b = from; b < to; b++) {
            int[] x = Philox.block((int) b, (int) (b >>> 32), key, 0, (int) seed, (int) (seed >>> 32));
            for (int k = 0; k < PER_BLOCK && b * PER_BLOCK + k < size; k++) {
                float value = (float) (mean + width * (x[k] * 0x1p-31));
                if (dtype == DType.F16) {
                    data.set(SHORT, 2 * (b * PER_BLOCK + k), Float.floatToFloat16(value));
                } else {
                    data.set(FLOAT, 4 * (b * PER_BLOCK + k), value);
                }
            }
        }
    }

    @Override
    public void close() {
        arena.close();
        if (zeros != null) {
            zeros.close();
        }
    }
}
