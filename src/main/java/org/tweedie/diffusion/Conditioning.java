// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

/**
 * The text on which a prior is conditioned.
 *
 * @param prompt a text that says what the picture shows
 * @param negative a text that guidance leads away from; often empty
 * @param guidance the scale of classifier-free guidance: eps(negative) + guidance (eps(prompt) - eps(negative)), arXiv
 *         2207.12598; with 1 the negative text is not used, otherwise each prediction takes two network evaluations
 */
public record Conditioning(String prompt, String negative, double guidance) {
    /** The empty text without guidance. */
    public static final Conditioning NONE = new Conditioning("", "", 1);

    public Conditioning {
        if (!Double.isFinite(guidance) || guidance < 0) {
            throw new IllegalArgumentException("guidance: expected 0 or more, got " + guidance);
        }
    }

    /** Returns true if both texts are evaluated. */
    public boolean guided() {
        return guidance != 1;
    }
}
