// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.List;
import java.util.Locale;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.program.DType;

/** Names the real types in which kernels read and write. */
final class Reals {
    private Reals() {}

    /** The real type that all buffers share, in the form in which names of entry points end. */
    static String type(String who, Buffer... all) {
        DType t = all[0].dtype();
        for (Buffer b : all) {
            if (b.dtype() != t || t != DType.F32 && t != DType.F16 && t != DType.BF16) {
                throw new IllegalArgumentException(who + ": expected all of F32, all of F16 or all of BF16, got " + List.of(all));
            }
        }
        return t.name().toLowerCase(Locale.ROOT);
    }

    /** The number of elements in 16 bytes. */
    static int lanes(Buffer b) {
        return 16 / b.dtype().bytes();
    }
}
