// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.image.Image;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Tensor;

/**
 * The result of a solver.
 *
 * @param image the picture [1,H,W,3], about -1 to 1, not clamped
 * @param decoded the picture before pixel consistency, as the decoder made it
 * @param residual the residual of {@code image} divided by that of noise alone: |y - A x| / (sigma sqrt(m))
 * @param decodedResidual the residual of {@code decoded}
 * @param counts the network evaluations and their time
 */
public record Restoration(Tensor image, Tensor decoded, double residual, double decodedResidual, NfeLedger counts) {
    /** The restored picture, clamped to [-1,1]. */
    public Image picture() {
        return Image.of(image).clamp();
    }
}
