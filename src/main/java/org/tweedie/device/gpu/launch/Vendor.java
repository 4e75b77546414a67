// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

/** A library that does {@link LibraryCall}s. Each is prepared once, before memory is planned: what it needs for itself is known then. */
public interface Vendor extends AutoCloseable {
    /**
     * Chooses how to do a call.
     *
     * @param call its op, the shapes and the types of its buffers; their addresses mean nothing yet
     * @throws IllegalArgumentException when such calls are not for this library
     * @throws IllegalStateException when they are, and it cannot do this one on this machine
     */
    Prepared prepare(LibraryCall call);

    /** Tells which ops it does although we have kernels for them too. */
    default Offer offer() {
        return Offer.NONE;
    }

    @Override
    void close();

    /** A call's way, chosen: may be run many times, with other addresses each. */
    interface Prepared extends AutoCloseable {
        /** Bytes of working memory while it runs. */
        long workspace();

        /**
         * Starts it on the library's stream. Allocates nothing.
         *
         * @param call the call that was prepared, now with addresses
         * @param workspace address of {@link #workspace} bytes, a multiple of 256
         */
        void run(LibraryCall call, long workspace);

        /** The way in a few words, as a profile shows it. */
        @Override
        String toString();

        @Override
        void close();
    }
}
