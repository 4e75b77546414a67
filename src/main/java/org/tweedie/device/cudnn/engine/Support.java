// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.util.Optional;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionVjp;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.ConvolutionVjp;
import org.tweedie.program.op.Op;

/**
 * The operations that we give to cuDNN, which depend on its version and on the card's compute capability. The limits of attention
 * are those that cudnn-frontend checks (sdpa_support_surface.h), and cases that we do not use.
 *
 * @param version the number that cudnnGetVersion returns, 92400 for 9.24.0
 * @param capability the card's compute capability, 90 for 9.0
 */
public record Support(long version, int capability) {
    private static final long BROKEN_FROM = 91000; // attention gives wrong results in these two versions
    private static final long BROKEN_TO = 91001;
    private static final long LAST_NEEDING_WHOLE_TILES = 91500;

    /** Returns why an op is not given to cuDNN, or nothing. For attention, x is q [B,T,C] and second is k [B,S,C]. */
    public Optional<String> refusal(Op op, Shape x, Shape second, DType stored) {
        String reason = switch (op) {
            case Convolution _, ConvolutionVjp _ -> stored == DType.F32 || stored == DType.F16 || stored == DType.BF16 ? null
                    : "convolutions are supported in F32, F16 or BF16, not in " + stored;
            case DotProductAttention a -> attention(a, x, stored, capability >= 90 && capability < 100 ? 256 : 128);
            case DotProductAttentionVjp v -> backward(v.of(), x, second, stored);
            default -> op.getClass().getSimpleName() + " is not given to cuDNN";
        };
        return Optional.ofNullable(reason).map(r -> "cuDNN " + text() + " on compute capability " + capability / 10 + "."
                + capability % 10 + ": " + r);
    }

    private String attention(DotProductAttention op, Shape q, DType stored, int most) {
        int d = q.dim(2) / op.heads();
        if (stored != DType.F16 && stored != DType.BF16) {
            return "attention is supported in F16 or BF16, not in " + stored;
        }
        if (version >= BROKEN_FROM && version <= BROKEN_TO) {
            return "attention is known to be wrong in 9.10.0 and 9.10.1; install 9.10.2 or later";
        }
        if (capability < 80) {
            return "attention needs compute capability 8.0";
        }
        if (op.causal()) {
            return "causal attention (of the text encoder, once per prompt) is computed by our kernels";
        }
        return d % 8 != 0 || d > most ? "heads must have a multiple of 8 channels, at most " + most + ", not " + d : null;
    }

    private String backward(DotProductAttention op, Shape q, Shape k, DType stored) {
        if (capability >= 100) {
            return "the deterministic pull-back of attention has not been shown to work on such cards";
        }
        String reason = attention(op, q, stored, capability == 90 ? 256 : 128);
        if (reason != null) {
            return reason;
        }
        if (q.dim(1) == 1 && k.dim(1) == 1) {
            return "the pull-back of attention of one query to one key is not supported";
        }
        return k.dim(1) % 128 != 0 && version <= LAST_NEEDING_WHOLE_TILES
                ? "up to 9.15.0 the pull-back of attention needs a multiple of 128 keys, not " + k.dim(1) : null;
    }

    /** Returns the version as text. Before version 9, the major number was counted in thousands. */
    public String text() {
        return version < 10000 ? version / 1000 + "." + version / 100 % 10 + "." + version % 100
                : version / 10000 + "." + version / 100 % 100 + "." + version % 100;
    }
}
