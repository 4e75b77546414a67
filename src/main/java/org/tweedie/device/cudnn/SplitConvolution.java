// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cudnn.engine.PreparedGraph;
import org.tweedie.device.cudnn.graph.Graph;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.Shape;

/**
 * A convolution whose epilogue no fused engine supports (in F32, a residual [B,1,1,C] of more than one sample). A first graph
 * writes the sums to working memory. A second graph takes them from there, sample by sample, since cuDNN adds no [B,1,1,C] to a
 * [B,H,W,C] without a convolution.
 *
 * @param rest the second graph, for one sample
 */
record SplitConvolution(PreparedGraph sums, PreparedGraph rest, Buffer result) implements Vendor.Prepared {
    /** Returns the call that writes the sums of the convolution alone into working memory. */
    static LibraryCall sums(LibraryCall call, long workspace) {
        return new LibraryCall(call.op(), Epilogue.NONE, call.in().subList(0, 2),
                List.of(stored(call.out().getFirst(), workspace)));
    }

    /** Returns the call that applies the epilogue to one sample; the sums take the place of the image. */
    static LibraryCall rest(LibraryCall call, long workspace, int sample) {
        Buffer y = call.out().getFirst();
        List<Buffer> in = new ArrayList<>(call.in());
        in.set(0, sample(stored(y, workspace), sample));
        if (call.residual() != null) {
            in.set(in.size() - 1, sample(call.residual(), sample));
        }
        return new LibraryCall(call.op(), call.epilogue(), in, List.of(sample(y, sample)));
    }

    private static Buffer stored(Buffer y, long address) {
        return new Buffer("sums of " + y.name(), y.dtype(), y.shape(), address);
    }

    private static Buffer sample(Buffer b, int sample) {
        Shape one = b.shape().with(0, 1);
        return new Buffer(b.name(), b.dtype(), one, b.address() + sample * one.size() * b.dtype().bytes());
    }

    /** Returns a number of bytes such that every sample is at a multiple of it. */
    static int alignment(LibraryCall rest) {
        long bytes = Graph.ALIGNMENT | rest.out().getFirst().bytes() | (rest.residual() == null ? 0 : rest.residual().bytes());
        return (int) Long.lowestOneBit(bytes);
    }

    private long between() {
        return (result.bytes() + 255) / 256 * 256;
    }

    @Override
    public long workspace() {
        return between() + Math.max(sums.workspace(), rest.workspace());
    }

    @Override
    public void run(LibraryCall call, long workspace) {
        long behind = workspace + between();
        sums.run(sums(call, workspace), behind);
        for (int n = 0; n < result.shape().dim(0); n++) {
            rest.run(rest(call, workspace, n), behind);
        }
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
