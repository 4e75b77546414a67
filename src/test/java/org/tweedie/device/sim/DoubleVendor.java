// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import java.util.function.BiPredicate;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.launch.Vendor;

/** A library without a card: computes calls in double precision where they are run, and counts what it has prepared. */
public final class DoubleVendor implements Vendor {
    private final Library library = new Library(1);
    private final BiPredicate<LibraryCall, Long> when;
    private final long workspace;
    private Offer offer = Offer.NONE;
    private int open;
    private int prepared;
    private boolean closed;

    /**
     * @param workspace bytes that each call says it needs
     * @param when is told of each run and says whether to compute now
     */
    public DoubleVendor(long workspace, BiPredicate<LibraryCall, Long> when) {
        this.workspace = workspace;
        this.when = when;
    }

    /** Takes over all that it may. */
    public void offerAll() {
        offer = (op, in, stored) -> true;
    }

    @Override
    public Offer offer() {
        return offer;
    }

    /** Computes a call now. */
    public void compute(LibraryCall call) {
        library.run(call);
    }

    /** Calls prepared so far. */
    public int prepared() {
        return prepared;
    }

    public boolean closed() {
        return closed && open == 0;
    }

    @Override
    public Prepared prepare(LibraryCall call) {
        open++;
        prepared++;
        return new Prepared() {
            @Override
            public long workspace() {
                return workspace;
            }

            @Override
            public void run(LibraryCall c, long at) {
                if (when.test(c, at)) {
                    compute(c);
                }
            }

            @Override
            public String toString() {
                return "double";
            }

            @Override
            public void close() {
                open--;
            }
        };
    }

    @Override
    public String toString() {
        return "a library in double precision";
    }

    @Override
    public void close() {
        closed = true;
        library.close();
    }
}
