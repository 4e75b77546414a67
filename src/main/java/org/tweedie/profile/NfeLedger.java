// SPDX-License-Identifier: Apache-2.0
package org.tweedie.profile;

/**
 * Counts network evaluations, per sample: a batch of two counts two. {@code nfe} is what papers count (one per inner step of STSL),
 * the others are what ran.
 */
public final class NfeLedger {
    private long nfe;
    private long unetForwards;
    private long unetVjps;
    private long decodes;
    private long decodeVjps;
    private long encodes;

    public void nfe(long n) {
        nfe += n;
    }

    /** Evaluations of the UNet and how many of them were pulled back through. */
    public void unet(long forwards, long vjps) {
        unetForwards += forwards;
        unetVjps += vjps;
    }

    public void decode(long forwards, long vjps) {
        decodes += forwards;
        decodeVjps += vjps;
    }

    public void encode(long forwards) {
        encodes += forwards;
    }

    public long nfe() {
        return nfe;
    }

    public long unetForwards() {
        return unetForwards;
    }

    public long unetVjps() {
        return unetVjps;
    }

    public long decodes() {
        return decodes;
    }

    public long decodeVjps() {
        return decodeVjps;
    }

    public long encodes() {
        return encodes;
    }

    /** As in {@code nfe=250 unet_forwards=600 ...}. */
    @Override
    public String toString() {
        return "nfe=" + nfe + " unet_forwards=" + unetForwards + " unet_vjps=" + unetVjps + " decodes=" + decodes
                + " decode_vjps=" + decodeVjps + " encodes=" + encodes;
    }
}
