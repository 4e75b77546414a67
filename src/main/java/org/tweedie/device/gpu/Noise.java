// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.List;
import java.util.Locale;
import org.tweedie.program.DType;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Random numbers drawn on the device (noise.cu): the sequences of {@link Philox}, bit for bit; 16-bit types get them rounded. */
public final class Noise {
    static final int THREADS = 128;

    /** What to draw. */
    public enum Kind { NORMAL, RADEMACHER, UNIFORM }

    private Noise() {}

    /** Which numbers to draw, as kernels read it from device memory: [3] of I64. */
    public static Tensor key(Philox sequence, long offset) {
        return Tensor.of(Shape.of(3), new long[] {sequence.seed(), sequence.stream(), offset});
    }

    /** Fills out with the numbers of a {@link #key}, in order. */
    public static Launch draw(Kind kind, Buffer key, Buffer out) {
        String what = "noise: ";
        key(what, key);
        String entry = "noise_" + kind.name().toLowerCase(Locale.ROOT) + "_" + suffix(what, out);
        return new Launch("noise", entry, Launch.blocks(quads(out.size()), THREADS), Launch.Dim.of(THREADS), 0,
                List.of(new Arg.Out(out), new Arg.In(key), new Arg.I64(out.size())));
    }

    /** Blocks of the generator that n numbers may touch: the first may start within one. */
    static long quads(long n) {
        return (n + 6) / 4;
    }

    static void key(String what, Buffer key) {
        if (key.dtype() != DType.I64 || key.size() != 3) {
            throw new IllegalArgumentException(what + "expected a key of 3 I64 (seed, stream, offset), got " + key);
        }
    }

    /** The ending of the entry points for a buffer's type. */
    static String suffix(String what, Buffer b) {
        return switch (b.dtype()) {
            case F32, F16, BF16 -> b.dtype().name().toLowerCase(Locale.ROOT);
            default -> throw new IllegalArgumentException(what + "expected F32, F16 or BF16, got " + b);
        };
    }
}
