// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

/**
 * The text that a prior is bound to.
 *
 * @param prompt what the picture shows
 * @param negative what guidance leads away from; often nothing
 * @param guidance classifier-free guidance: eps(negative) + guidance (eps(prompt) - eps(negative)), arXiv 2207.12598; with 1 the negative
 *     text is not used, otherwise each evaluation costs two
 */
public record Conditioning(String prompt, String negative, double guidance) {
    /** The empty text without guidance. */
    public static final Conditioning NONE = new Conditioning("", "", 1);

    public Conditioning {
        if (!Double.isFinite(guidance) || guidance < 0) {
            throw new IllegalArgumentException("guidance: expected 0 or more, got " + guidance);
        }
    }

    /** Whether both texts are evaluated. */
    public boolean guided() {
        return guidance != 1;
    }
}
