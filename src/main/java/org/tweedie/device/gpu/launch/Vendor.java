// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

/**
 * A library that does {@link LibraryCall}s. Each is prepared once, before memory is planned, since the plan includes its
 * working memory.
 */
public interface Vendor extends AutoCloseable {
    /**
     * Prepares a call and chooses its implementation.
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

    /** A prepared call, which may be run many times, with other addresses each time. */
    interface Prepared extends AutoCloseable {
        /** Bytes of working memory while it runs. */
        long workspace();

        /**
         * Starts the call on the library's stream. It allocates nothing.
         *
         * @param call the call that was prepared, now with addresses
         * @param workspace address of {@link #workspace} bytes, a multiple of 256
         */
        void run(LibraryCall call, long workspace);

        /** The chosen implementation in a few words, for profiles. */
        @Override
        String toString();

        @Override
        void close();
    }
}
