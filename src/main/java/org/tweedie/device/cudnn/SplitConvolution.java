// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.Buffer;
import org.tweedie.device.gpu.Epilogue;
import org.tweedie.device.gpu.LibraryCall;
import org.tweedie.device.gpu.Vendor;

/**
 * A convolution for whose epilogue there is no fused engine (of F32, a residual [B,1,1,C] of more than one sample): the sums go to working memory, from
 * where a second graph takes them.
 *
 * @param between bytes of the sums, a multiple of 256
 */
record SplitConvolution(PreparedGraph sums, PreparedGraph rest, long between) implements Vendor.Prepared {
    /** The convolution alone, into working memory. */
    static LibraryCall sums(LibraryCall call, long workspace) {
        return new LibraryCall(call.op(), Epilogue.NONE, call.in().subList(0, 2), List.of(stored(call, workspace)));
    }

    /** What follows, its image replaced by the sums. */
    static LibraryCall rest(LibraryCall call, long workspace) {
        List<Buffer> in = new ArrayList<>(call.in());
        in.set(0, stored(call, workspace));
        return new LibraryCall(call.op(), call.epilogue(), in, call.out());
    }

    private static Buffer stored(LibraryCall call, long address) {
        Buffer y = call.out().getFirst();
        return new Buffer("sums of " + y.name(), y.dtype(), y.shape(), address);
    }

    @Override
    public long workspace() {
        return between + Math.max(sums.workspace(), rest.workspace());
    }

    @Override
    public void run(LibraryCall call, long workspace) {
        long behind = workspace + between;
        sums.run(sums(call, workspace), behind);
        rest.run(rest(call, workspace), behind);
    }

    @Override
    public String toString() {
        return sums + ", then " + rest;
    }

    @Override
    public void close() {
        try (sums) {
            rest.close();
        }
    }
}
