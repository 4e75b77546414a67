// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.util.EnumSet;
import java.util.Set;
import org.tweedie.program.DType;

/** The values of cudnnBackendNumericalNote_t: properties of an engine's arithmetic. */
public enum Note {
    TENSOR_CORE, DOWN_CONVERT_INPUTS, REDUCED_PRECISION_REDUCTION, FFT, NONDETERMINISTIC, WINOGRAD, WINOGRAD_TILE_4x4,
            WINOGRAD_TILE_6x6,
    WINOGRAD_TILE_13x13, STRICT_NAN_PROP;

    /**
     * Returns the notes that engines for tensors of a type must not have. Sums are F32, every run gives the same bytes, and
     * rounding is that of a direct convolution. An F32 engine that uses tensor cores multiplies in TF32, with 10 bits of
     * fraction, so it is excluded as well.
     */
    public static Set<Note> unwanted(DType stored) {
        Set<Note> notes = EnumSet.of(DOWN_CONVERT_INPUTS, REDUCED_PRECISION_REDUCTION, FFT, NONDETERMINISTIC, WINOGRAD,
                WINOGRAD_TILE_4x4,
                WINOGRAD_TILE_6x6, WINOGRAD_TILE_13x13);
        if (stored == DType.F32) {
            notes.add(TENSOR_CORE);
        }
        return notes;
    }
}
