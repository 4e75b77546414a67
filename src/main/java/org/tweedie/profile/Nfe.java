// SPDX-License-Identifier: Apache-2.0
package org.tweedie.profile;

/**
 * Counts of network evaluations per sample (a batch of two counts as two). The counts of VJPs and JVPs are the numbers of
 * pull-backs and push-forwards through a network, in addition to the forward evaluations.
 */
public record Nfe(long unetForwards, long unetVjps, long unetJvps, long decodes, long decodeVjps, long decodeJvps, long encodes,
        long encodeVjps) {
    public static final Nfe NONE = new Nfe(0, 0, 0, 0, 0, 0, 0, 0);

    /** Forward evaluations of the UNet and pull-backs through it. */
    public static Nfe unet(long forwards, long vjps) {
        return new Nfe(forwards, vjps, 0, 0, 0, 0, 0, 0);
    }

    /** Forward evaluations of the decoder and pull-backs through it. */
    public static Nfe decode(long forwards, long vjps) {
        return new Nfe(0, 0, 0, forwards, vjps, 0, 0, 0);
    }

    /** Forward evaluations of the encoder and pull-backs through it. */
    public static Nfe encode(long forwards, long vjps) {
        return new Nfe(0, 0, 0, 0, 0, 0, forwards, vjps);
    }

    /** Returns the sum of both counts. */
    public Nfe plus(Nfe o) {
        return new Nfe(unetForwards + o.unetForwards, unetVjps + o.unetVjps, unetJvps + o.unetJvps, decodes + o.decodes,
                decodeVjps + o.decodeVjps,
                decodeJvps + o.decodeJvps, encodes + o.encodes, encodeVjps + o.encodeVjps);
    }

    /** Returns n times these counts. */
    public Nfe times(long n) {
        return new Nfe(n * unetForwards, n * unetVjps, n * unetJvps, n * decodes, n * decodeVjps, n * decodeJvps, n * encodes,
                n * encodeVjps);
    }

    /**
     * Returns words as in {@code unet_forwards=600 unet_vjps=600 decodes=251 decode_vjps=250 encodes=1}; counts that are 0
     * for most solvers are left out when they are 0.
     */
    @Override
    public String toString() {
        return "unet_forwards=" + unetForwards + " unet_vjps=" + unetVjps + word("unet_jvps", unetJvps) + " decodes=" + decodes
                + " decode_vjps="
                + decodeVjps + word("decode_jvps", decodeJvps) + " encodes=" + encodes + word("encode_vjps", encodeVjps);
    }

    private static String word(String name, long n) {
        return n == 0 ? "" : " " + name + "=" + n;
    }
}
