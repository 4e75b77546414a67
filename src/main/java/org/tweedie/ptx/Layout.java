// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a kernel's variables lie. Parameters, shared and local memory have address spaces of their own that start at 0; a generic address of
 * shared memory lies above {@link #SHARED}, one of local memory above {@link #LOCAL}, any other is global.
 */
final class Layout {
    static final long SHARED = 1L << 60;
    static final long LOCAL = 1L << 61;
    static final long SPACE = ~(SHARED | LOCAL);

    private record Place(String space, long address) {}

    private final Map<String, Place> places = new HashMap<>();
    private final Map<String, Integer> params = new HashMap<>();
    private int paramBytes;
    private int shared;
    private int dynamicAlign = 16;
    private int local;
    private final List<String> dynamic = new ArrayList<>();

    /** @param globals address of each variable in global or const memory */
    Layout(Parser.Body body, Map<String, Variable> module, Map<String, Long> globals) {
        for (Variable p : body.params()) {
            paramBytes = up(paramBytes, p.align());
            params.put(p.name(), paramBytes);
            places.put(p.name(), new Place("param", paramBytes));
            paramBytes += p.bytes();
        }
        globals.forEach((name, address) -> places.put(name, new Place("global", address)));
        module.values().forEach(this::place);
        body.variables().values().forEach(this::place);
        shared = up(shared, dynamicAlign);
        dynamic.forEach(name -> places.put(name, new Place("shared", shared)));
    }

    private void place(Variable v) {
        if (v.space().equals("local")) {
            local = up(local, v.align());
            places.put(v.name(), new Place("local", local));
            local += v.bytes();
        } else if (v.space().equals("shared") && v.bytes() == 0) {
            dynamic.add(v.name());
            dynamicAlign = Math.max(dynamicAlign, v.align());
        } else if (v.space().equals("shared")) {
            shared = up(shared, v.align());
            places.put(v.name(), new Place("shared", shared));
            shared += v.bytes();
        }
    }

    private static int up(int n, int align) {
        return (n + align - 1) / align * align;
    }

    /** Address of a variable in its own space. */
    long address(String name, Assembly where) {
        Place p = places.get(name);
        if (p == null) {
            throw where.error("variable '" + name + "' is not defined");
        }
        return p.address;
    }

    /** Offset of a parameter in the block of parameters. */
    int param(String name) {
        return params.get(name);
    }

    int paramBytes() {
        return paramBytes;
    }

    /** Bytes of shared memory before the dynamic part. */
    int sharedBytes() {
        return shared;
    }

    boolean hasDynamic() {
        return !dynamic.isEmpty();
    }

    /** Bytes of local memory of a thread. */
    int localBytes() {
        return up(local, 16);
    }
}
