// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.ptx.text.Parser;
import org.tweedie.ptx.text.Variable;

/**
 * The addresses of a kernel's variables. Parameters, shared and local memory have address spaces of their own that start at 0. A
 * generic address of shared memory is above {@link #SHARED}, one of local memory is above {@link #LOCAL}, and any other is
 * global.
 */
public final class Layout {
    public static final long SHARED = 1L << 60;
    public static final long LOCAL = 1L << 61;
    public static final long SPACE = ~(SHARED | LOCAL);

    private final Map<String, Long> addresses = new HashMap<>();
    private final Map<String, Integer> params = new HashMap<>();
    private int paramBytes;
    private int shared;
    private int dynamicAlign = 16;
    private int local;
    private final List<String> dynamic = new ArrayList<>();

    /**
     * Assigns every variable its address.
     *
     * @param globals address of each variable in global or const memory
     */
    public Layout(Parser.Body body, Map<String, Variable> module, Map<String, Long> globals) {
        for (Variable p : body.params()) {
            paramBytes = up(paramBytes, p.align());
            params.put(p.name(), paramBytes);
            addresses.put(p.name(), (long) paramBytes);
            paramBytes += p.bytes();
        }
        addresses.putAll(globals);
        module.values().forEach(this::place);
        body.variables().values().forEach(this::place);
        shared = up(shared, dynamicAlign);
        dynamic.forEach(name -> addresses.put(name, (long) shared));
    }

    private void place(Variable v) {
        if (v.space().equals("local")) {
            local = up(local, v.align());
            addresses.put(v.name(), (long) local);
            local += v.bytes();
        } else if (v.space().equals("shared") && v.bytes() == 0) {
            dynamic.add(v.name());
            dynamicAlign = Math.max(dynamicAlign, v.align());
        } else if (v.space().equals("shared")) {
            shared = up(shared, v.align());
            addresses.put(v.name(), (long) shared);
            shared += v.bytes();
        }
    }

    private static int up(int n, int align) {
        return (n + align - 1) / align * align;
    }

    /** Returns the address of a variable in its own space, or null where the kernel has no such variable. */
    public Long address(String name) {
        return addresses.get(name);
    }

    /** Returns the offset of a parameter in the block of parameters. */
    public int param(String name) {
        return params.get(name);
    }

    public int paramBytes() {
        return paramBytes;
    }

    /** Returns the bytes of shared memory before the dynamic part. */
    int sharedBytes() {
        return shared;
    }

    public boolean hasDynamic() {
        return !dynamic.isEmpty();
    }

    /** Returns the bytes of local memory of one thread. */
    int localBytes() {
        return up(local, 16);
    }
}
