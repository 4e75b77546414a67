// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.Convolution;

/** Tests which attention goes to cuDNN, by version and card. */
class SupportTest {
    private static Optional<String> forward(long version, int capability, int queries, int keys, int d, DType stored) {
        return new Support(version, capability).refusal(new DotProductAttention(8, false), Shape.of(2, queries, 8 * d),
                Shape.of(2, keys, 8 * d), stored);
    }

    private static Optional<String> backward(long version, int capability, int queries, int keys, int d) {
        return new Support(version, capability).refusal(new DotProductAttentionVjp(new DotProductAttention(8, false), false),
                Shape.of(2, queries, 8 * d), Shape.of(2, keys, 8 * d),
                DType.BF16);
    }

    private static void taken(Optional<String> refusal) {
        assertEquals(Optional.empty(), refusal);
    }

    private static void refused(String why, Optional<String> refusal) {
        assertTrue(refusal.orElseThrow(() -> new AssertionError("taken, expected: " + why)).contains(why), refusal.get());
    }

    @Test
    void attentionOfStableDiffusion() {
        for (int d : new int[] {40, 80, 160}) {
            taken(forward(90501, 90, 1024, 1024, d, DType.F16));
            taken(forward(92400, 90, 1024, 77, d, DType.BF16));
        }
        taken(forward(90501, 86, 4096, 77, 40, DType.F16));
        refused("at most 128, not 160", forward(90501, 86, 256, 256, 160, DType.F16));
        refused("at most 128, not 160", forward(92400, 100, 256, 256, 160, DType.F16));
        refused("at most 256, not 512", forward(92400, 90, 4096, 4096, 512, DType.F16));
        refused("a multiple of 8 channels", forward(92400, 90, 64, 64, 20, DType.F16));
        refused("in F16 or BF16, not in F32", forward(92400, 90, 64, 64, 40, DType.F32));
        refused("needs compute capability 8.0", forward(92400, 75, 64, 64, 40, DType.F16));
    }

    @Test
    void versionsThatAreWrong() {
        refused("cuDNN 9.10.0 on compute capability 9.0: attention is known to be wrong",
                forward(91000, 90, 64, 64, 40, DType.F16));
        refused("install 9.10.2 or later", backward(91001, 90, 128, 128, 40));
        taken(forward(91002, 90, 64, 64, 40, DType.F16));
        taken(forward(90900, 90, 64, 64, 40, DType.F16));
        taken(new Support(91000, 90).refusal(new Convolution(1, 1, 1, 1, 1), Shape.of(1, 8, 8, 8), Shape.of(8, 8, 3, 3),
                DType.F16));
    }

    @Test
    void pullBacks() {
        taken(backward(90501, 90, 4096, 4096, 40));
        taken(backward(90501, 90, 256, 256, 160));
        refused("a multiple of 128 keys, not 77", backward(90501, 90, 4096, 77, 40));
        refused("a multiple of 128 keys, not 64", backward(91500, 90, 64, 64, 160));
        taken(backward(91501, 90, 4096, 77, 40));
        taken(backward(92400, 80, 4096, 77, 40));
        refused("at most 128, not 160", backward(92400, 89, 256, 256, 160));
        refused("has not been shown to work on such cards", backward(92400, 100, 4096, 4096, 40));
        refused("one query to one key", backward(92400, 90, 1, 1, 40));
    }

    @Test
    void causalAttentionIsOurs() {
        refused("is computed by our kernels", new Support(92400, 90).refusal(new DotProductAttention(12, true), Shape.of(1, 77,
                768),
                Shape.of(1, 77, 768), DType.F16));
    }
}
