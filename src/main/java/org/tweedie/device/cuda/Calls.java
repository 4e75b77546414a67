// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.Closing;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Vendor;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.op.MatMul;
import org.tweedie.program.op.Op;

/**
 * The library calls that programs make: products go to cuBLAS, all others to cuDNN. Each kind of call is prepared once and kept.
 * Both libraries belong to the caller.
 */
final class Calls implements AutoCloseable {
    private record Key(Op op, Epilogue epilogue, List<Shape> shapes, List<DType> types) {
        static Key of(LibraryCall c) {
            List<Buffer> all = new ArrayList<>(c.in());
            all.addAll(c.out());
            return new Key(c.op(), c.epilogue(), all.stream().map(Buffer::shape).toList(), all.stream().map(Buffer::dtype)
                    .toList());
        }
    }

    private final Vendor products;
    private final Vendor rest;
    private final Map<Key, Vendor.Prepared> prepared = new HashMap<>();

    Calls(Vendor products, Vendor rest) {
        this.products = products;
        this.rest = rest;
    }

    synchronized Vendor.Prepared prepare(LibraryCall c) {
        Key key = Key.of(c);
        Vendor.Prepared p = prepared.get(key);
        if (p == null) {
            p = (c.op() instanceof MatMul ? products : rest).prepare(c);
            prepared.put(key, p);
        }
        return p;
    }

    @Override
    public void close() {
        try (Closing closing = new Closing()) {
            prepared.values().forEach(p -> closing.add(p::close));
            prepared.clear();
        }
    }
}
