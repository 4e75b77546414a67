// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import org.tweedie.image.Image;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Tensor;

/**
 * What a solver made of a measurement.
 *
 * @param image the picture [1,H,W,3], about -1 to 1, not clamped
 * @param decoded the picture before pixel consistency, as the decoder made it
 * @param residual the residual of {@code image} over what noise alone would leave: |y - A x| / (sigma sqrt(m))
 * @param decodedResidual the residual of {@code decoded}
 * @param counts the network evaluations and their time
 */
public record Restoration(Tensor image, Tensor decoded, double residual, double decodedResidual, NfeLedger counts) {
    /** The restored picture, brought into [-1,1]. */
    public Image picture() {
        return Image.of(image).clamp();
    }
}
